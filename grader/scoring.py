"""Points of checks -> score. Exact: Decimal in, Decimal out; nothing is rounded here."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from grader.model import CheckResult, Score, Status


def score(results: Iterable[CheckResult]) -> Score:
    """Add up. Points under review are possible but not yet earned; our own errors are excused, not lost."""
    earned = possible = automatic = automatic_possible = review = excused = Decimal(0)
    for result in results:
        points = result.points
        if result.status is Status.GRADER_ERROR:
            excused += points.possible
            continue
        possible += points.possible
        earned += points.earned
        if result.status is Status.NEEDS_REVIEW:
            review += points.possible
        else:
            automatic += points.earned
            automatic_possible += points.possible
    return Score(
        earned=earned,
        possible=possible,
        automatic_earned=automatic,
        automatic_possible=automatic_possible,
        awaiting_review=review,
        excused=excused,
    )
