"""One written number as the answer to one question: of the right kind, in the right unit, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from grader.intake.prose.amounts import parsed
from grader.intake.prose.claims import Claim, Form
from grader.intake.prose.figures import Kind, free_unit, scan
from grader.intake.prose.questions import AnswerWords
from grader.intake.prose.words import contains
from grader.numbers import ParsedNumber
from grader.numbers.units import DATA, NUMBER

_DATA_WORDS = ("memory", "storage")
_MANY = 100_000
"""From here on a whole number of "memory" without a unit is one of bytes, and "B" behind a number no billion."""


@dataclass(frozen=True, slots=True)
class Read:
    """One form of a claim, as the answer to a question."""

    form: Form
    value: str
    """As grader.numbers reads it, with the unit that was written or follows from the words or the formula."""
    number: ParsedNumber | None
    """None for a shape."""
    explicit: bool
    """Its unit stands there, or none is needed."""
    sure: bool


def read_form(form: Form, claim: Claim, answer: AnswerWords) -> Read | None:
    """None where the form cannot be the answer: another kind, another unit."""
    figure = form.figure
    if answer.kind == "shape" or figure is None:
        whole = answer.kind == "shape" and figure is None
        return Read(form, form.value, None, True, form.sure) if whole else None
    due = answer.unit
    if due.dimension == NUMBER and figure.unit == "B" and figure.plain >= _MANY:
        return None  # bytes: nobody writes 268,435,456 billion
    if due.dimension == NUMBER and due.factor == 1 and figure.unit in ("%", "‰") and not answer.share:
        return None
    if due.dimension == NUMBER and due.factor != 1 and figure.unit not in ("", "%", "‰", "ppm"):
        return None
    if due.dimension == NUMBER and due.factor == 1 and answer.share and not figure.unit and figure.plain > 1:
        return None  # a probability
    if answer.whole and not form.result and not figure.unit and figure.plain < 100:
        return None  # "3." in front of an item, "2 layers"
    value, sure = form.value, form.sure
    if not figure.unit:
        value, certain = _with_unit(form, claim, answer)
        if not value:
            return None
        sure = sure and certain
    elif due.dimension == DATA and figure.unit in _MULTIPLES:  # "75.5 million" of memory
        named = _data_units(_units_said(form, claim))
        if not named and not contains(claim.near, _DATA_WORDS):
            return None
        value, sure = f"{value} bytes", sure and named == {"byte"}
    number = parsed_value(value, answer) if value != form.value else parsed(figure, due)
    if number is None:
        return None
    explicit = bool(figure.unit) or due.dimension == NUMBER or value != form.value
    return Read(form, value, number, explicit, sure and not (answer.whole and number.value.denominator != 1))


_OF_DATA = ("B", "byte", "bit", "b")


def _with_unit(form: Form, claim: Claim, answer: AnswerWords) -> tuple[str, bool]:
    """A number without a unit, with the one that the words or the formula before it name; whether that is sure.

    "" where it cannot be the answer.
    """
    due, value, figure = answer.unit, form.value, form.figure
    assert figure is not None
    said = _units_said(form, claim)
    if due.dimension == DATA:
        named = _data_units(said) or {_inherited(form)} - {""}
        if len(named) == 1:
            return f"{value} {named.pop()}", True
        whole = figure.plain >= _MANY and figure.plain.denominator == 1
        memory = bool(named) or contains(claim.near, _DATA_WORDS)
        return (
            (f"{value} bytes" if whole and not named else value, whole and not named)
            if memory
            else ("", False)
        )
    if due.dimension == NUMBER and due.factor != 1:  # a share in percent is due
        if "%" in said:
            return f"{value} %", True
        ratio = _ratio(form)
        return (f"{value} {ratio}".strip(), True) if ratio is not None else ("", False)
    if any(unit.endswith(_OF_DATA) for unit in said):
        return "", False
    multiples = {unit for unit in said if unit in _MULTIPLES or (unit == "%" and answer.share)}
    small = figure.plain < _MANY
    return (f"{value} {multiples.pop()}", True) if len(multiples) == 1 and small else (value, True)


_MULTIPLES = ("thousand", "million", "billion", "trillion")


def _data_units(said: frozenset[str]) -> set[str]:
    return {unit for unit in said if unit.endswith(_OF_DATA)}


def _units_said(form: Form, claim: Claim) -> frozenset[str]:
    """Units that stand without a number of their own in what leads to it: "bytes = ", "GB for 48 heads = "."""
    return _free_units(" ; ".join((*claim.labels, claim.label, form.before)))


@lru_cache(maxsize=1024)
def _free_units(text: str) -> frozenset[str]:
    return frozenset(
        unit for token in scan(text) if token.kind is Kind.WORD and (unit := free_unit(token.text))
    )


def parsed_value(value: str, answer: AnswerWords) -> ParsedNumber | None:
    """The same for a text."""
    from grader.numbers import parse_number

    number = parse_number(value, answer.unit)
    return number if isinstance(number, ParsedNumber) else None


def _inherited(form: Form) -> str:
    """The unit of the one operand that has one: "268,435,456 × 2 bytes = 536,870,912"."""
    units = {operand.unit for operand in form.expression if operand.unit}
    return units.pop() if len(units) == 1 else ""


def _ratio(form: Form) -> str | None:
    """Whether a bare number is a share or in percent, where its formula tells: "%", "ratio"; None where it does not."""
    operands = [operand.plain for operand in form.expression]
    figure = form.figure
    if figure is None or len(operands) < 2 or not operands[-1]:
        return None
    if "/" not in form.formula:
        return None
    times_100 = Fraction(100) in operands
    return "%" if times_100 else "ratio"
