"""The number on paper."""

from __future__ import annotations

import runpy

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Missing
from grader.intake import Answers
from grader.model import Assignment, Check, Status
from grader.numbers import judge_number


def test_number(number: Check, check: Running, answers: Answers, assignment: Assignment) -> None:
    quantities = runpy.run_path(str(assignment.root / "quantities.py"))["QUANTITIES"]
    verdict = judge_number(number, answers, quantities, assignment.checks)
    check.obtained = verdict.obtained
    if verdict.status is not Status.PASSED:
        raise (Missing if verdict.status is Status.MISSING else Failed)(verdict.message, verdict.hint)
