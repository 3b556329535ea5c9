"""Classes of standings made of points, without a gradebook."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from grader.gradebook import Entry, Mark, Result, Standing, standing_of
from grader.model import Check, Status


def checks(*possible: int) -> tuple[Check, ...]:
    return tuple(
        Check(f"{i + 1}a.c", f"{i + 1}a", f"Check {i + 1}", Decimal(p)) for i, p in enumerate(possible)
    )


def standing(
    student: str,
    earned: Sequence[float | None],
    declared: Sequence[Check],
    *,
    diagnosis: str | None = None,
    failure: str | None = None,
    late: bool = False,
    name: str | None = None,
) -> Standing:
    """`earned` per check; None waits for a person."""
    marks = {}
    for check, points in zip(declared, earned, strict=True):
        got = Decimal(str(points or 0))
        status = (
            Status.NEEDS_REVIEW
            if points is None
            else Status.PASSED
            if got == check.points
            else Status.PARTIAL
            if got
            else Status.FAILED
        )
        named = diagnosis if status is Status.FAILED else None
        marks[check.id] = Mark(
            check.id, status, got, check.points, named, "k", 0.25, f"Title of {named}" if named else None
        )
    total = sum((mark.earned for mark in marks.values()), Decimal(0))
    most = sum((mark.possible for mark in marks.values()), Decimal(0))
    return standing_of(
        Result(
            id=1,
            run=1,
            entry=Entry(student, name or student.title(), "s", late=late),
            created="",
            earned=total,
            possible=most,
            complete=None not in earned,
            duration_s=1.0,
            failure=failure,
            marks={} if failure else marks,
        ),
        (),
    )
