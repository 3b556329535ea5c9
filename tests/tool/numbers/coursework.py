"""The coursework's own numbers, answered in any way: what the property tests judge."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from grader.assignment import load_assignment
from grader.intake import Answers
from grader.model import Check
from grader.numbers import Verdict, evaluate, judge_number, unit_named
from grader.numbers.question import Question, read_question
from reference.transformer.analysis import QUANTITIES

ASSIGNMENT = load_assignment()
CHECKS: dict[str, Check] = {
    str(check.number["quantity"]): check
    for check in ASSIGNMENT.checks
    if check.number and check.number["quantity"] in QUANTITIES
}
"""By quantity, in the order of the handout."""
QUESTIONS: dict[str, Question] = {id: read_question(check, QUANTITIES) for id, check in CHECKS.items()}

DECIMAL = {"bytes": "byte", "kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte"}
BINARY = {"KiB": "kibibyte", "MiB": "mebibyte", "GiB": "gibibyte", "TiB": "tebibyte", "bits": "bit"}
COUNTS = {"parameters": "", "thousand": "thousand", "million": "million", "billion": "billion"}
SHARES = {"%": "percent", "‰": "permille", "ppm": "ppm"}
"""As a student writes it: as an author declares it."""


def units_of(id: str, *, binary: bool = False) -> dict[str, Fraction]:
    """The units in which this number may be written, with their worth in base units; binary ones where asked for."""
    due = QUESTIONS[id].due
    if due.dimension == "data":
        names = DECIMAL | BINARY if binary else DECIMAL
    elif due.dimension == "entropy":
        names = {"nats": "nat"}
    else:
        names = SHARES if due.factor < 1 else COUNTS
    return {written: unit_named(declared).factor for written, declared in names.items()}


def judge(id: str, answers: Mapping[str, Any]) -> Verdict:
    """The verdict on one quantity; answers by quantity."""
    written = Answers({QUESTIONS[key].key: value for key, value in answers.items()})
    return judge_number(CHECKS[id], written, QUANTITIES, ASSIGNMENT.checks)


def lost(answers: Mapping[str, Any]) -> dict[str, Fraction]:
    """Points lost by quantity, where any are."""
    fractions = {id: judge(id, answers).fraction for id in QUESTIONS}
    return {id: Fraction(CHECKS[id].points) * (1 - f) for id, f in fractions.items() if f < 1}


def follows(id: str, own: Mapping[str, Fraction]) -> Fraction:
    """What comes out for a quantity, in base units, with a student's own values (in base units) of earlier ones."""
    given = {key: value / QUESTIONS[key].native.factor for key, value in own.items()}
    value = evaluate(QUANTITIES, id, given)
    exact = Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
    return exact * QUESTIONS[id].native.factor


def right_answers() -> dict[str, str]:
    """Every number right, in the unit due."""
    return {id: plain(rounded(q.expected / q.due.factor, 20)) for id, q in QUESTIONS.items()}


def after(id: str) -> list[str]:
    """The quantities that follow from this one, in the order of the handout."""
    found = {id}
    for other in QUESTIONS:
        if found & set(QUANTITIES[other].inputs):
            found.add(other)
    return [other for other in QUESTIONS if other in found - {id}]


def rounded(value: Fraction, digits: int, *, cut: bool = False) -> Decimal:
    """`value` to so many significant digits, to the nearest or cut off."""
    context = Context(prec=digits, rounding="ROUND_DOWN" if cut else "ROUND_HALF_EVEN")
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))


def plain(value: Decimal) -> str:
    """In digits, without an exponent."""
    return f"{value:f}"
