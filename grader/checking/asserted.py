"""The `asserted` fixture: plain asserts on what a student's code gave, with an outcome for whatever happens there."""

from __future__ import annotations

import traceback
from types import TracebackType

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Outcome
from grader.checking.student import Student
from grader.errors import GraderError
from grader.model import Visibility

_HINT = "Run the lines of the test on your machine: they show the same."
_HIDDEN_HINT = "Try your code on inputs that the public tests do not have."


class Asserted:
    """`with asserted:` around the lines of a test that was written with asserts.

    What raises in there fails the check, for a value of a wrong kind breaks the line that uses it. So a mistake of the
    test itself costs points too: `grade verify` shows it, because the model solution loses them. Of a hidden check the
    message names the line, and neither its text nor a value.
    """

    def __init__(self, check: Running, student: Student) -> None:
        self._check = check
        self._student = student
        self._said = ""

    def saying(self, message: str) -> Asserted:
        """The same, with `message` for a student whose code fails; of a hidden check too."""
        asserted = Asserted(self._check, self._student)
        asserted._said = message
        return asserted

    def __enter__(self) -> Student:
        return self._student

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception) or isinstance(error, Outcome | GraderError):
            return
        line = next(iter(traceback.extract_tb(trace, limit=1)), None)
        hint = _HIDDEN_HINT if self._hidden else _HINT
        raise Failed(self._sentence(error, line.line if line else None), hint) from error

    @property
    def _hidden(self) -> bool:
        return self._check.declaration.visibility is Visibility.HIDDEN

    def _sentence(self, error: Exception, line: str | None) -> str:
        if self._said:
            return self._said
        if self._hidden:
            return "A hidden test does not hold for what your code gives."
        said = str(error).strip().partition("\n")[0]
        if isinstance(error, AssertionError):
            return _unheld(said, line or "")
        return f"The test could not use what your code gave: {type(error).__name__}: {said}"


def _unheld(said: str, line: str) -> str:
    """The author's own words where there are any; else the line of the assert, with the values where they tell more."""
    values = said.removeprefix("assert ") if said.startswith("assert ") else ""
    asserted = line.strip().removeprefix("assert ") if line.strip().startswith("assert ") else ""
    if said and not values:
        return f"This does not hold: {said}"
    more = f" ({values})" if " " in values and values != asserted else ""
    return f"This does not hold: {asserted or values or 'a test'}{more if asserted else ''}"
