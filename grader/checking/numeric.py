"""The `numbers` fixture: judges one numeric answer and writes what was found into the evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Missing, NeedsReview, Outcome, Partial
from grader.intake import Answers
from grader.model import Assignment, Check, Status
from grader.numbers import Quantity, judge_number

_KINDS: dict[Status, type[Outcome]] = {Status.MISSING: Missing, Status.NEEDS_REVIEW: NeedsReview}


class Numbers:
    """Called with the declaration of a numeric check; the right values are those that [verify] names."""

    def __init__(
        self,
        check: Running,
        answers: Answers,
        assignment: Assignment,
        quantities: Callable[[], Mapping[str, Quantity]],
    ) -> None:
        self._check = check
        self._answers = answers
        self._assignment = assignment
        self._quantities = quantities

    def __call__(self, number: Check) -> None:
        """Return where the answer is right; raise Failed, Partial, Missing or NeedsReview where it is not."""
        verdict = judge_number(number, self._answers, self._quantities(), self._assignment.checks)
        check = self._check
        check.largest_difference = verdict.largest_difference
        check.asked, check.location = verdict.asked, verdict.location
        check.expected, check.obtained = verdict.expected, verdict.obtained
        for note in verdict.notes:
            check.note(note)
        if verdict.status is Status.PASSED:
            return
        if verdict.status is Status.PARTIAL:
            raise Partial(verdict.message, verdict.hint, fraction=verdict.fraction)
        outcome = _KINDS.get(verdict.status, Failed)(verdict.message, verdict.hint)
        outcome.status = verdict.status
        raise outcome
