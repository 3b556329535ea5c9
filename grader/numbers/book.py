"""What the judge of numbers needs to know of an assignment's reference; the reference is never imported here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Protocol, TypeAlias

Number: TypeAlias = int | float | Decimal | Fraction


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
    """One number of the assignment."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def slips(self) -> Sequence[Slip]: ...


class QuantityBook(Protocol):
    """All numbers of the assignment; a module with these two names will do."""

    @property
    def QUANTITIES(self) -> Mapping[str, Quantity]: ...  # noqa: N802 (the module's constant)

    def value(self, id: str, given: Mapping[str, Fraction] | None = None) -> Number:
        """The right value in the quantity's unit; with `given`, what follows from those earlier values."""
        ...
