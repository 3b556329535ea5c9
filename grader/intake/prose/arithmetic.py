"""Formulas of a report against their own results: "75.497 / 115.976 × 100 ≈ 0.065 %" mixes two units.

Only what is written in numbers alone is computed, and only from the printed numbers. What a formula really gives is not
said, since it may be the answer to a question that is still open: only that it is something else, and by which factor
where that tells why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.intake.prose.amounts import readings, same
from grader.intake.prose.claims import Claim, Form, one_line
from grader.intake.prose.figures import Figure, Kind, Token, scan

_MOST_TOKENS = 60
_DEEPEST = 12
_LARGEST_POWER = 64
_MOST_OPERANDS = 12
_BACK = 40
"""So many claims back an exact number is looked for."""
_FACTORS = (
    *(
        (Fraction(1000) ** k, "1,000" if k == 1 else f"1,000^{k}", "the units of the numbers differ")
        for k in (1, 2, 3)
    ),
    *(
        (Fraction(1024) ** k, "1,024" if k == 1 else f"1,024^{k}", "the units of the numbers differ")
        for k in (1, 2, 3)
    ),
    *(
        (Fraction(1024, 1000) ** k, f"(1,024/1,000)^{k}", "GB and GiB, or MB and MiB, are mixed")
        for k in (1, 2, 3)
    ),
    (Fraction(100), "100", "a share and its percentage are mixed"),
    (Fraction(8), "8", "bits and bytes are mixed"),
)


class _NoFormula(ValueError):
    """It holds more than numbers and signs, or cannot be computed."""


@dataclass(frozen=True, slots=True)
class _Value:
    """A computed number: without units, with them, and how much the rounding of its operands leaves open."""

    plain: Fraction
    based: Fraction
    slack: Fraction
    """Relative."""


def find_flags(claims: Sequence[Claim]) -> Iterator[tuple[Claim, str]]:
    """A sentence for each formula whose printed numbers do not give its result, and for each one rounded too early."""
    for claim in claims:
        if claim.conflict:
            yield claim, _conflict(claim)
        for form in claim.forms:
            if form.figure is not None and form.formula and (problem := _check(form)):
                yield claim, f"{form.place}: “{_shown(form)}”: {problem}"
    for claim, form, operand in _rounded_early(claims):
        yield (
            claim,
            (
                f"{form.place}: “{_shown(form)}”: {operand.text.strip()} was rounded before the calculation went on. "
                "Keep all digits to the last step."
            ),
        )


def _conflict(claim: Claim) -> str:
    forms = " and ".join(dict.fromkeys(form.value for form in claim.forms))
    first = claim.forms[0]
    return f"{first.place}: {forms} are set equal and are not: “{first.sentence}”"


def _shown(form: Form) -> str:
    figure = form.figure
    return one_line(f"{form.formula} = {figure.text.strip() if figure else form.value}", 120)


def _check(form: Form) -> str:
    """What is wrong with a formula and its result; empty where nothing is, or where it cannot be told."""
    figure = form.figure
    try:
        value = _compute(form.formula)
    except (_NoFormula, ArithmeticError, ValueError, RecursionError):
        return ""
    if figure is None or value is None or not value.plain:
        return ""
    printed = [(reading.value, reading.last_place) for reading in readings(figure)]
    printed.append((figure.plain, _last_place(figure)))
    computed = {value.plain, value.based, value.plain / 100, value.plain * 100, value.based * 100}
    if figure.unit not in ("%", "‰"):
        computed -= {value.plain / 100, value.plain * 100, value.based * 100}
        computed |= {value.plain, value.based}
    elif "100" in form.formula:
        computed = {value.plain, value.plain / 100}
        printed = [(figure.plain, _last_place(figure))]
    for target, place in printed:
        for result in computed:
            if abs(target - result) <= place + value.slack * abs(result):
                return ""
    compared = [(value.based, reading.value) for reading in readings(figure) if figure.unit]
    for result, target in (*compared, (value.plain, figure.plain)):
        for factor, name, why in _FACTORS:
            for ratio in (factor, 1 / factor):
                if target and abs(result / target / ratio - 1) < Fraction(1, 100):
                    return (
                        f"the printed numbers give {name} times {'as much' if ratio > 1 else 'less'}: {why}."
                    )
    return "the printed numbers do not give the printed result."


def _last_place(figure: Figure) -> Fraction:
    digits = figure.digits.replace(",", "")
    decimals = len(digits.partition(".")[2])
    return Fraction(10) ** (figure.exponent - decimals)


# ---------------------------------------------------------------- computing


def _compute(formula: str) -> _Value | None:
    """The value of a formula of numbers and signs; None where it is a single number."""
    tokens = scan(formula)
    if not tokens or len(tokens) > _MOST_TOKENS:
        raise _NoFormula
    if not any(t.kind in (Kind.OPERATOR, Kind.POWER) for t in tokens):
        return None
    value, rest = _sum(tokens, 0)
    if rest:
        raise _NoFormula
    return value


def _sum(tokens: list[Token], depth: int) -> tuple[_Value, list[Token]]:
    if depth > _DEEPEST:
        raise _NoFormula
    left, tokens = _product(tokens, depth)
    while tokens and tokens[0].kind is Kind.OPERATOR and tokens[0].text in "+-":
        sign = 1 if tokens[0].text == "+" else -1
        right, tokens = _product(tokens[1:], depth)
        plain, based = left.plain + sign * right.plain, left.based + sign * right.based
        left = _Value(plain, based, max(left.slack, right.slack))
    return left, tokens


def _product(tokens: list[Token], depth: int) -> tuple[_Value, list[Token]]:
    left, tokens = _power(tokens, depth)
    while tokens and (
        tokens[0].kind is Kind.OPEN or (tokens[0].kind is Kind.OPERATOR and tokens[0].text in "×*/xX")
    ):
        divide = tokens[0].text == "/"
        right, tokens = _power(tokens if tokens[0].kind is Kind.OPEN else tokens[1:], depth)
        if divide and not (right.plain and right.based):
            raise _NoFormula
        plain = left.plain / right.plain if divide else left.plain * right.plain
        based = left.based / right.based if divide else left.based * right.based
        left = _Value(plain, based, left.slack + right.slack)
    return left, tokens


def _power(tokens: list[Token], depth: int) -> tuple[_Value, list[Token]]:
    base, tokens = _term(tokens, depth)
    while tokens and tokens[0].kind is Kind.POWER:
        exponent = [t for t in scan(tokens[0].text.lstrip("^*")) if isinstance(t, Figure)]
        if len(exponent) != 1 or exponent[0].plain.denominator != 1 or exponent[0].plain > _LARGEST_POWER:
            raise _NoFormula
        n = int(exponent[0].plain)
        if base.plain.numerator.bit_length() * n > 4_000:
            raise _NoFormula
        base, tokens = _Value(base.plain**n, base.based**n, base.slack * n), tokens[1:]
    return base, tokens


def _term(tokens: list[Token], depth: int) -> tuple[_Value, list[Token]]:
    if not tokens:
        raise _NoFormula
    first = tokens[0]
    if isinstance(first, Figure):
        return _of_figure(first), tokens[1:]
    if first.kind is Kind.OPERATOR and first.text == "-":
        value, rest = _power(tokens[1:], depth + 1)
        return _Value(-value.plain, -value.based, value.slack), rest
    if first.kind is Kind.OPEN:
        value, rest = _sum(tokens[1:], depth + 1)
        if not rest or rest[0].kind is not Kind.CLOSE:
            raise _NoFormula
        return value, rest[1:]
    if first.kind is Kind.WORD and first.text in ("ln", "exp", "sqrt") and len(tokens) > 1:
        value, rest = _power(tokens[1:], depth + 1)
        function = {"ln": math.log, "exp": math.exp, "sqrt": math.sqrt}[first.text]
        result = Fraction(function(float(value.plain)))
        return _Value(result, result, value.slack + Fraction(1, 1000)), rest
    raise _NoFormula


def _of_figure(figure: Figure) -> _Value:
    """With its unit in bytes where it has one; a number with decimals or a multiple may have been rounded."""
    based = next((r.value for r in readings(figure) if figure.unit), figure.plain)
    if figure.unit == "%":
        based = figure.plain / 100
    rounded = "." in figure.digits or figure.unit not in ("", "byte", "B", "bit")
    slack = _last_place(figure) / 2 / abs(figure.plain) if rounded and figure.plain else Fraction(0)
    return _Value(figure.plain, based, slack)


# ---------------------------------------------------------------- rounded early


def _rounded_early(claims: Sequence[Claim]) -> Iterator[tuple[Claim, Form, Figure]]:
    """Operands that are an earlier, more exact number of the same question, rounded, where the result shows it."""
    for place, claim in enumerate(claims):
        for form in claim.forms:
            for operand in form.expression[:_MOST_OPERANDS]:
                if "." not in operand.digits:
                    continue
                exact = _more_exact(operand, claim, claims[max(0, place - _BACK) : place])
                if exact is not None and _shows(form, operand, exact):
                    yield claim, form, operand
                    break


def _more_exact(operand: Figure, claim: Claim, claims: Sequence[Claim]) -> Figure | None:
    for other in claims:
        if other.path[:1] != claim.path[:1]:
            continue
        for form in other.forms:
            figure = form.figure
            if figure is None or len(figure.digits) <= len(operand.digits) + 1:
                continue
            for a in readings(figure):
                for b in readings(operand):
                    named = operand.unit or figure.unit
                    if named and same(a, b) and a.value != b.value and a.last_place < b.last_place:
                        return figure
            if not operand.unit and _rounded_multiple(figure, operand):
                return figure
    return None


def _rounded_multiple(figure: Figure, operand: Figure) -> bool:
    """Whether a bare operand is the figure in thousands, millions or billions, rounded: 0.537 of 536,870,912."""
    place = _last_place(operand)
    return any(
        abs(figure.plain / Fraction(1000) ** k - operand.plain) <= place / 2 and operand.plain
        for k in (1, 2, 3)
    )


def _shows(form: Form, operand: Figure, exact: Figure) -> bool:
    """Whether the result is that of the rounded number, and would be printed otherwise with the exact one."""
    figure = form.figure
    if figure is None:
        return False
    try:
        value = _compute(form.formula)
    except (_NoFormula, ArithmeticError, ValueError, RecursionError):
        return False
    if value is None or not value.plain or not figure.plain:
        return False
    thousands = [Fraction(1000) ** k for k in range(-3, 4)]
    unit = min(thousands, key=lambda step: abs(step * value.plain / figure.plain - 1))
    multiple = min(thousands, key=lambda step: abs(step * exact.plain / operand.plain - 1))
    rounded = unit * value.plain
    corrected = rounded * multiple * exact.plain / operand.plain
    half = _last_place(figure) / 2
    return abs(figure.plain - rounded) <= half < abs(figure.plain - corrected)
