"""What a student wrote where a number is due -> an exact value with its printed digits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import Any

from grader.intake.found import describe, shorten
from grader.numbers.units import Unit, UnitError, read_unit, unit_named, without_what_it_counts

_LONGEST = 200
_MOST_DIGITS = 60
_LARGEST_EXPONENT = 60
_LEAST_DIGITS = 2  # 20 is taken for 20, not for anything between 15 and 25
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u200a\u202f\t\n"), " ")
_SIGNS = {ord("−"): "-", ord("–"): "-", ord("’"): "'", ord("٬"): ",", ord("·"): "×", ord("⋅"): "×"}
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_ABOUT = re.compile(
    r"^(?:≈|~|≃|≅|=|approximately|approx\.?|about|around|roughly|circa|ca\.?)\s*", re.IGNORECASE
)
_LABEL = re.compile(r"^[^0-9=≈]{1,40}[=≈]\s*(?=\S)")
"""The name of the number in front of it: "P(mat) = ", "loss ≈ "."""
_TENSOR = re.compile(r"tensor\(\s*([^\s(),]+)\s*(?:,[^()]*)?\)")
"""As torch prints a number."""
_REMARK = re.compile(r"\s*\([^()]*\)\s*\.?$")
_NUMBER = re.compile(
    r"""(?P<body>[+-]?\s*(?:[0-9][0-9.,'_ ]*|[.,][0-9]+))
        (?:[eE](?P<exponent>[+-]?[0-9]+)|\s*[×x*]\s*10\s*(?:\^|\*\*)\s*[({]?(?P<power>[+-]?[0-9]+)[)}]?)?
        \s*(?P<unit>.*)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ParsedNumber:
    """One number as a student wrote it."""

    value: Fraction
    """Exact, in the base unit of its dimension (1, byte, nat)."""
    last_place: Fraction
    """Worth of one unit in the last digit that counts, in the base unit. Zeros at the end do not count, wherever the
    point is, so that 12.340 GB, 12,340 MB and 12.34 GB are judged alike; two digits always count."""
    digits: int
    """Significant digits, by the same rule; none in 0."""
    unit: Unit
    """The unit written, or the one due where none was written."""
    bare: bool
    """True where no unit was written."""
    text: str
    """As written, on one line."""
    notes: tuple[str, ...] = ()
    """How it was read, where that is not plain."""
    other_reading: ParsedNumber | None = None
    """ "12,345" read with a decimal comma, where the comma can be either."""


@dataclass(frozen=True, slots=True)
class ParseProblem:
    """Why there is no number as due."""

    message: str
    """A sentence; "It" is the answer."""
    next_step: str


class _NoNumber(ValueError):
    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.problem = ParseProblem(message, next_step)


def parse_number(raw: Any, default_unit: str | Unit = "") -> ParsedNumber | ParseProblem:
    """Read a TOML or JSON number, or a text such as "12.3 GB", "1,234,567" or "≈ 1.234 billion".

    `default_unit` is the unit due: it is taken where none is written, and settles the dimension. Text that is no
    number, an unknown unit and one of another dimension are a ParseProblem; whatever `raw` is, nothing is raised.
    """
    due = unit_named(default_unit) if isinstance(default_unit, str) else default_unit
    if type(raw) in (int, float) or (type(raw) is str and len(raw) <= _LONGEST):
        return _of_usual(raw, due)
    return _read(raw, due)


@lru_cache(maxsize=1_024, typed=True)
def _of_usual(raw: int | float | str, due: Unit) -> ParsedNumber | ParseProblem:
    """Kept: most students of a class write the same."""
    return _read(raw, due)


def _read(raw: Any, due: Unit) -> ParsedNumber | ParseProblem:
    try:
        return _parse(raw, due)
    except _NoNumber as error:
        return error.problem


def parse_shape(raw: Any) -> tuple[int, ...] | ParseProblem:
    """A list of whole numbers, or a text such as "5 x 6 x 7 x 8" or "torch.Size([5, 6, 7, 8])"."""
    parts: Sequence[Any] = raw if isinstance(raw, (list, tuple)) else [None]
    if isinstance(raw, str) and len(raw) <= _LONGEST:
        inside = raw.strip().removeprefix("torch.Size").strip("()[]{} ")
        words = re.split(r"\s*[,x×]\s*|\s+", inside)
        parts = [int(word) if re.fullmatch("[0-9]{1,9}", word) else None for word in words]
    if parts and all(isinstance(p, int) and not isinstance(p, bool) and 0 <= p < 10**9 for p in parts):
        return tuple(parts)
    beginning = raw[:_LONGEST] if isinstance(raw, (list, tuple, str)) else raw
    what = f"the list {shorten(beginning, 40)}" if isinstance(raw, (list, tuple)) else describe(beginning)
    return ParseProblem(
        f"It is {what}, and a shape is due.", "Write a list of whole numbers, such as [5, 6, 7, 8]."
    )


def _parse(raw: Any, due: Unit) -> ParsedNumber:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, Decimal, str)):
        raise _NoNumber(
            f"It is {describe(raw)}, and a number is due.", f"Write it in digits, such as {_example(due)}."
        )
    if isinstance(raw, str):
        return _from_text(raw, due)
    if isinstance(raw, int) and abs(raw) >= 10**_MOST_DIGITS:
        raise _too_long()
    number = Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
    return _build(number, due, True, str(number))


def _from_text(raw: str, due: Unit) -> ParsedNumber:
    if len(raw) > _LONGEST:
        raise _NoNumber(
            "It is a long text, and a number is due.", f"Write the number alone, such as {_example(due)}."
        )
    shown = shorten(raw, 60)
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda m: "^" + m[0].translate(_SUPERSCRIPT), raw)
    text = text.translate(_SPACES | _SIGNS).strip()
    text = _LABEL.sub("", text)
    if printed := _TENSOR.fullmatch(text):
        text = printed[1]
    while text != (stripped := _ABOUT.sub("", text)):
        text = stripped
    notes: tuple[str, ...] = ()
    if (cut := _REMARK.sub("", text)) and cut != text:
        text, notes = cut, (f"The remark in brackets was left out: {shown!r}.",)
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise _NoNumber(
            f"It is {describe(raw)}, and a number is due.", f"Write it in digits, such as {_example(due)}."
        )
    written = without_what_it_counts(match["unit"])
    _refuse_calculation(shown, written)
    exponent = int((match["exponent"] or match["power"] or "0")[:6])
    number, other, reading = _digits(match["body"], shown)
    try:
        unit, unit_notes = read_unit(written, due)
    except UnitError as error:
        raise _NoNumber(error.message, error.next_step) from None
    bare = not written.strip()
    parsed = _build(_scaled(number, exponent), unit, bare, shown, notes + reading + unit_notes)
    if other is None:
        return parsed
    note = f"{shown!r} was read with a decimal comma; a point is safer."
    second = _build(_scaled(other, exponent), unit, bare, shown, (*notes, note))
    return replace(parsed, other_reading=second)


