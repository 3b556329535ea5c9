"""A JSON value that knows its place in the document, so that a malformed one is reported by its path."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from grader.errors import GraderError, did_you_mean
from grader.text import one_line

NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
"""How strict JSON carries what is not a number."""

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the document and the path to it.

    `node["a"]["b"].text()` reads a string, or raises a GraderError that names `a.b`.
    """

    value: Any
    path: str

    def __getitem__(self, key: str) -> Node:
        mapping = self._of(Mapping, "an object")
        if key not in mapping:
            raise self._malformed(f"has no {key!r}")
        return Node(mapping[key], f"{self.path}.{key}".lstrip("."))

    def entries(self) -> list[tuple[str, Node]]:
        mapping = self._of(Mapping, "an object")
        return [(str(key), Node(value, f"{self.path}.{key}")) for key, value in mapping.items()]

    def each(self, read: Callable[[Node], T]) -> tuple[T, ...]:
        values = self._of(list, "a list")
        return tuple(read(Node(value, f"{self.path}[{i}]")) for i, value in enumerate(values))

    def maybe(self, read: Callable[[Node], T]) -> T | None:
        return None if self.value is None else read(self)

    def text(self) -> str:
        return str(self._of(str, "a string"))

    def flag(self) -> bool:
        return bool(self._of(bool, "true or false"))

    def integer(self) -> int:
        if isinstance(self.value, bool):
            raise self._malformed("is not a whole number")
        return int(self._of(int, "a whole number"))

    def real(self) -> float:
        if isinstance(self.value, str) and self.value in NON_FINITE:
            return NON_FINITE[self.value]
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float, Decimal)):
            raise self._malformed("is not a number")
        try:
            return float(self.value)
        except OverflowError:
            raise self._malformed("is a number beyond all bounds") from None

    def points(self) -> Decimal:
        if isinstance(self.value, str) or not math.isfinite(self.real()):
            raise self._malformed("is not a number of points")
        return Decimal(str(self.value))

    def numbers(self) -> Any:
        if isinstance(self.value, list):
            return [Node(value, f"{self.path}[{i}]").numbers() for i, value in enumerate(self.value)]
        return self.maybe(Node.real)

    def member(self, kind: type[E]) -> E:
        name = self.text()
        if name not in list(kind):
            near = did_you_mean(name, list(kind))
            guess = f" (did you mean {near!r}?)" if near else ""
            raise self._malformed(f"is {name!r}, no known {kind.__name__.lower()}{guess}")
        return kind(name)

    def _of(self, kind: type[Any], words: str) -> Any:
        if not isinstance(self.value, kind):
            raise self._malformed(f"is not {words}")
        return self.value

    def _malformed(self, what: str) -> GraderError:
        return GraderError(
            one_line(f"This is not a grade report: {self.path or 'the document'} {what}."),
            "Use a report.json as the grader wrote it, or grade the submission again.",
        )
