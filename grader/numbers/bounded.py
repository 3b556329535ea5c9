"""A student's number on its way through an author's formula: exact, and never larger than it can be computed at once.

`2 ** n` is harmless for the n that the coursework has and would hold the judge for hours for one that a student may
write. Sums, products, quotients and powers of a `Bounded` are `Bounded` again and raise OverflowError above MOST_BITS,
powers before they are computed. `float(n)` and the functions of `math` are bounded by themselves. `int(n)` is a plain
integer again: a formula that needs one has to mind its size.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Self

MOST_BITS = 8192
"""Of numerator and of denominator: some 2,500 digits, where a student can write 120."""


class Bounded(Fraction):
    """A Fraction of at most MOST_BITS."""

    def __new__(cls, value: int | Fraction) -> Self:
        """Raises OverflowError for a larger one."""
        self = super().__new__(cls, value)
        if max(_bits(self.numerator), _bits(self.denominator)) > MOST_BITS:
            raise OverflowError("a number of an impossible size")
        return self

    def __pow__(self, exponent: Any, modulo: None = None) -> Any:
        """Raises OverflowError where the result would be too large."""
        return _kept(_power(self, exponent))

    def __rpow__(self, base: Any, modulo: None = None) -> Any:
        """Raises OverflowError where the result would be too large."""
        return _kept(_power(base, Fraction(self)))


def _power(base: Any, exponent: Any) -> Any:
    if (
        isinstance(base, (int, Fraction))
        and isinstance(exponent, (int, Fraction))
        and exponent.denominator == 1
    ):
        bits, times = max(_bits(base.numerator), _bits(base.denominator)), int(exponent)
        if bits > 1 and abs(times) * bits > 2 * MOST_BITS:
            raise OverflowError("a power of an impossible size")
        return Fraction(base) ** times
    return float(base) ** float(exponent)


def _bits(value: int) -> int:
    return abs(value).bit_length()


def _kept(result: Any) -> Any:
    """Results that are exact stay bounded, remainders and whole quotients too."""
    if isinstance(result, tuple):
        return tuple(map(_kept, result))
    exact = isinstance(result, (int, Fraction)) and not isinstance(result, bool)
    return Bounded(result) if exact else result


def _bounded(name: str) -> Callable[..., Any]:
    plain = getattr(Fraction, name)

    def operation(self: Bounded, *others: Any) -> Any:
        result = plain(self, *others)
        return result if result is NotImplemented else _kept(result)

    operation.__name__ = name
    return operation


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod"):
    setattr(Bounded, f"__{_name}__", _bounded(f"__{_name}__"))
    setattr(Bounded, f"__r{_name}__", _bounded(f"__r{_name}__"))
for _name in ("__neg__", "__pos__", "__abs__"):
    setattr(Bounded, _name, _bounded(_name))
