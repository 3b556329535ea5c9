"""How a check says what it found: it returns (passed), or raises one of these.

    Outcome          status, message, hint, fraction of the points, diagnosis; the evidence is on the `check` fixture
    ├── Failed       wrong
    ├── Partial      right in part
    ├── Missing      not handed in
    ├── Blocked      another check, which the message names, stands in the way
    ├── NeedsReview  a person has to mark it
    └── StudentFault raised for the check by the `student` fixture: student code raised, hung, crashed ...

Anything else that a check raises is the grader's own error and costs the student nothing.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Self

from grader.model import Diagnosis, Status


class Outcome(Exception):
    """What became of a check, other than a plain pass."""

    status: Status = Status.FAILED

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        fraction: Fraction = Fraction(0),
        diagnosis: Diagnosis | None = None,
    ) -> None:
        """hint: left out, it is that of the diagnosis."""
        super().__init__(message)
        self.message = message
        self.hint = hint or (diagnosis.hint if diagnosis else "")
        self.fraction = fraction
        self.diagnosis = diagnosis

    def because(self, diagnosis: Diagnosis | None) -> Self:
        """The same, explained: its hint gives way to that of the diagnosis, which knows more."""
        if diagnosis is not None:
            self.diagnosis, self.hint = diagnosis, diagnosis.hint
        return self


class Failed(Outcome):
    """Wrong."""


class Partial(Outcome):
    """Right in part: `fraction` of the points, above 0 and below 1."""

    status = Status.PARTIAL


class Missing(Outcome):
    """Nothing was handed in for it."""

    status = Status.MISSING


class Blocked(Outcome):
    """Could not be asked."""

    status = Status.BLOCKED


class NeedsReview(Outcome):
    """A person has to mark it."""

    status = Status.NEEDS_REVIEW


class StudentFault(Outcome):
    """Student code did not give a value; `status` says in which way."""

    def __init__(self, status: Status, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
