"""A number of an assignment and the known wrong ways to it, in their plainest form: what `quantities` is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grader.numbers.book import Number


@dataclass(frozen=True, slots=True)
class KnownSlip:
    """A known wrong way, and where it leads."""

    id: str
    """Stable id, for example "log2"."""
    title: str
    """What was done, as a sentence for the student, without a full stop."""
    hint: str
    """A question that leads to the mistake."""
    value: Number
    """Where it leads, in the unit of the figure."""
    keeps_marks: bool = False
    """True where the way is right after all, and only rounds early."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the assignment; it fits the protocol of a quantity."""

    id: str
    """The part, a dot, a word: "2a.loss"."""
    title: str
    """What it is, a few words."""
    unit: str
    """Of its value, by a name that pint knows, such as "nat"; empty for a pure number."""
    compute: Callable[..., Number]
    """Gives the value; its arguments are the values of `inputs`."""
    slips: tuple[KnownSlip, ...] = ()
    """Wrong ways to it that are known."""
    inputs: tuple[str, ...] = ()
    """Earlier figures, by id, from which it follows; an error in one of them is carried forward."""


def table(*figures: Figure) -> dict[str, Figure]:
    """Figures by id, in the order given."""
    return {figure.id: figure for figure in figures}
