"""One written number as the answer to one question: of the right kind, in the right unit, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from grader.intake.prose.amounts import parsed
from grader.intake.prose.claims import Claim, Form
from grader.intake.prose.questions import AnswerWords
from grader.intake.prose.words import contains
from grader.numbers import ParsedNumber
from grader.numbers.units import DATA, NUMBER

_DATA_WORDS = ("byte", "memory", "storage", "=GB", "=MB", "=GiB", "=MiB")


@dataclass(frozen=True, slots=True)
class Read:
    """One form of a claim, as the answer to a question."""

    form: Form
    value: str
    """As grader.numbers reads it, with the unit that was written or follows from the formula."""
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
    due, value = answer.unit, form.value
    if due.dimension == NUMBER and due.factor == 1:
        if figure.unit in ("%", "‰") and not answer.share:
            return None
    elif due.dimension == NUMBER and figure.unit not in ("", "%", "‰", "ppm"):
        return None
    elif due.dimension == NUMBER and not figure.unit:  # a share in percent is due, and no sign stands there
        ratio = _ratio(form)
        if ratio is None:
            return None
        value = f"{value} {ratio}".strip()
    elif due.dimension == DATA and not figure.unit.endswith(("B", "byte", "bit", "b")):
        unit = "" if figure.unit else _inherited(form)
        if not unit and not contains(claim.near, _DATA_WORDS):
            return None
        value = f"{value} {unit or 'bytes'}"
    number = parsed_value(value, answer) if value != form.value else parsed(figure, due)
    if number is None:
        return None
    explicit = bool(figure.unit) or due.dimension == NUMBER or value != form.value
    return Read(form, value, number, explicit, form.sure)


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
    times_100 = Fraction(100) in operands
    return "%" if times_100 else "ratio"