def _refuse_calculation(shown: str, rest: str) -> None:
    if re.match(r"\s*[-+*/^×=]", rest) or re.search(r"[=≈/*^]|[0-9]", rest):
        raise _NoNumber(
            f"{shown!r} holds more than one number, and one number is due.",
            "Write the result alone, with its unit.",
        )


def _digits(body: str, shown: str) -> tuple[str, str | None, tuple[str, ...]]:
    """The digits with a decimal point and no separators, a second reading, and a note on the reading."""
    text = re.sub(r"(?<=[0-9])_(?=[0-9])", "", body.strip()).rstrip(",")
    sign = "-" if text.startswith("-") else ""
    text = text.lstrip("+- ")
    if re.fullmatch(r"[0-9]+\.?|[0-9]*\.[0-9]+", text):
        return sign + text, None, ()
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", text):
        one_comma = text.count(",") == 1 and "." not in text
        return sign + text.replace(",", ""), sign + text.replace(",", ".") if one_comma else None, ()
    if re.fullmatch(r"[0-9]{1,3}( [0-9]{3})+([.,][0-9]+)?|[0-9]{1,3}('[0-9]{3})+([.,][0-9]+)?", text):
        return sign + re.sub("[ ']", "", text).replace(",", "."), None, ()
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{3}){2,}(,[0-9]+)?|[0-9]{1,3}(\.[0-9]{3})+,[0-9]+", text):
        plain = sign + text.replace(".", "").replace(",", ".")
        return plain, None, (f"{shown!r} was read with points between the thousands.",)
    if re.fullmatch(r"[0-9]*,[0-9]+", text):
        return (
            sign + text.replace(",", "."),
            None,
            (f"{shown!r} was read with a decimal comma; a point is safer.",),
        )
    raise _NoNumber(
        f"The commas, points or spaces in {shown!r} do not make one number.",
        "Write one number, such as 1234567 or 1,234,567.",
    )


def _scaled(digits: str, exponent: int) -> Decimal:
    if len(digits) > _MOST_DIGITS or abs(exponent) > _LARGEST_EXPONENT:
        raise _too_long()
    try:
        return Decimal(f"{digits}e{exponent}")
    except InvalidOperation:
        raise _too_long() from None


def _build(number: Decimal, unit: Unit, bare: bool, text: str, notes: tuple[str, ...] = ()) -> ParsedNumber:
    """Put together value, last place and significant digits of a decimal number."""
    if not number.is_finite():
        raise _NoNumber(
            f"{text} is not a number that can be compared.", "Write the number that you computed."
        )
    parts = number.as_tuple()
    exponent = int(parts.exponent)
    if abs(exponent) > 4 * _LARGEST_EXPONENT or len(parts.digits) > 2 * _MOST_DIGITS:
        raise _too_long()
    digits = "".join(map(str, parts.digits)).lstrip("0")
    counting = max(len(digits.rstrip("0")), _LEAST_DIGITS) if number else 0
    return ParsedNumber(
        value=Fraction(number) * unit.factor,
        last_place=Fraction(10) ** (exponent + len(digits) - counting) * unit.factor,
        digits=counting,
        unit=unit,
        bare=bare,
        text=text,
        notes=notes,
    )


def _too_long() -> _NoNumber:
    return _NoNumber("It is a number of an impossible size.", "Write the number that you computed.")


def _example(due: Unit) -> str:
    return f'"12.3 {due.name}"' if due.name else '12.3 or "12.3 million"'
