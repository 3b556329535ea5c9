"""What holds for every answer to the coursework's numbers, whatever is written and in whatever unit."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grader.model import Status, Tolerance
from grader.numbers import Outcome, ParsedNumber, compare_number, parse_number
from tests.tool.numbers.coursework import (
    QUANTITIES,
    QUESTIONS,
    SHARES,
    after,
    follows,
    judge,
    lost,
    plain,
    right_answers,
    rounded,
    units_of,
)

IDS = st.sampled_from(list(QUESTIONS))
SLIPS = {id: [s for s in QUANTITIES[id].slips if not s.keeps_marks] for id in QUESTIONS}
FULL_DIGITS = 25


@st.composite
def values(draw: st.DrawFn, id: str) -> Fraction:
    """In base units: the right one, one near to it, a slip's, or anything above 0."""
    expected = QUESTIONS[id].expected
    kind = draw(st.sampled_from(["right", "near", "slip", "any"]))
    if kind == "near":
        return expected * (1 + draw(st.sampled_from([-1, 1])) * Fraction(1, draw(st.integers(2, 10**6))))
    if kind == "slip" and SLIPS[id]:
        return Fraction(draw(st.sampled_from(SLIPS[id])).value) * QUESTIONS[id].native.factor
    if kind == "any":
        return expected * Fraction(draw(st.integers(1, 10**9)), draw(st.integers(1, 10**9)))
    return expected


# ---------------------------------------------------------------- units and digits


@settings(deadline=None, max_examples=80)
@given(st.data(), IDS, st.integers(1, 12), st.booleans())
def test_a_power_of_ten_in_the_unit_never_changes_a_mark(
    data: st.DataObject, id: str, digits: int, cut: bool
) -> None:
    """The same number in bytes, MB or GB, in millions or billions, in % or ppm."""
    number = rounded(data.draw(values(id)), digits, cut=cut)
    verdicts = {}
    for unit, factor in units_of(id).items():
        shift = {Fraction(10) ** k: -k for k in range(-12, 16)}[factor]
        verdicts[unit] = judge(id, {id: f"{plain(number.scaleb(shift))} {unit}"})
    assert len({(v.status, v.fraction) for v in verdicts.values()}) == 1, verdicts


@settings(deadline=None, max_examples=100)
@given(st.data(), IDS)
def test_no_unit_changes_the_mark_of_a_number_with_all_its_digits(data: st.DataObject, id: str) -> None:
    """GB, GiB or bits: the same amount is the same answer."""
    value = data.draw(values(id))
    units = units_of(id, binary=True)
    written = {
        unit: f"{plain(rounded(value / factor, FULL_DIGITS))} {unit}" for unit, factor in units.items()
    }
    numbers = [parse_number(text, QUESTIONS[id].due) for text in written.values()]
    # Few digits claim less: 540 MB is right where 536.9 MB is due, the same amount in GiB with all its digits is not.
    assume(all(isinstance(number, ParsedNumber) and number.digits > 9 for number in numbers))
    verdicts = {unit: judge(id, {id: text}) for unit, text in written.items()}
    assert len({(v.status, v.fraction) for v in verdicts.values()}) == 1, verdicts


@settings(deadline=None, max_examples=80)
@given(st.data(), IDS, st.integers(2, 20), st.booleans(), st.integers(0, 4))
def test_the_right_number_is_right_to_any_digits(
    data: st.DataObject, id: str, digits: int, cut: bool, zeros: int
) -> None:
    """Two digits are enough where rounded, three where cut off; zeros behind them do no harm, nor does the spelling."""
    assume(digits > 2 or not cut)
    unit, factor = data.draw(st.sampled_from(list(units_of(id).items())))
    number = rounded(QUESTIONS[id].expected / factor, digits, cut=cut)
    text = plain(number)
    text += ("" if "." in text else ".") + "0" * zeros if zeros else ""
    spellings = [
        text,
        f"{number:e}",
        f"≈ {text}",
        f"{number:,f}",
        text.replace(".", ",") if "." in text else text,
    ]
    spelling = data.draw(st.sampled_from(spellings))
    verdict = judge(id, {id: f"{spelling} {unit}"})
    assert (verdict.status, verdict.fraction) == (Status.PASSED, 1), (spelling, verdict.message)


