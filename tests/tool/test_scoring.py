"""Points add up exactly, whatever the checks and their order."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from grader.model import CheckResult, Evidence, Points, Status, Visibility
from grader.scoring import score


def result(status: Status, possible: Decimal, earned: Decimal = Decimal(0)) -> CheckResult:
    points = Points(earned, possible)
    return CheckResult("4c.x", "4c", "t", Visibility.PUBLIC, status, points, "", "", Evidence(), 0.0)


possible_points = st.decimals(Decimal("0.001"), Decimal(100), places=3)


@st.composite
def results(draw: st.DrawFn) -> CheckResult:
    status, possible = draw(st.sampled_from(Status)), draw(possible_points)
    share = {Status.PASSED: Decimal(1), Status.PARTIAL: draw(st.decimals(0, 1, places=2))}.get(
        status, Decimal(0)
    )
    return result(status, possible, possible * share)


@given(st.lists(results(), max_size=30))
def test_every_point_is_in_exactly_one_place(checks: list[CheckResult]) -> None:
    found = score(checks)
    declared = sum((c.points.possible for c in checks), Decimal(0))
    assert found.possible + found.excused == declared
    assert found.automatic_possible + found.awaiting_review == found.possible
    assert found.automatic_earned == found.earned
    assert Decimal(0) <= found.earned <= found.automatic_possible


@given(st.lists(results(), max_size=15), st.randoms(use_true_random=False))
def test_order_does_not_matter(checks: list[CheckResult], random: st.DataObject) -> None:
    shuffled = list(checks)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert score(shuffled) == score(checks)


@given(st.lists(st.tuples(possible_points, st.integers(1, 999)), max_size=30))
def test_sums_are_exact(shares: list[tuple[Decimal, int]]) -> None:
    checks = [result(Status.PARTIAL, possible, possible * share / 1000) for possible, share in shares]
    exact = sum((Fraction(possible) * share / 1000 for possible, share in shares), Fraction(0))
    assert Fraction(score(checks).earned) == exact


def test_ours_costs_nothing_and_a_review_is_not_yet_earned() -> None:
    found = score(
        [
            result(Status.PASSED, Decimal(2), Decimal(2)),
            result(Status.GRADER_ERROR, Decimal(5)),
            result(Status.NEEDS_REVIEW, Decimal(4)),
            result(Status.FAILED, Decimal(1)),
        ]
    )
    assert (found.earned, found.possible, found.excused, found.awaiting_review) == (2, 7, 5, 4)
    assert (found.automatic_earned, found.automatic_possible) == (2, 3)


def test_nothing_selected_is_nothing() -> None:
    found = score([])
    assert (found.earned, found.possible, found.awaiting_review, found.excused) == (0, 0, 0, 0)
