"""Every numeric answer of parts 2 and 4, with units, rounding and errors carried forward."""

from __future__ import annotations

from functools import cache

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Missing, NeedsReview, Outcome, Partial
from grader.intake import Answers
from grader.model import Assignment, Check, Diagnosis, Status
from grader.numbers import Verdict, judge_number
from reference.transformer import analysis
from reference.transformer.quantity import Quantity


@cache
def quantities(section: str) -> dict[str, Quantity]:
    """Part 4 needs no torch; part 2 does, and brings it only where it is asked for."""
    if section == "4":
        return analysis.QUANTITIES
    from reference.transformer import handout

    return handout.QUANTITIES


def test_number(number: Check, check: Running, answers: Answers, assignment: Assignment) -> None:
    verdict = judge_number(number, answers, quantities(number.part[0]), assignment.checks)
    check.largest_difference = verdict.largest_difference
    check.asked, check.location = verdict.asked, verdict.location
    check.expected, check.obtained = verdict.expected, verdict.obtained
    for note in verdict.notes:
        check.note(note)
    if verdict.status is Status.PASSED:
        return
    if verdict.status is Status.PARTIAL:
        raise Partial(verdict.message, verdict.hint, fraction=verdict.fraction)
    kinds: dict[Status, type[Outcome]] = {Status.MISSING: Missing, Status.NEEDS_REVIEW: NeedsReview}
    outcome = kinds.get(verdict.status, Failed)(verdict.message, verdict.hint)
    outcome.status = verdict.status
    if verdict.slip is None and " is not right" in verdict.message:
        check.note("No known slip gives this number.")
    raise outcome.because(diagnosis(number, verdict))


def diagnosis(number: Check, verdict: Verdict) -> Diagnosis | None:
    """The known slip that a wrong number comes out of."""
    if number.number is None or verdict.slip is None or verdict.obtained is None:
        return None
    from reference.transformer.misconceptions import numbers  # needed only where a number is wrong

    return numbers.named(str(number.number["quantity"]), verdict.slip, verdict.obtained)