@settings(deadline=None, max_examples=120)
@given(
    expected=st.fractions(min_value=Fraction(1, 1000), max_value=10**6),
    place=st.integers(-6, 4),
    steps=st.tuples(st.integers(0, 2000), st.integers(0, 2000)),
    above=st.booleans(),
    relative=st.sampled_from([0.0, 1e-4, 1e-2]),
)
def test_a_closer_number_never_earns_less(
    expected: Fraction, place: int, steps: tuple[int, int], above: bool, relative: float
) -> None:
    """Of two numbers printed to the same place, on one side of the right one."""
    step = Fraction(10) ** place
    start = -(-expected // step) if above else expected // step
    counts = [int(start) + (near if above else -near) for near in sorted(steps)]
    assume(all(count > 9 and count % 10 for count in counts))
    nearer, farther = (parse_number(f"{count}e{place}") for count in counts)
    assert isinstance(nearer, ParsedNumber)
    assert isinstance(farther, ParsedNumber)
    tolerance = Tolerance("drawn", relative=relative)
    outcomes = [compare_number(number, expected, tolerance).outcome for number in (nearer, farther)]
    assert (outcomes[0] is Outcome.WRONG) <= (outcomes[1] is Outcome.WRONG)


# ---------------------------------------------------------------- errors carried forward


@st.composite
def writings(draw: st.DrawFn, id: str, value: Fraction, least_digits: int) -> tuple[str, Fraction]:
    """A value as a student may print it, in a unit or without one, and what was printed, in base units."""
    unit, factor = draw(st.sampled_from(list(units_of(id).items())))
    number = rounded(value / factor, draw(st.integers(least_digits, 14)))
    near = Fraction(1, 30) < value / QUESTIONS[id].expected < 30  # else a missing unit cannot be guessed
    known = near and unit not in ("nats", *SHARES) and id != "4a.probability"
    bare = draw(st.booleans()) and (known or factor == QUESTIONS[id].due.factor)
    return f"{plain(number)} {'' if bare else unit}".strip(), Fraction(number) * factor


@settings(deadline=None, max_examples=120)
@given(st.data(), IDS, st.booleans())
def test_a_wrong_number_costs_its_own_points_and_no_others(
    data: st.DataObject, id: str, from_printed: bool
) -> None:
    """What follows from it follows for free, gone on with what was printed or with all digits."""
    own = {id: data.draw(values(id))}
    answers = right_answers()
    for other in [id, *after(id)]:
        own.setdefault(other, follows(other, own))
        answers[other], printed = data.draw(writings(other, own[other], 4))
        if from_printed:
            own[other] = printed
    assert set(lost(answers)) <= {id}, (answers, lost(answers))


@settings(deadline=None, max_examples=100)
@given(st.data(), IDS, IDS)
def test_two_slips_cost_no_more_than_their_own_points(data: st.DataObject, first: str, second: str) -> None:
    own: dict[str, Fraction] = {}
    answers: dict[str, str] = {}
    for id in QUESTIONS:
        own[id] = data.draw(values(id)) if id in (first, second) else follows(id, own)
        answers[id], _ = data.draw(writings(id, own[id], 14))
    assert set(lost(answers)) <= {first, second}, (answers, lost(answers))


REPEATED = {
    (slip.id, slip.title): [
        id for id in QUESTIONS if any((s.id, s.title) == (slip.id, slip.title) for s in SLIPS[id])
    ]
    for slips in SLIPS.values()
    for slip in slips
}


@pytest.mark.parametrize("slip", [slip for slip, places in REPEATED.items() if len(places) > 1], ids=str)
def test_one_slip_made_everywhere_costs_points_once(slip: tuple[str, str]) -> None:
    answers = right_answers()
    for id in REPEATED[slip]:
        [made] = [s for s in SLIPS[id] if (s.id, s.title) == slip]
        answers[id] = plain(
            rounded(Fraction(made.value) * QUESTIONS[id].native.factor / QUESTIONS[id].due.factor, 20)
        )
    assert list(lost(answers)) == REPEATED[slip][:1], lost(answers)


# ---------------------------------------------------------------- anything at all

TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="0123456789.,eE+-_ %GMKBbit×^()≈=x*'", max_size=40),
    st.integers(),
    st.decimals(),
    st.booleans(),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@settings(deadline=None, max_examples=80)
@given(st.dictionaries(IDS, TEXTS, max_size=len(QUESTIONS)))
def test_no_answers_raise_or_earn_more_than_there_is(answers: dict[str, Any]) -> None:
    for id in QUESTIONS:
        verdict = judge(id, answers)
        assert 0 <= verdict.fraction <= 1
        assert (verdict.status is Status.PASSED) == (verdict.fraction == 1)
        assert verdict.message


def test_what_follows_loosely_from_an_own_number_comes_before_a_slip() -> None:
    """4.7 million, printed with two digits and used with more: 37.7 MB is what comes out of a slip too."""
    follows = judge("4e2.lora_state", {"4e1.trainable": "4.7 million", "4e2.lora_state": "37.7 MB"})
    assert (follows.fraction, follows.slip) == (1, None)
    alone = judge("4e2.lora_state", {"4e2.lora_state": "37.7 MB"})
    assert alone.slip is not None
    assert alone.fraction == 0


@pytest.mark.parametrize(("loss", "fraction"), [("0.470", 1), ("0.4620", 1), ("0.455", 1), ("0.50", 0)])
def test_the_digits_of_an_own_number_leave_open_what_the_formula_makes_of_them(
    loss: str, fraction: int
) -> None:
    """0.63 was 0.625 before it was rounded, and -ln 0.625 is 1.7 % more than -ln 0.63."""
    answers = {"4a.probability": "0.63", "4a.loss": loss}
    assert judge("4a.loss", answers).fraction == fraction
