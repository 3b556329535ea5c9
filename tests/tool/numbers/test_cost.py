"""No text in answers.toml makes the judge of numbers work for long: bounded by construction, and counted here.

Calls are counted, not seconds: of Python and of C functions, none of which works on a number of more than some hundred
digits. With well under half a microsecond for a call, 100,000 of them stay below 50 ms.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.numbers import ParsedNumber, compare_number, parse_number, parse_shape
from grader.numbers.bounded import MOST_BITS, Bounded
from tests.tool.numbers.coursework import QUESTIONS, judge

MOST_CALLS = 100_000
MOST_DIGITS = 300

HOSTILE = [
    "9" * 60, "0." + "0" * 57 + "1", "1e60", "1e-60", "9" * 40 + "e59", "-" + "9" * 59, "1e999999999", "9" * 200,
    "1 " + "a" * 197, "1 " + "a b " * 49, "1 " + "million " * 20, "1 gigabites", "1 zettaquectograms",
    "(" * 199, "1" + "(" * 198, "1" + "()" * 99, "1(" + "x" * 196 + ")", "≈" * 199 + "1", "approx " * 28 + "1",
    "tensor(" + "1" * 150 + ", " + "x" * 30 + ")", "tensor(" * 28, "=" * 199, "a=" * 99 + "1", "1 x 10^" + "9" * 190,
    "1,000" * 39, "1.000" * 39, "1 000 " * 33, "1'000" * 39, "1_0" * 66, "³" * 199, "1" + "³" * 198, "٣" * 199,
    "1 " + "·" * 190 + "B", "1e" + "9" * 197, "x" * 100_000, "1" + "0" * 100_000, "",
]  # fmt: skip


def calls(work: Callable[[], Any]) -> int:
    """How many functions are called, of Python and of C."""
    count = 0

    def seen(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.fixture(autouse=True, scope="module")
def warm() -> None:
    """Tables of units are made once a process."""
    for unit in ("", "byte", "nat", "percent"):
        parse_number("1 gigabites", unit)


def digits_of(value: Fraction) -> int:
    return len(f"{value.numerator}{value.denominator}")


@pytest.mark.parametrize("text", HOSTILE, ids=[f"{k}-{text[:6]!r}" for k, text in enumerate(HOSTILE)])
def test_a_hostile_answer_under_every_key_costs_little(text: str) -> None:
    answers = dict.fromkeys(QUESTIONS, text)
    counts = {id: calls(lambda id=id: judge(id, answers)) for id in QUESTIONS}  # type: ignore[misc]
    assert max(counts.values()) < MOST_CALLS, counts
    assert calls(lambda: parse_shape(text)) < 2_000


ANSWERS = st.dictionaries(
    st.sampled_from(list(QUESTIONS)),
    st.one_of(
        st.text(alphabet="0123456789.,eE+- %GMKBit^()≈=x", max_size=200),
        st.decimals(allow_nan=False),
        st.builds(lambda m, e: f"{m}e{e}", st.integers(1, 10**20), st.integers(-60, 60)),
    ),
    min_size=8,
)


@settings(deadline=None, max_examples=60)
@given(ANSWERS, st.sampled_from(list(QUESTIONS)))
def test_any_answers_cost_little(answers: dict[str, Any], id: str) -> None:
    assert calls(lambda: judge(id, answers)) < MOST_CALLS


@settings(deadline=None)
@given(
    st.one_of(
        st.text(alphabet="0123456789.,eE-", max_size=200),
        st.builds(lambda m, e: f"{m}e{e}", st.integers(0, 10**61), st.integers(-70, 70)),
        st.integers(),
        st.decimals(),
    ),
    st.sampled_from(["", "byte", "terabyte", "gibibyte", "percent", "nat"]),
)
def test_what_is_read_has_few_digits(raw: Any, unit: str) -> None:
    number = parse_number(raw, unit)
    if isinstance(number, ParsedNumber):
        assert digits_of(number.value) < MOST_DIGITS
        assert digits_of(number.last_place) < MOST_DIGITS
        assert len(number.text) < MOST_DIGITS
        assert compare_number(number, Fraction(1, 3)).relative_difference >= 0


def test_no_text_loads_pint() -> None:
    """It takes half a second; an author's own unit may ask for it, a student's text may not."""
    code = (
        "import sys; from grader.numbers import parse_number as p;"
        "[p(f'5 {u}', d) for d in ('', 'byte', 'percent', 'nat') for u in ('kg', 'qqq', 'seconds', 'TFLOP', 'x' * 99)];"
        "print('pint' in sys.modules); print(p('5 minutes', 'second').value, 'pint' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "300", "True"]


# ---------------------------------------------------------------- numbers on their way through a formula

FRACTIONS = st.fractions(min_value=-(10**60), max_value=10**60, max_denominator=10**20)


@given(FRACTIONS, FRACTIONS, st.integers(-6, 6))
def test_bounded_numbers_are_exact(a: Fraction, b: Fraction, power: int) -> None:
    x = Bounded(a)
    results = [(x + b, a + b), (b - x, b - a), (x * b, a * b), (-x, -a), (abs(x), abs(a))]
    if b:
        results += [(x / b, a / b), (x // b, Fraction(a // b)), (x % b, a % b)]
    if a or power >= 0:
        results += [(x**power, Fraction(a**power)), (3 ** Bounded(power), Fraction(3) ** power)]
    assert all(found == due for found, due in results)
    assert all(type(found) is Bounded for found, _ in results)
    assert isinstance(x * 0.5, float)


@given(st.integers(2, 10**60), st.integers(10**5, 10**60))
def test_no_power_is_computed_that_is_too_large(base: int, exponent: int) -> None:
    n, x = Bounded(exponent), Bounded(base)
    for work in (
        lambda: base**n,
        lambda: x**exponent,
        lambda: x**-exponent,
        lambda: Fraction(1, base) ** n,
        lambda: 2 ** (n // 2),
        lambda: 3 ** (2**n),
    ):
        with pytest.raises(OverflowError):
            work()


def test_no_product_grows_beyond_the_bound() -> None:
    grown = [Bounded(10**60)]
    with pytest.raises(OverflowError, match="impossible size"):
        grown.extend(grown[-1] * grown[-1] for _ in range(20))
    assert 3 < len(grown) < 10
    assert Bounded(2**MOST_BITS - 1) == 2**MOST_BITS - 1
    with pytest.raises(OverflowError):
        Bounded(Fraction(1, 2**MOST_BITS))


def test_roots_and_functions_of_math_are_floats() -> None:
    assert Bounded(2) ** 0.5 == 2**0.5 == 2 ** Bounded(Fraction(1, 2))
    assert math.log(Bounded(Fraction(1, 2))) == math.log(0.5)
    with pytest.raises(OverflowError):
        math.exp(Bounded(10**6))
    assert divmod(Bounded(7), 2) == (3, 1)
