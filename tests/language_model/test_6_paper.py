"""Part 6: the numbers on paper, with units, rounding and errors carried forward."""

from __future__ import annotations

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Missing, Outcome, Partial
from grader.intake import Answers
from grader.model import Assignment, Check, Status
from grader.numbers import judge_number
from reference.language_model.misconceptions.paper import named
from reference.language_model.paper import QUANTITIES


def test_number(number: Check, check: Running, answers: Answers, assignment: Assignment) -> None:
    verdict = judge_number(number, answers, QUANTITIES, assignment.checks)
    check.largest_difference = verdict.largest_difference
    check.asked, check.location = verdict.asked, verdict.location
    check.expected, check.obtained = verdict.expected, verdict.obtained
    for note in verdict.notes:
        check.note(note)
    if verdict.status is Status.PASSED:
        return
    if verdict.status is Status.PARTIAL:
        raise Partial(verdict.message, verdict.hint, fraction=verdict.fraction)
    kind: type[Outcome] = Missing if verdict.status is Status.MISSING else Failed
    outcome = kind(verdict.message, verdict.hint)
    outcome.status = verdict.status
    raise outcome.because(named(number, verdict))
