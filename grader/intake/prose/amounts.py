"""Whether two written numbers are the same amount, to the digits of the one that has fewer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from grader.intake.prose.figures import Figure
from grader.numbers import ParsedNumber, ParseProblem, parse_number, parse_shape
from grader.numbers.units import DATA, ENTROPY, NUMBER, Unit, unit_named

_KINDS = {NUMBER: "", DATA: "byte", ENTROPY: "nat"}
TIMES = {"s": 1, "min": 60, "h": 3600}
"""Units of time, in seconds; no answer is due in one, so that such a figure is never one."""
_CUT_DIGITS = 3


def parsed(figure: Figure, due: Unit) -> ParsedNumber | None:
    """The figure read where `due` is asked for; None where it is something else."""
    return None if figure.unit in TIMES else _parsed(figure.value, due)


@lru_cache(maxsize=4096)
def _parsed(value: str, due: Unit) -> ParsedNumber | None:
    number = parse_number(value, due)
    return None if isinstance(number, ParseProblem) else number


def readings(figure: Figure) -> Iterable[ParsedNumber]:
    """What the figure can be: a number, an amount of data, of information or of time."""
    for name in _KINDS.values():
        number = parsed(figure, unit_named(name))
        if number is not None and (figure.unit or not name):
            yield number


def agree(one: Figure, other: Figure) -> bool:
    """Whether both are the same amount; a bare number agrees with one of any unit that has its value in base units."""
    for a in readings(one):
        for b in readings(other):
            if a.unit.dimension != b.unit.dimension and one.unit and other.unit:
                continue
            if same(a, b):
                return True
    return False


def same(a: ParsedNumber, b: ParsedNumber) -> bool:
    """Equal to the digits of the coarser: rounded, or cut off where it has three digits or more."""
    fine, coarse = (a, b) if a.last_place <= b.last_place else (b, a)
    difference = abs(fine.value - coarse.value)
    if difference <= coarse.last_place / 2:
        return True
    return (
        coarse.digits >= _CUT_DIGITS
        and difference < coarse.last_place
        and abs(coarse.value) < abs(fine.value)
    )


def agree_as_answers(own: Any, written: str) -> bool | None:
    """Whether an answer as typed is what a report says; None where they cannot be compared, as with prose."""
    if isinstance(own, (list, tuple)) or written.startswith("["):
        shape, read = parse_shape(own), parse_shape(written)
        return shape == read if isinstance(shape, tuple) and isinstance(read, tuple) else None
    compared = False
    for name in _KINDS.values():
        due = unit_named(name)
        one, other = parse_number(own, due), parse_number(written, due)
        if isinstance(one, ParsedNumber) and isinstance(other, ParsedNumber):
            compared = True
            ways = [way for way in (one, one.other_reading) if way is not None]
            if any(same(way, other) or same(_bare(way), _bare(other)) for way in ways):
                return True
    return False if compared else None


def _bare(number: ParsedNumber) -> ParsedNumber:
    """Without its unit: an answer may leave out the one that is asked for."""
    factor = number.unit.factor
    return replace(number, value=number.value / factor, last_place=number.last_place / factor)


def near(a: Fraction, b: Fraction, relative: Fraction) -> bool:
    """Within a share of the larger."""
    return abs(a - b) <= relative * max(abs(a), abs(b))
