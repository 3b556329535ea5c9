"""Everything a user of the grader can be told is wrong.

    GraderError                 message + next step; shown without a traceback unless --debug
    ├── UsageError              the command line or the path cannot be used (exit code USAGE)
    │   ├── SubmissionNotFound  no such folder, or nothing in it that can be read
    │   └── UnknownName         a part, check, format or assignment that does not exist; says "did you mean"
    ├── AssignmentError         assignment.toml or a check file is wrong: for its author, not the student
    ├── IsolationUnavailable    this machine cannot seal student code as the assignment requires
    ├── WorkerStartFailed       the worker could not be started: our fault, never the student's
    ├── JudgeDied               the process that judged one submission ended without a result
    └── ClusterUnusable         no node of the cluster can judge this assignment

What student code does wrong is not an exception of the grader: it is the status of a check.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class GraderError(Exception):
    """Something the user can act on: a message and the next step."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()


class UsageError(GraderError):
    """The command line cannot be carried out as given."""


class SubmissionNotFound(UsageError):
    """There is nothing to grade at the path given."""


class UnknownName(UsageError):
    """A name that does not exist, with the nearest that does."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = list(known)
        near = did_you_mean(name, known)
        step = f"Did you mean {near!r}?" if near else f"Known: {', '.join(known)}."
        super().__init__(f"There is no {kind} {name!r}.", step)


class AssignmentError(GraderError):
    """The assignment itself is wrong; its author has to mend it."""


class IsolationUnavailable(GraderError):
    """Student code cannot be sealed off here as required."""


class WorkerStartFailed(GraderError):
    """The worker process did not come up."""


class JudgeDied(GraderError):
    """The process that judged one submission ended without a result."""


class ClusterUnusable(GraderError):
    """No node of the cluster can judge this assignment."""


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The nearest known name, or None where nothing is near; case does not matter."""
    by_fold = {k.casefold(): k for k in known}
    near = get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[near[0]] if near else None
