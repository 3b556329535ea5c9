"""Numbers on paper: what is read, what counts as right, what is carried forward, which slip is named.

The quantities here are made up for the tests, so that they say what the rules are and not what part 4 asks.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import AssignmentError
from grader.intake import Answers
from grader.model import Check, Status, Tolerance, Visibility
from grader.numbers import (
    Outcome,
    ParsedNumber,
    ParseProblem,
    Verdict,
    compare_number,
    judge_number,
    parse_number,
    parse_shape,
    show_number,
    unit_named,
)


def parsed(raw: Any, unit: str = "") -> ParsedNumber:
    number = parse_number(raw, unit)
    assert isinstance(number, ParsedNumber), number
    return number


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("raw", "unit", "value"),
    [
        ("25.77 GB", "byte", "25770000000"), ("24 GiB", "byte", "25769803776"), ("24 gibibytes", "byte", "25769803776"),
        ("14.497 billion", "", "14497000000"), ("75.497 MB", "byte", "75497000"), ("0.0651 %", "percent", "0.000651"),
        ("0.0651", "percent", "0.000651"), ("0.0651 %", "", "0.000651"), ("268,435,456", "", "268435456"),
        ("14 496 989 184", "", "14496989184"), ("14'496'989'184", "", "14496989184"), ("1.5e10", "", "15000000000"),
        ("0.75", "", "0.75"), (".75", "", "0.75"), ("9.437M", "", "9437000"), ("536870912 bytes", "byte", "536870912"),
        ("4294967296 bits", "byte", "536870912"), ("≈ 25.8 GB", "byte", "25800000000"), ("~9 M", "", "9000000"),
        ("ca. 9,4 million", "", "9400000"), ("25,77 GB", "byte", "25770000000"), ("14.496.989.184", "", "14496989184"),
        ("1.5 × 10¹⁰", "", "15000000000"), ("1.5*10^10 parameters", "", "15000000000"), ("14.5B", "", "14500000000"),
        ("14.5B", "byte", "14.5"), ("537 million bytes", "byte", "537000000"), ("5", "gigabyte", "5000000000"),
        ("9.437 million trainable parameters", "", "9437000"), ("25.77 GB (= 24 GiB)", "byte", "25770000000"),
        ("−3", "", "-3"), ("25.77 gb", "byte", "25770000000"), ("25.77 Gb", "byte", "3221250000"),
        ("0.2876 nats", "nat", "0.2876"), ("5 minutes", "second", "300"), ("5 kbit", "byte", "625"),
        (268435456, "", "268435456"), (Decimal("0.0651"), "percent", "0.000651"), (0.75, "", "0.75"),
        ("12 ppm", "", "0.000012"), ("P(mat) = 0.75", "", "0.75"), ("loss ≈ 0.2877 nats", "nat", "0.2877"),
        ("14.5 B parameters", "", "14500000000"), ("268,435,456 elements per head", "", "268435456"),
        ("268,435,456 entries/head", "", "268435456"), ("302.02M params/block", "", "302020000"),
        ("0.065 % of the FFN state", "percent", "0.00065"), ("9.4 thousand million", "", "9400000000"),
        ("9.437 Mio. Parameter", "", "9437000"), ("12 attention scores", "", "12"), ("12 weights and biases", "", "12"),
        ("75.497 MB of optimizer state", "byte", "75497000"), ("0.537 GB per head", "byte", "537000000"),
        ("25.77 GB for all 48 heads", "byte", "25770000000"), ("14.5 GB in fp32", "byte", "14500000000"),
        ("8 billion of bits", "byte", "1000000000"), ("0.2877 nats/token", "nat", "0.2877"),
        ("5 s/token", "second", "5"),
        ("tensor(2.7053, grad_fn=<LinalgVectorNormBackward0>)", "", "2.7053"),
    ],
)  # fmt: skip
def test_numbers_are_read_exactly(raw: Any, unit: str, value: str) -> None:
    assert parsed(raw, unit).value == Fraction(value)


@pytest.mark.parametrize(
    ("raw", "unit", "said", "step"),
    [
        ("ninety", "", "It is the text 'ninety', and a number is due.", "12.3"),
        (True, "", "It is true, and a number is due.", "12.3"),
        ([1], "", "It is a list, and a number is due.", "12.3"),
        (None, "byte", "It is null, and a number is due.", "12.3 bytes"),
        ("5 kg", "byte", "'kg' stands for a mass, and an amount of data is due.", "Write it in bytes."),
        ("5 GB", "", "'GB' stands for an amount of data, and a plain number is due.", "without that unit"),
        ("5 %", "byte", "'%' stands for a plain number, and an amount of data is due.", "bytes"),
        ("5 gigabites", "byte", "There is no unit 'gigabites'.", "Did you mean 'gigabits'?"),
        ("5 qqq", "", "There is no unit 'qqq'.", "12.3 million"),
        ("2^28", "", "holds more than one number", "Write the result alone"),
        ("16384 * 16384", "", "holds more than one number", "Write the result alone"),
        ("12 GB of 40 GB", "byte", "holds more than one number", "Write the result alone"),
        ("12 of 24", "", "holds more than one number", "Write the result alone"),
        ("5 GB/s", "byte", "holds more than one number", "Write the result alone"),
        ("5 % of 3 million", "", "holds more than one number", "Write the result alone"),
        ("5 million nats", "byte", "There is no unit 'million nats'.", ""),
        ("25.77 GB = 24 GiB", "byte", "holds more than one number", "Write the result alone"),
        ("1,23,4", "", "do not make one number", "1,234,567"),
        ("1e999999999", "", "impossible size", ""),
        (10**70, "", "impossible size", ""),
        (Decimal("1e999999"), "", "impossible size", ""),
        (Decimal("NaN"), "", "not a number that can be compared", ""),
        (float("inf"), "", "not a number that can be compared", ""),
        ("x" * 500, "", "It is a long text, and a number is due.", "12.3"),
    ],
)
def test_what_is_no_number_is_explained(raw: Any, unit: str, said: str, step: str) -> None:
    problem = parse_number(raw, unit)
    assert isinstance(problem, ParseProblem)
    assert said in problem.message
    assert step in problem.next_step


@pytest.mark.parametrize(
    ("raw", "digits", "last_place"),
    [
        ("25.77 GB", 4, "10000000"),
        ("25.770 GB", 4, "10000000"),
        (25770, 4, "10"),
        ("0.065", 2, "0.001"),
        ("3e10", 2, "1e9"),
        ("20.0", 2, "1"),
        (0, 0, "1"),
    ],
)
def test_printed_digits(raw: Any, digits: int, last_place: str) -> None:
    number = parsed(raw, "byte" if "GB" in str(raw) else "")
    assert (number.digits, number.last_place) == (digits, Fraction(Decimal(last_place)))


def test_a_comma_before_three_digits_has_two_readings() -> None:
    number = parsed("14,497 million")
    assert number.value == 14_497_000_000
    assert number.other_reading is not None
    assert number.other_reading.value == 14_497_000


def test_bits_of_information_are_not_bits_of_memory() -> None:
    assert float(parsed("0.415 bits", "nat").value) == pytest.approx(0.2876560799)
    assert parsed("8 bits", "byte").value == 1


@pytest.mark.parametrize(
    "raw", ["torch.Size([1, 2, 3, 4])", "(1, 2, 3, 4)", "1x2x3x4", "1 2 3 4", [1, 2, 3, 4]]
)
def test_shapes(raw: Any) -> None:
    assert parse_shape(raw) == (1, 2, 3, 4)


@pytest.mark.parametrize("raw", ["foo", 5, [], [1, "a"], [1, True], [1.5], "", None])
def test_what_is_no_shape_is_explained(raw: Any) -> None:
    problem = parse_shape(raw)
    assert isinstance(problem, ParseProblem)
    assert "a shape is due" in problem.message


ANYTHING = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="0123456789.,eE+-_ %GMKBbit×^()≈", max_size=25),
    st.integers(),
    st.decimals(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.integers(), max_size=3),
)


@settings(deadline=None)  # a unit nobody has asked for yet imports pint
@given(ANYTHING, st.sampled_from(["", "byte", "gigabyte", "percent", "nat"]))
def test_no_input_makes_the_parser_fail(raw: Any, unit: str) -> None:
    number = parse_number(raw, unit)
    if isinstance(number, ParsedNumber):
        assert number.unit.dimension == unit_named(unit).dimension
    else:
        assert number.message


def test_neither_torch_nor_pint_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys; from grader.numbers import parse_number as p; p('25.77 GB', 'byte'); p('9.4 million', '');"
        "print({'torch', 'pint', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# ---------------------------------------------------------------- comparing

TOLERANCE = Tolerance("for the tests", relative=5e-4)


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        ("25769803776 bytes", Outcome.EXACT), ("24 GiB", Outcome.EXACT), ("25.77 GB", Outcome.ROUNDED),
        ("25.8 GB", Outcome.ROUNDED), ("26 GB", Outcome.ROUNDED), ("25.76 GB", Outcome.ROUNDED),
        ("25.776 GB", Outcome.EARLY_ROUNDED), ("25.7 GB", Outcome.ROUNDED), ("25 GB", Outcome.WRONG),
        ("30 GB", Outcome.WRONG), ("3e10 bytes", Outcome.WRONG), ("24 GB", Outcome.WRONG), ("25.9 GB", Outcome.WRONG),
        ("-25.77 GB", Outcome.WRONG), ("0 GB", Outcome.WRONG), ("2.58e10 bytes", Outcome.ROUNDED),
        ("25,770,000,000 bytes", Outcome.ROUNDED),
    ],
)  # fmt: skip
def test_outcomes_for_25_769803776_gigabytes(raw: str, outcome: Outcome) -> None:
    assert compare_number(parsed(raw, "byte"), Fraction(25_769_803_776), TOLERANCE).outcome is outcome


def test_zero_is_compared_without_dividing() -> None:
    assert compare_number(parsed("0"), Fraction(0)).outcome is Outcome.EXACT
    assert compare_number(parsed("5"), Fraction(0)).relative_difference == float("inf")


def test_an_absolute_tolerance_is_in_the_unit_given() -> None:
    tolerance = Tolerance("for the tests", absolute=0.01)
    number = parsed("25.7791 GB", "gigabyte")
    gigabyte = unit_named("gigabyte")
    assert (
        compare_number(number, Fraction(25_769_803_776), tolerance, unit=gigabyte).outcome
        is Outcome.EARLY_ROUNDED
    )
    assert compare_number(number, Fraction(25_769_803_776), tolerance).outcome is Outcome.WRONG


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (25_769_803_776, "gigabyte", "25.76980378 GB (25,769,803,776 bytes)"),
        (536_870_912, "byte", "536,870,912 bytes"),
        (Fraction("0.000650975446"), "percent", "0.0650975446 %"),
        (14_496_989_184, "", "14,496,989,184"),
    ],
)
def test_numbers_are_shown_in_the_unit_due(value: Fraction, unit: str, shown: str) -> None:
    assert show_number(Fraction(value), unit_named(unit)) == shown


# ---------------------------------------------------------------- judging


@dataclass(frozen=True)
class MadeUpSlip:
    id: str
    value: Fraction
    title: str = "a wrong turn"
    hint: str = "Turn back."
    keeps_marks: bool = False


@dataclass(frozen=True)
class MadeUp:
    """One matrix of 1,234,567 numbers at 2 bytes, and 48 of them."""

    id: str
    compute: Callable[..., Fraction]
    unit: str = ""
    inputs: tuple[str, ...] = ()
    slips: tuple[MadeUpSlip, ...] = field(default=())
    title: str = "a number"


ELEMENTS = Fraction(1_234_567)
QUANTITIES = {
    q.id: q
    for q in (
        MadeUp("x.elements", lambda: ELEMENTS, slips=(MadeUpSlip("less", ELEMENTS - 67, "67 left out"),)),
        MadeUp(
            "x.bytes",
            lambda n: 2 * n,
            "byte",
            ("x.elements",),
            (
                MadeUpSlip("bits", ELEMENTS * 16, "bits for bytes", "Which unit?"),
                MadeUpSlip("four", ELEMENTS * 4, "4 bytes a number", "How many bytes?"),
                MadeUpSlip("again", ELEMENTS * 4, "counted twice", "Once?"),
                MadeUpSlip(
                    "cut", ELEMENTS * 2 - 4567, "cut to thousands", "Keep all digits.", keeps_marks=True
                ),
            ),
        ),
        MadeUp(
            "x.total",
            lambda b: 48 * b,
            "byte",
            ("x.bytes",),
            (MadeUpSlip("bits", ELEMENTS * 768, "bits for bytes"),),
        ),
        MadeUp("x.share", lambda b, n: Fraction(n, b) * 100, "percent", ("x.total", "x.elements")),
    )
}


def declare(id: str, unit: str, follow: str | None = "1", **more: Any) -> Check:
    number = {"answer": id, "quantity": id, "unit": unit} | ({"follow_through": follow} if follow else {})
    tolerance = Tolerance("for the tests", relative=1e-5)
    return Check(id, "x", id, Decimal(1), number=number, tolerance=tolerance, **more)


CHECKS = (
    declare("x.elements", "", None),
    declare("x.bytes", "byte"),
    declare("x.total", "megabyte"),
    declare("x.share", "percent"),
)


def judge(id: str, checks: tuple[Check, ...] = CHECKS, **values: Any) -> Verdict:
    answers = Answers({f"x.{name}": value for name, value in values.items()})
    check = next(c for c in checks if c.id == id)
    return judge_number(check, answers, QUANTITIES, checks)


@pytest.mark.parametrize("value", ["1,234,567", 1234567, "1.234567 million", "1.23 million", "1.234561e6"])
def test_right_numbers_get_full_points(value: Any) -> None:
    verdict = judge("x.elements", elements=value)
    assert (verdict.status, verdict.fraction, verdict.hint) == (Status.PASSED, 1, "")


def test_a_number_rounded_early_keeps_its_points_with_a_note() -> None:
    verdict = judge("x.elements", elements="1.234561e6")
    assert verdict.message == "Right within the tolerance."
    assert "round the last result only" in verdict.notes[0]


def test_missing_and_unreadable_answers() -> None:
    assert judge("x.bytes").status is Status.MISSING
    assert judge("x.bytes", bytes="").status is Status.MISSING
    verdict = judge("x.bytes", bytes="ninety")
    assert (verdict.status, verdict.fraction) == (Status.FAILED, 0)
    assert verdict.message == "x.bytes is the text 'ninety', and a number is due."
    assert verdict.obtained == "ninety"


def test_a_wrong_number_shows_what_is_expected() -> None:
    verdict = judge("x.bytes", bytes=7)
    assert verdict.message == "x.bytes = 7 bytes is not right: 2,469,134 bytes is expected."
    assert verdict.expected == "2,469,134 bytes"
    assert verdict.slip is None


def test_a_hidden_check_shows_no_expected_value() -> None:
    checks = tuple(replace(c, visibility=Visibility.HIDDEN) for c in CHECKS)
    verdict = judge("x.bytes", checks, bytes=7)
    assert verdict.status is Status.FAILED
    assert (verdict.expected, verdict.largest_difference) == (None, None)
    assert "2,469,134" not in verdict.message + verdict.hint


@pytest.mark.parametrize(("value", "words"), [(1234567000, "unit"), (-1234567, "sign"), (2469134, "twice")])
def test_a_telling_factor_is_pointed_out(value: Any, words: str) -> None:
    assert words in judge("x.elements", elements=value).hint


def test_one_matching_slip_is_named() -> None:
    verdict = judge("x.bytes", bytes="19,753,072 bytes")
    assert verdict.status is Status.FAILED
    assert verdict.message == "19,753,072 bytes is what comes out of a known slip: bits for bytes."
    assert verdict.hint == "Which unit?"
    assert verdict.slip is not None
    assert verdict.slip.id == "bits"


def test_bits_written_for_bytes_are_no_slip_of_the_calculation() -> None:
    verdict = judge("x.bytes", bytes="2,469,134 bits")
    assert verdict.status is Status.FAILED
    assert verdict.message == "2,469,134 bits is an amount of bits, and an eighth of what is due."
    assert verdict.slip is None


def test_two_matching_slips_are_both_named_and_neither_is_chosen() -> None:
    verdict = judge("x.bytes", bytes="4,938,268")
    assert verdict.slip is None
    assert "4 bytes a number; or counted twice" in verdict.message
    assert verdict.hint == "How many bytes? Once?"


def test_a_slip_that_keeps_marks_is_a_remark() -> None:
    verdict = judge("x.bytes", bytes="2,464,567")
    assert verdict.status is Status.PASSED
    assert verdict.notes == ("Keep all digits.",)


def test_an_error_is_carried_forward_at_full_points() -> None:
    verdict = judge("x.bytes", elements=1000, bytes=2000)
    assert (verdict.status, verdict.fraction) == (Status.PASSED, 1)
    assert "follows correctly from your own x.elements = 1000" in verdict.message
    assert verdict.expected == "2,469,134 bytes"


def test_an_error_is_carried_forward_at_the_declared_share() -> None:
    checks = (CHECKS[0], declare("x.bytes", "byte", "1/2"), *CHECKS[2:])
    verdict = judge("x.bytes", checks, elements=1000, bytes=2000)
    assert (verdict.status, verdict.fraction) == (Status.PARTIAL, Fraction(1, 2))
    assert verdict.hint == "Correct x.elements first; this number follows."


def test_nothing_is_carried_forward_where_it_is_not_declared() -> None:
    checks = (CHECKS[0], declare("x.bytes", "byte", None), *CHECKS[2:])
    assert judge("x.bytes", checks, elements=1000, bytes=2000).fraction == 0


def test_an_error_is_carried_over_a_missing_number() -> None:
    assert judge("x.total", elements=1000, total="0.096 MB").fraction == 1


def test_an_error_in_one_of_two_inputs_is_carried_forward() -> None:
    assert judge("x.share", elements=1234567, bytes=2469134, total="1 MB", share="123.4567 %").fraction == 1


def test_a_number_from_a_rounded_right_one_is_right() -> None:
    verdict = judge("x.total", bytes="2.47 MB", total="118.56 MB")
    assert verdict.status is Status.PASSED
    assert "which you had rounded" in verdict.notes[0]


def test_the_digits_of_a_wrong_parent_leave_room() -> None:
    """The student went on with 1234.5 and printed 1230."""
    assert judge("x.bytes", elements="1.23e3", bytes=2469).fraction == 1


def test_a_slip_is_punished_once() -> None:
    twice = {"bytes": "19,753,072", "total": "948.147456 MB"}
    assert judge("x.bytes", **twice).fraction == 0
    assert judge("x.total", **twice).fraction == 1
    alone = judge("x.total", total="948.147456 MB")
    assert (alone.fraction, alone.slip is not None) == (0, True)


def test_the_same_slip_in_an_independent_place_costs_nothing_more() -> None:
    slip = MadeUpSlip("bits", ELEMENTS * 8, "bits for bytes")
    repeated = {**QUANTITIES, "y.bytes": MadeUp("y.bytes", lambda: ELEMENTS, "byte", (), (slip,))}
    checks = (*CHECKS, declare("y.bytes", "byte", None))
    answers = Answers({"x.bytes": "19,753,072", "y.bytes": "9876536"})
    verdict = judge_number(checks[-1], answers, repeated, checks)
    assert verdict.fraction == 1
    assert verdict.message.startswith("The same slip as in x.bytes (bits for bytes).")


@pytest.mark.parametrize(
    ("id", "value", "note"),
    [
        ("x.elements", "1.234567", "was read as 1.234567 million"),
        ("x.total", "118518432", "was read as 118518432 bytes"),
        ("x.bytes", "2.469134", "was read as 2.469134 MB"),
    ],
)
def test_a_number_without_its_unit_is_right_with_a_note(id: str, value: str, note: str) -> None:
    verdict = judge(id, **{id[2:]: value})
    assert verdict.status is Status.PASSED
    assert note in verdict.notes[0]


def test_a_share_has_no_other_reading() -> None:
    assert judge("x.share", share="1041.666").fraction == 0


def test_a_decimal_comma_is_given_the_benefit_of_the_doubt() -> None:
    verdict = judge("x.total", total="118,518 MB")
    assert verdict.status is Status.PASSED
    assert "decimal comma" in verdict.notes[0]


def test_without_checks_the_quantities_own_ids_are_the_keys() -> None:
    answers = Answers({"x.elements": 1000, "x.bytes": 2000})
    assert judge_number(CHECKS[1], answers, QUANTITIES).fraction == 1


@pytest.mark.parametrize(
    "number",
    [{}, {"answer": "a", "quantity": "no"}, {"answer": "a", "quantity": "x.bytes", "unit": "qq"},
     {"answer": "a", "quantity": "x.bytes", "follow_through": "2"},
     {"answer": "a", "quantity": "x.bytes", "follow_through": "x"}],
)  # fmt: skip
def test_a_wrong_declaration_is_the_authors_error(number: dict[str, str]) -> None:
    with pytest.raises(AssignmentError):
        judge_number(replace(CHECKS[1], number=number), Answers(), QUANTITIES, CHECKS)


# ---------------------------------------------------------------- what holds for every answer

UNITS = {"bytes": 0, "kB": 3, "MB": 6, "GB": 9, "TB": 12}


@settings(deadline=None)  # a unit nobody has asked for yet imports pint
@given(
    st.integers(1, 10**8), st.integers(-4, 6), st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS))
)
def test_the_unit_chosen_never_changes_the_verdict(digits: int, exponent: int, one: str, other: str) -> None:
    verdicts = [
        judge("x.bytes", bytes=f"{digits}e{exponent - UNITS[unit]} {unit}", elements=1000)
        for unit in (one, other)
    ]
    assert verdicts[0].fraction == verdicts[1].fraction
    assert verdicts[0].status is verdicts[1].status


@settings(deadline=None)  # a unit nobody has asked for yet imports pint
@given(st.integers(1, 10**9), st.integers(1, 10**9), st.booleans())
def test_what_follows_from_ones_own_numbers_loses_nothing(elements: int, size: int, from_bytes: bool) -> None:
    size = size if from_bytes else 2 * elements
    values = {"elements": elements, "bytes": size, "total": f"{48 * size} bytes"}
    assert judge("x.total", **values).fraction == 1
    if not from_bytes:
        assert judge("x.bytes", **values).fraction == 1


@settings(deadline=None)  # a unit nobody has asked for yet imports pint
@given(ANYTHING, ANYTHING, ANYTHING)
def test_no_answers_give_more_than_full_points_or_fail(elements: Any, size: Any, total: Any) -> None:
    for check in CHECKS:
        verdict = judge(check.id, elements=elements, bytes=size, total=total)
        assert 0 <= verdict.fraction <= 1
        assert verdict.status in (Status.PASSED, Status.PARTIAL, Status.FAILED, Status.MISSING)
        assert (verdict.status is Status.PASSED) == (verdict.fraction == 1)
        assert verdict.message
