"""What the judge of numbers needs to know of an assignment's reference; the reference is never imported here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

Number: TypeAlias = Fraction | float
"""A Fraction where the value is rational, a float where it is not. An int is fine too."""


class Slip(Protocol):
    """A known wrong way, and where it leads. `keeps_marks: bool` is optional: the way is right after all."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def hint(self) -> str: ...
    @property
    def value(self) -> Number: ...


class Quantity(Protocol):
    """One number of the assignment; `compute` takes the values of `inputs`, in their units."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def compute(self) -> Callable[..., Any]: ...
    @property
    def slips(self) -> Sequence[Slip]: ...


def evaluate(
    quantities: Mapping[str, Quantity], id: str, given: Mapping[str, Number] | None = None
) -> Number:
    """The right value in the quantity's unit; with `given`, what follows from those values of earlier ones."""
    given = given or {}
    quantity = quantities[id]
    value: Number = quantity.compute(
        *(given[i] if i in given else evaluate(quantities, i, given) for i in quantity.inputs)
    )
    return value
