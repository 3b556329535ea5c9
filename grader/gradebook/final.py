"""The report that a student gets back: the grader's, with the marks that people gave and what the course did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.gradebook.standing import CheckStanding, Standing
from grader.model import CheckResult, GradeReport, Points, Status
from grader.scoring import score
from grader.serialise import rounded


def final_report(
    report: GradeReport, standing: Standing, number_of_checks: int, notes: Sequence[str] = ()
) -> GradeReport:
    """`report` with every mark that a person gave in place of the grader's; its evidence stays.

    number_of_checks: of the assignment; with fewer the report is not complete. notes: sentences on what was done after
    scoring, such as a deduction for lateness; the score is untouched by it.
    """
    checks = tuple(_final(check, standing.checks.get(check.id)) for check in report.checks)
    waits = any(check.status in {Status.NEEDS_REVIEW, Status.GRADER_ERROR} for check in checks)
    return replace(
        report,
        checks=checks,
        score=score(checks),
        complete=len(checks) == number_of_checks and not waits,
        notes=(*report.notes, *notes),
    )


def _final(check: CheckResult, standing: CheckStanding | None) -> CheckResult:
    if standing is None or standing.override is None:
        return check
    given = standing.override
    status = (
        Status.PASSED
        if given.points >= check.points.possible
        else Status.PARTIAL
        if given.points > 0
        else Status.FAILED
    )
    said = f"A person gave {rounded(given.points)} of {rounded(check.points.possible)} points."
    return replace(
        check,
        status=status,
        points=Points(earned=given.points, possible=check.points.possible),
        message=f"{said} {given.reason}".strip(),
        hint="",
    )
