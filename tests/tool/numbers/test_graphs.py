"""Errors carried forward through any graph of numbers, not the coursework's alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.intake import Answers
from grader.model import Check
from grader.numbers import evaluate, judge_number
from tests.tool.numbers.coursework import plain, rounded


@dataclass(frozen=True)
class Node:
    """A quantity without slips."""

    id: str
    inputs: tuple[str, ...]
    compute: Callable[..., Any]
    unit: str = ""
    title: str = "a number"
    slips: tuple[Any, ...] = ()


FORMULAS: tuple[Callable[..., Any], ...] = (
    lambda *xs: sum(xs) + 17,
    lambda *xs: 48 * sum(k * x for k, x in enumerate(xs, 3)),
    lambda first, *others: first * 1000 / (sum(others) + 7),
    lambda first, *others: first**2 + sum(others),
)


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Node]:
    """Up to nine numbers; each after the first follows from up to six earlier ones, or from none."""
    nodes: dict[str, Node] = {}
    for k in range(draw(st.integers(2, 9))):
        inputs = tuple(
            draw(st.lists(st.sampled_from(sorted(nodes)), max_size=6, unique=True)) if nodes else ()
        )
        start = Fraction(draw(st.integers(10**4, 10**6)) * 10 + 3, 7)
        compute = draw(st.sampled_from(FORMULAS)) if inputs else lambda start=start: start
        nodes[f"n{k}"] = Node(f"n{k}", inputs, compute)
    return nodes


def checks_of(nodes: dict[str, Node], share: str) -> list[Check]:
    return [
        Check(
            id,
            "x",
            id,
            Decimal(1),
            number={"answer": id, "quantity": id, "unit": "", "follow_through": share},
        )
        for id in nodes
    ]


def fractions_of(nodes: dict[str, Node], answers: dict[str, str], share: str = "1") -> dict[str, Fraction]:
    checks = checks_of(nodes, share)
    return {c.id: judge_number(c, Answers(answers), nodes, checks).fraction for c in checks}


def worked_out(
    nodes: dict[str, Node], off: dict[str, Fraction], skipped: Sequence[str] = ()
) -> dict[str, str]:
    """The answers of a student whose numbers are `off` by these factors at some places and consistent elsewhere."""
    own: dict[str, Fraction] = {}
    for id in nodes:
        value = Fraction(evaluate(nodes, id, own)) * off.get(id, 1)
        own[id] = Fraction(rounded(value, 15))
    return {id: plain(rounded(value, 15)) for id, value in own.items() if id not in skipped}


OFF = st.fractions(min_value=Fraction(1, 20), max_value=20).filter(lambda f: abs(f - 1) > Fraction(1, 10**6))


@settings(deadline=None, max_examples=80)
@given(graphs(), st.data(), OFF)
def test_one_wrong_number_costs_its_own_points_alone(
    nodes: dict[str, Node], data: st.DataObject, factor: Fraction
) -> None:
    wrong = data.draw(st.sampled_from(sorted(nodes)))
    fractions = fractions_of(nodes, worked_out(nodes, {wrong: factor}))
    assert fractions == {id: int(id != wrong) for id in nodes}


@settings(deadline=None, max_examples=80)
@given(graphs(), st.data(), st.lists(OFF, min_size=1, max_size=9))
def test_each_wrong_number_costs_its_own_points_alone(
    nodes: dict[str, Node], data: st.DataObject, factors: list[Fraction]
) -> None:
    off = {data.draw(st.sampled_from(sorted(nodes))): factor for factor in factors}
    fractions = fractions_of(nodes, worked_out(nodes, off))
    assert {id for id, fraction in fractions.items() if fraction < 1} <= set(off)


@settings(deadline=None, max_examples=100)
@given(graphs(), st.data(), OFF)
def test_what_lies_between_may_be_left_out(
    nodes: dict[str, Node], data: st.DataObject, factor: Fraction
) -> None:
    """A number that is not answered is computed from the student's own before it."""
    wrong, skipped = data.draw(st.sampled_from(sorted(nodes))), data.draw(st.sampled_from(sorted(nodes)))
    fractions = fractions_of(nodes, worked_out(nodes, {wrong: factor}, [skipped] if skipped != wrong else []))
    assert {id for id, fraction in fractions.items() if fraction < 1} <= {wrong, skipped}


@settings(deadline=None, max_examples=100)
@given(graphs(), st.data(), OFF, st.sampled_from(["0", "1/2", "2/3", "1"]))
def test_a_follower_earns_the_declared_share(
    nodes: dict[str, Node], data: st.DataObject, factor: Fraction, share: str
) -> None:
    wrong = data.draw(st.sampled_from(sorted(nodes)))
    answers = worked_out(nodes, {wrong: factor})
    for id, fraction in fractions_of(nodes, answers, share).items():
        assert fraction in (0, 1, Fraction(share))
        moved = abs(Fraction(answers[id]) / Fraction(evaluate(nodes, id)) - 1) > Fraction(1, 10**12)
        assert fraction == (1 if not moved else 0 if id == wrong else Fraction(share))


@settings(deadline=None, max_examples=100)
@given(graphs(), st.data(), st.integers(1, 10**60))
def test_no_number_makes_a_formula_run_away(nodes: dict[str, Node], data: st.DataObject, number: int) -> None:
    """2 ** n, n ** n and towers of them, for any n that can be written: nothing follows, and nothing hangs."""
    wrong = data.draw(st.sampled_from(sorted(nodes)))
    towers = (
        lambda n: 2**n,
        lambda n: n**n,
        lambda n: (n + 1) ** (n // 2) % 7,
        lambda n: 3 ** (2 ** (n % 1000)),
    )
    tower = Node("tower", (wrong,), lambda n: data.draw(st.sampled_from(towers))(n) if n == number else 1)
    grown = {**nodes, "tower": tower}
    fractions = fractions_of(grown, {wrong: str(number), "tower": "12"})
    assert fractions["tower"] in (0, 1)


def test_a_quantity_with_more_inputs_than_are_combined() -> None:
    """All six are wrong, and the sum is that of all six."""
    nodes = {f"n{k}": Node(f"n{k}", (), lambda k=k: Fraction(100_003 + 1009 * k)) for k in range(6)}
    nodes["sum"] = Node("sum", tuple(nodes), lambda *xs: sum(xs))
    off = {f"n{k}": Fraction(11 + k, 10) for k in range(6)}
    assert fractions_of(nodes, worked_out(nodes, off))["sum"] == 1


def test_a_formula_that_raises_anything_means_that_nothing_follows() -> None:
    nodes = {"n0": Node("n0", (), lambda: Fraction(100_003))}
    nodes["n1"] = replace(
        nodes["n0"], id="n1", inputs=("n0",), compute=lambda n: {Fraction(100_003): 100_005}[n]
    )
    assert fractions_of(nodes, {"n0": "5000.5", "n1": "777.7"}) == {"n0": 0, "n1": 0}
    assert fractions_of(nodes, {"n0": "100003", "n1": "100005"}) == {"n0": 1, "n1": 1}
