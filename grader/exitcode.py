"""What `grade` ends with. Public: scripts may rely on the numbers."""

from __future__ import annotations

from enum import IntEnum

from grader.model import GradeReport, Status


class ExitCode(IntEnum):
    """In the order of precedence where several hold: GRADER_ERROR, then POINTS_LOST, then NEEDS_REVIEW."""

    ALL_PASSED = 0
    """Every selected check passed; of a class: every hand-in was graded."""
    POINTS_LOST = 1
    """At least one check did not earn its full points."""
    USAGE = 2
    """The command line or the path could not be used; nothing was graded."""
    NEEDS_REVIEW = 3
    """Everything that a machine marks passed; a person has still to mark the rest."""
    GRADER_ERROR = 4
    """Something could not be graded by the grader's own fault, which costs no points; of a class: a hand-in could not
    be graded, and is named."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C or SIGTERM; no report was written."""


def exit_code(report: GradeReport) -> ExitCode:
    """The exit code of one finished report."""
    statuses = {check.status for check in report.checks}
    if Status.GRADER_ERROR in statuses:
        return ExitCode.GRADER_ERROR
    if statuses - {Status.PASSED, Status.NEEDS_REVIEW}:
        return ExitCode.POINTS_LOST
    return ExitCode.NEEDS_REVIEW if Status.NEEDS_REVIEW in statuses else ExitCode.ALL_PASSED
