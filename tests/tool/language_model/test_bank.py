"""Every misconception is caught where it says, named for what it is, and costs nothing elsewhere.

The model solution with its edits answers in place of a worker; `grade verify language_model` does the same with sealed
workers, more seeds, and the variants.
"""

from __future__ import annotations

import pytest

from grader.bank import Misconception
from grader.model import Assignment, Status
from reference.language_model.misconceptions import BANK

from .conftest import Judge


def test_there_are_enough_and_each_says_what_is_believed_and_what_to_try(language_model: Assignment) -> None:
    known = {check.id for check in language_model.checks}
    assert len(BANK) >= 25
    assert len({m.id for m in BANK}) == len(BANK)
    for m in BANK:
        assert {*m.checks, *m.may_cost} <= known, m.id
        assert len({check[0] for check in m.checks}) == 1, m.id
        assert m.belief.endswith("."), m.id
        assert m.hint.endswith(("?", ".")), m.id
        assert not m.title.endswith("."), m.id
    assert known == {check for m in BANK for check in m.checks}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_model_solution_gets_every_point(judge: Judge, seed: int) -> None:
    lost = {id: r.message for id, r in judge(seed=seed).items() if r.status is not Status.PASSED}
    assert lost == {}


@pytest.mark.parametrize("one", BANK, ids=lambda m: m.id)
def test_a_misconception_is_caught_and_named(one: Misconception, judge: Judge) -> None:
    """In the first check that it names; of the others of the section, those that it must not cost points in."""
    first, *others = one.checks
    results = judge((one,), first[0], without=[id for id in (*others, *one.may_cost) if id != first])
    assert {id for id, result in results.items() if result.status is not Status.PASSED} == {first}
    diagnosis = results[first].diagnosis
    assert (diagnosis.id if diagnosis else None) == (one.id if one.diagnosed else None)


def test_two_mistakes_at_once_are_both_named(judge: Judge) -> None:
    eps, gain = (next(m for m in BANK if m.id == id) for id in ("rms-eps-outside", "rms-gain-ignored"))
    diagnosis = judge((eps, gain), "2a")["2a.small"].diagnosis
    assert diagnosis is not None
    assert diagnosis.id == "rms-eps-outside+rms-gain-ignored"
