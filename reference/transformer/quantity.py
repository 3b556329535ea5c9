"""A number that the coursework asks for: what it follows from, and the known wrong ways to it. Imports no
torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grader.numbers import Number, evaluate

__all__ = ["Number", "Quantity", "Slip", "evaluate", "table"]


@dataclass(frozen=True, slots=True)
class Slip:
    """A known way to another value."""

    id: str
    """A word, unique within its quantity."""
    title: str
    """What was done, as a person who marks would put it."""
    hint: str
    """What to think about next; does not give the answer away."""
    compute: Callable[[], Number]
    """Gives the value that this way leads to, in the unit of the quantity."""
    keeps_marks: bool = False
    """True where the way is right and only a step was rounded, or another machine was used: a remark."""

    @property
    def value(self) -> Number:
        """The value that this way leads to, in the unit of the quantity."""
        return self.compute()


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number, derived."""

    id: str
    """The part, a dot, a word: "4c.bytes"."""
    title: str
    """What it is, a few words."""
    unit: str
    """A name that pint knows, or "parameter"; "" for a pure number."""
    formula: str
    """The derivation in one line, with the numbers put in; for people."""
    compute: Callable[..., Number]
    """Takes the values of `inputs`, in their order and units, and returns the value in `unit`."""
    inputs: tuple[str, ...] = ()
    """Ids of the earlier quantities that it follows from: what an error is carried forward through."""
    slips: tuple[Slip, ...] = ()
    """The known wrong ways, those that cost marks and those that do not."""


def table(*quantities: Quantity) -> dict[str, Quantity]:
    """Quantities by id, in the order given."""
    return {quantity.id: quantity for quantity in quantities}
