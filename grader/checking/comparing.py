"""The `compare` fixture: holds what a student's code gave against what is due, and names the mistake where it can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch

from grader.bank import Misconception
from grader.checking.compare import Difference, difference, problem_with, show
from grader.checking.evidence import Running
from grader.checking.expected import Expected
from grader.checking.outcomes import Failed
from grader.diagnosis import Match, explain, finding
from grader.errors import AssignmentError
from grader.model import Tolerance, Visibility

Due: TypeAlias = "Any | Callable[[Expected], Any]"


class Compare:
    """Called once for each value; what it finds is the evidence of the check, and the largest difference counts."""

    def __init__(
        self, check: Running, expected: Callable[[], Expected], bank: Callable[[], Sequence[Misconception]]
    ) -> None:
        self._check = check
        self._expected = expected
        self._bank = bank

    def __call__(self, obtained: Any, due: Due, *, hint: str = "") -> None:
        """Return where `obtained` is `due` within the check's tolerance; raise Failed where it is not.

        due: a floating-point tensor, a float or a list of floats, compared within the tolerance; or whole numbers,
        texts and booleans, which have to be equal. Or a function of the model solution that returns it, such as
        `lambda solution: solution.softmax(x)`: then the misconceptions that name this check are tried too, and the
        one that gives what the student got is the diagnosis. hint: the next step where none is named.
        """
        check = self._check
        right = _plain(due(self._expected()) if callable(due) else due)
        found = self._hold(obtained, right)
        if isinstance(found, Difference):
            check.largest_difference = max(check.largest_difference or 0.0, found.largest)
        if found is None or (isinstance(found, Difference) and found.agrees):
            return
        check.expected, check.obtained = show(right), show(obtained)
        if isinstance(found, Difference):
            check.where = found.place if self._public else None
        raise Failed(self._sentence(found), hint).because(self._diagnosis(obtained, due, right))

    @property
    def _public(self) -> bool:
        return self._check.declaration.visibility is Visibility.PUBLIC

    def _sentence(self, found: Difference | str) -> str:
        """What is wrong, without the reference's value where the check is hidden."""
        if isinstance(found, str):
            return found
        if not self._public:
            return "The numbers are not those that are due."
        return f"It is off by {found.largest:.3g} at {found.place}."

    def _hold(self, obtained: Any, due: Any) -> Difference | str | None:
        """A Difference of numbers, a sentence where it can be told without them, None where both are equal."""
        if isinstance(due, torch.Tensor) and due.is_floating_point():
            return problem_with(obtained, tuple(due.shape)) or difference(obtained, due, self._tolerance())
        if _is_float(due):
            number = _number(obtained)
            if number is None:
                return f"{_told(obtained)}; a number is due."
            return self._of_lists([number], [due])
        if isinstance(due, list) and due and all(map(_is_float, due)):
            numbers = obtained.tolist() if isinstance(obtained, torch.Tensor) else obtained
            read = [_number(item) for item in numbers] if isinstance(numbers, list) else [None]
            if any(item is None for item in read):
                return f"{_told(obtained)}; a list of {len(due)} numbers is due."
            if len(read) != len(due):
                return f"It returned {len(read)} numbers; {len(due)} are due."
            return self._of_lists([float(item) for item in read if item is not None], due)
        if _equal(obtained, due):
            return None
        if not self._public:
            return "It is not what is due."
        return f"It returned {show(obtained)} where {show(due)} is due."

    def _of_lists(self, obtained: list[float], due: list[float]) -> Difference | str:
        got, right = (torch.tensor(numbers, dtype=torch.float64) for numbers in (obtained, due))
        return problem_with(got) or difference(got, right, self._tolerance())

    def _tolerance(self) -> Tolerance:
        tolerance = self._check.declaration.tolerance
        if tolerance is None:
            raise AssignmentError(
                f"check {self._check.declaration.id!r} compares numbers and declares no tolerance.",
                'Write tolerance = { absolute = 1e-5, why = "…" } in assignment.toml.',
            )
        return tolerance

    def _diagnosis(self, obtained: Any, due: Due, right: Any) -> Any:
        """The one misconception whose version of the solution gives what the student got, or None."""
        if not callable(due):
            return None
        id = self._check.declaration.id

        def agrees(who: tuple[Misconception, ...]) -> Match[Misconception] | None:
            try:
                wrong = _plain(due(self._expected().mistaken(who[0])))
            except Exception:  # the mistaken version raises where the student's code returned
                return None
            found = self._hold(obtained, wrong)
            if isinstance(found, str) or (found is not None and not found.agrees):
                return None
            told = self._hold(right, wrong)
            telling = isinstance(told, str) or (told is not None and not told.agrees)
            return Match(who, found.largest if found else 0.0, 1, int(telling))

        named = [m for m in self._bank() if m.diagnosed and m.edits and id in (*m.checks, *m.may_cost)]
        matches = explain(named, tuple, agrees)
        found = finding(matches)
        if matches and found.remark:
            self._check.note(found.remark)
        return found.diagnosis


def _plain(value: Any) -> Any:
    """As it travels from a worker: tuples are lists, tensors carry no gradient."""
    if isinstance(value, torch.Tensor):
        return value.detach()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def _is_float(value: Any) -> bool:
    return isinstance(value, float)


def _number(value: Any) -> float | None:
    """A number, or the one number of a tensor without dimensions."""
    if isinstance(value, torch.Tensor) and value.dim() == 0 and value.dtype is not torch.bool:
        return float(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _told(value: Any) -> str:
    return f"It returned {show(value)}" if value is not None else "It returned None (is a `return` missing?)"


def _equal(obtained: Any, due: Any) -> bool:
    """Equal in kind and value, in containers too; a tensor of whole numbers or booleans equals one of its shape."""
    if isinstance(due, torch.Tensor):
        return isinstance(obtained, torch.Tensor) and torch.equal(obtained, due)
    if isinstance(obtained, torch.Tensor):
        return _equal(obtained.tolist(), due) if not obtained.is_floating_point() else False
    if isinstance(due, list) and isinstance(obtained, list):
        return len(due) == len(obtained) and all(map(_equal, obtained, due))
    if isinstance(due, dict) and isinstance(obtained, dict):
        return due.keys() == obtained.keys() and all(_equal(obtained[key], due[key]) for key in due)
    if isinstance(due, bool) or isinstance(obtained, bool):
        return due is obtained
    return bool(due == obtained) and not isinstance(due, list | dict)
