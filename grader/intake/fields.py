"""Typed fields of one JSON object, and a precise problem for each that does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from grader.errors import did_you_mean
from grader.intake.found import Problem, describe, shorten

_MOST_UNKNOWN = 50
"""Keys that nobody asked for and that are looked at: each is compared with all that are asked for."""
FORM = "docs/handing-in.md shows the form; `grade init DIR` writes an empty one."


class FieldReader:
    """Reads typed fields of one JSON object and collects a precise problem for each that does not fit."""

    def __init__(self, path: str, document: Mapping[str, Any], prefix: str = "") -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self._document = document
        self._prefix = prefix

    def text(self, key: str) -> str | None:
        """A text that is not empty."""
        value = self._required(key, "a text")
        if value is None or (isinstance(value, str) and value.strip()):
            return value
        self.refuse(key, value, "a text")
        return None

    def integer(self, key: str) -> int | None:
        """A whole number above 0; 8.0 is taken for 8."""
        value = self._required(key, "a whole number")
        number = self._decimal(key, value)
        if value is None or (number is not None and number > 0 and number == number.to_integral_value()):
            return None if number is None else int(number)
        self.refuse(key, value, "a whole number above 0")
        return None

    def number(self, key: str, *, above: Decimal, below: Decimal, required: bool = True) -> Decimal | None:
        """A number between two bounds, which are not allowed themselves."""
        due = f"a number above {above}"
        value = self._required(key, due) if required else self._document.get(key)
        number = self._decimal(key, value)
        if value is None or (number is not None and above < number < below):
            return number
        self.refuse(key, value, due)
        return None

    def accuracy(self, key: str) -> Decimal | None:
        """A share between 0 and 1; 92.1 and "92.1 %" are understood as percent, with a note."""
        due = "a number between 0 and 1"
        value = self._required(key, due)
        percent = isinstance(value, str) and value.strip().endswith("%")
        number = self._decimal(key, value.strip().removesuffix("%").strip() if percent else value)
        if value is None or number is None or not 0 <= number <= (100 if percent or number > 1 else 1):
            if value is not None:
                self.refuse(key, value, due)
            return None
        if percent or number > 1:
            self.notes.append(f"{self.path}: {self._prefix}{key} {shorten(value, 20)} was read as percent.")
            return number.scaleb(-2)
        return number

    def unknown(self, known: tuple[str, ...]) -> None:
        """Note the keys that nobody asked for, with the nearest that is asked for and absent."""
        absent = [key for key in known if key not in self._document]
        others = (key for key in self._document if key not in known)
        for key in islice(others, _MOST_UNKNOWN):
            near = did_you_mean(key, absent)
            if near:
                self.notes.append(
                    f"{self.path} has the key {self._prefix}{shorten(key)!s}; is {near!r} meant?"
                )

    def refuse(self, key: str, value: Any, due: str) -> None:
        """Record that `value` does not fit."""
        message = f"{self.path}: {self._prefix}{key} is {describe(value)}, {due} is due."
        self.problems.append(Problem(message, "Correct it in the file.", self.path))

    def _required(self, key: str, due: str) -> Any:
        value = self._document.get(key)
        if value is None:
            state = "is null" if key in self._document else "is not there"
            message = f"{self.path}: {self._prefix}{key} {state}, {due} is due."
            self.problems.append(Problem(message, FORM, self.path))
        return value

    def _decimal(self, key: str, value: Any) -> Decimal | None:
        """A JSON number, or a text that is one; None for anything else."""
        if isinstance(value, bool):
            return None
        if isinstance(value, (int, Decimal)):
            return Decimal(value)
        if not isinstance(value, str) or len(value) > 40:
            return None
        try:
            number = Decimal(value.strip().replace("_", ""))
        except ArithmeticError:
            return None
        if not number.is_finite():
            return None
        self.notes.append(f"{self.path}: {self._prefix}{key} is written as a text; it was read as {number}.")
        return number
