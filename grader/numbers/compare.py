"""Is a printed number the expected one: exactly, to its digits, within the tolerance, or not."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

from grader.model import Tolerance
from grader.numbers.parse import ParsedNumber
from grader.numbers.units import DATA, ENTROPY, NUMBER, Unit

_FLOAT_NOISE = Fraction(1, 10**12)
_TRUNCATED_DIGITS = 3  # cutting off to two digits is off by up to 10 %, as much as a wrong unit


class Outcome(IntEnum):
    """How near; the larger the nearer."""

    WRONG = 0
    EARLY_ROUNDED = 1
    """Within the declared tolerance, though not right to the digits printed."""
    ROUNDED = 2
    """Right to the digits printed, rounded or cut off."""
    EXACT = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one number compares with another."""

    outcome: Outcome
    relative_difference: float
    """|obtained - expected| / |expected|; infinity where 0 is expected and something else obtained."""
    note: str = ""
    """A remark for the student where the number is right but not as precise as it could be."""


def compare_number(
    parsed: ParsedNumber, expected: Fraction, tolerance: Tolerance | None = None, *, unit: Unit | None = None
) -> Comparison:
    """Compare with `expected`, in base units; `tolerance.absolute` is in `unit` (base where None)."""
    difference = abs(parsed.value - expected)
    relative = difference / abs(expected) if expected else Fraction(0)
    shown = float(relative) if expected or not difference else float("inf")
    if difference == 0 or (expected and relative <= _FLOAT_NOISE):
        return Comparison(Outcome.EXACT, shown)
    if _right_to_its_digits(parsed, expected, difference):
        return Comparison(Outcome.ROUNDED, shown)
    if tolerance and difference <= _allowed(tolerance, expected, unit):
        note = f"Off by {_percentage(relative)}, as if rounded early: round the last result only."
        return Comparison(Outcome.EARLY_ROUNDED, shown, note)
    return Comparison(Outcome.WRONG, shown)


def to_fraction(value: int | float | Decimal | Fraction | str) -> Fraction:
    """An exact fraction; a float counts as the decimal number it prints as."""
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def show_number(value: Fraction, unit: Unit) -> str:
    """A value in base units as text in `unit`: exact where it is whole, else ten significant digits."""
    amount = value / unit.factor
    text = f"{amount.numerator:,}" if amount.denominator == 1 else f"{float(amount):,.10g}"
    name = f" {unit.name}" if unit.name else ""
    base = {DATA: "bytes", ENTROPY: "nats", NUMBER: ""}.get(unit.dimension)
    if base == "bytes" and unit.factor != 1 and value.denominator == 1:
        return f"{text}{name} ({value.numerator:,} bytes)"
    return text + name


def _right_to_its_digits(parsed: ParsedNumber, expected: Fraction, difference: Fraction) -> bool:
    """Half a unit in the last place when rounded, less than one towards zero when cut off."""
    if parsed.value and difference <= parsed.last_place / 2:
        return True
    cut_off = 0 < abs(parsed.value) < abs(expected) and (parsed.value > 0) == (expected > 0)
    return parsed.digits >= _TRUNCATED_DIGITS and cut_off and difference < parsed.last_place


def _allowed(tolerance: Tolerance, expected: Fraction, unit: Unit | None) -> Fraction:
    relative = to_fraction(tolerance.relative) * abs(expected)
    return max(relative, to_fraction(tolerance.absolute) * (unit.factor if unit else 1))


def _percentage(relative: Fraction) -> str:
    return f"{float(relative) * 100:.2g} %"
