"""Can an accuracy be k/n at all? The GRIM test (Brown and Heathers, 2017) on claimed figures."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

# A float32 mean printed in full differs from k/n by up to 6e-8; far less than 1/n for any n in use here.
_FLOAT_SLACK = Fraction(1, 10**7)


def possible_accuracy(value: Decimal, n: int) -> bool:
    """True where some k/n, 0 <= k <= n, rounds or truncates to `value` at the digits it is printed with."""
    return bool(_counts(value, n))


def accuracy_counts(value: Decimal, n: int) -> range:
    """All k for which k/n rounds or truncates to `value`; empty where the accuracy is impossible."""
    return _counts(value, n)


def nearest_accuracies(value: Decimal, n: int) -> tuple[Fraction, ...]:
    """The k/n right below and right above `value` (one of them at the ends of the range)."""
    if not value.is_finite():
        return ()
    exact = Fraction(value) * n
    counts = {min(max(k, 0), n) for k in (floor(exact), ceil(exact))}
    return tuple(Fraction(k, n) for k in sorted(counts))


def explain_impossible(value: Decimal, n: int) -> str:
    """A sentence for an accuracy that no count gives, with the nearest that exist."""
    digits = max(4, -int(value.as_tuple().exponent)) if value.is_finite() else 4
    near = " and ".join(
        f"{float(a):.{min(digits, 6)}f} ({round(a * n)}/{n:,})" for a in nearest_accuracies(value, n)
    )
    why = "no whole number of right answers gives it"
    return f"{value} cannot be the share of {n:,} texts: {why}. Nearest are {near}."


def _counts(value: Decimal, n: int) -> range:
    if n <= 0 or not value.is_finite() or not 0 <= value <= 1:
        return range(0)
    exact = Fraction(value)
    unit = Fraction(10) ** int(value.as_tuple().exponent)
    lowest = ceil(n * (exact - max(unit / 2, _FLOAT_SLACK)))
    above = n * (exact + max(unit, _FLOAT_SLACK))
    highest = ceil(above) - 1  # truncation: k/n lies strictly below the next printed value
    return range(max(lowest, 0), min(highest, n) + 1)
