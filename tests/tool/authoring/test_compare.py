"""What `compare`, `expected`, `asserted` and `check` do for an author, without a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from grader.bank import Edit
from grader.checking.asserted import Asserted, _unheld
from grader.checking.brought import Brought
from grader.checking.comparing import Compare
from grader.checking.evidence import Running
from grader.checking.outcomes import Failed
from grader.checking.student import Student
from grader.errors import AssignmentError
from grader.model import Assignment, Visibility

SCORES = torch.tensor([[0.5, 1.5, -1.0], [2.0, 0.0, 1.0]])
Parts = tuple[Running, Compare, Brought]


@pytest.fixture
def parts(written: Assignment) -> Callable[..., Parts]:
    """parts(**changes of the declaration): a running check of the scaffold and its comparison."""

    def make(**changes: Any) -> Parts:
        brought = Brought(written)
        running = Running(replace(written.checks[0], **changes), seed=7)
        return running, Compare(running, lambda: brought.expected, lambda: brought.bank), brought

    return make


def test_right_numbers_pass_and_tell_by_how_much_they_are_off(parts: Callable[..., Parts]) -> None:
    check, compare, brought = parts()
    compare(torch.softmax(SCORES / 2, -1) + 5e-7, lambda solution: solution.softmax(SCORES, 2.0))
    compare(brought.expected.softmax(SCORES), lambda solution: solution.softmax(SCORES))
    assert check.largest_difference == pytest.approx(5e-7, rel=0.2)
    assert check.expected is None


def test_a_wrong_result_is_named_by_the_edits_that_give_it(parts: Callable[..., Parts]) -> None:
    check, compare, _ = parts()
    with pytest.raises(Failed, match=r"It is off by 0\.\d+ at \[\d, \d\]") as caught:
        compare(torch.softmax(SCORES * 2, -1), lambda solution: solution.softmax(SCORES, 2.0), hint="Look.")
    assert caught.value.diagnosis is not None
    assert caught.value.diagnosis.id == "times-temperature"
    assert caught.value.hint == caught.value.diagnosis.hint
    assert check.expected is not None
    with pytest.raises(Failed) as caught:  # a mistake that is not in the bank
        compare(torch.softmax(SCORES, -1), lambda solution: solution.softmax(SCORES, 2.0), hint="Look.")
    assert (caught.value.diagnosis, caught.value.hint) == (None, "Look.")


def test_a_hidden_check_gives_no_value_away(parts: Callable[..., Parts]) -> None:
    check, compare, _ = parts(visibility=Visibility.HIDDEN)
    with pytest.raises(Failed, match=r"^The numbers are not those that are due\.$"):
        compare(SCORES, lambda solution: solution.softmax(SCORES))
    assert check.where is None
    with pytest.raises(Failed, match=r"^It is not what is due\.$"):
        compare("a", "b")


@pytest.mark.parametrize(
    ("obtained", "due", "message"),
    [
        (None, SCORES, "is a `return` missing"),
        (SCORES[0], SCORES, r"shape \(3,\); \(2, 3\) is due"),
        ("0.5", 0.5, "returned '0.5'; a number is due"),
        (True, 0.5, "returned True; a number is due"),
        (None, 0.5, "is a `return` missing"),
        ([0.5, None], [0.5, 0.5], "a list of 2 numbers is due"),
        ([0.5], [0.5, 0.5], "returned 1 numbers; 2 are due"),
        (float("nan"), 0.5, "NaN"),
        (0.6, 0.5, r"off by 0\.1"),
        (3, 4, "returned 3 where 4 is due"),
        (1, True, "returned 1 where True is due"),
        (["a"], ["b"], r"returned \['a'\] where \['b'\] is due"),
        ({"a": [1]}, {"a": [2]}, "is due"),
        (torch.tensor([1, 2]), [1, 3], "is due"),
        (SCORES, [1, 3], "is due"),
    ],
)
def test_what_is_wrong_is_said(obtained: Any, due: Any, message: str, parts: Callable[..., Parts]) -> None:
    _, compare, _ = parts()
    with pytest.raises(Failed, match=message):
        compare(obtained, due)


@pytest.mark.parametrize(
    ("obtained", "due"),
    [
        (0.5, 0.5),
        (torch.tensor(0.5), 0.5),
        (1, 1.0),
        ([1, 2.0], (1.0, 2.0)),
        (torch.tensor([1.0, 2.0]), [1.0, 2.0]),
        (4, 4),
        ([[1], {"a": "b"}], ((1,), {"a": "b"})),
        (torch.tensor([1, 2]), [1, 2]),
        (torch.tensor([1, 2]), torch.tensor([1, 2])),
        (None, None),
    ],
)
def test_what_is_right_passes(obtained: Any, due: Any, parts: Callable[..., Parts]) -> None:
    check, compare, _ = parts()
    compare(obtained, due)
    assert check.obtained is None


def test_numbers_without_a_tolerance_are_the_authors_mistake(parts: Callable[..., Parts]) -> None:
    _, compare, _ = parts(tolerance=None)
    with pytest.raises(AssignmentError, match="declares no tolerance"):
        compare(0.5, 0.5)
    compare(3, 3)


def test_names_of_the_model_solution_and_of_the_evidence_get_a_did_you_mean(
    parts: Callable[..., Parts],
) -> None:
    check, _, brought = parts()
    with pytest.raises(AssignmentError, match=r"does not define 'sofmax'.*Did you mean 'softmax'"):
        _ = brought.expected.sofmax
    with pytest.raises(AssignmentError, match=r"'expcted'.*Did you mean 'expected'"):
        check.expcted = "x"  # type: ignore[attr-defined]


def test_the_solution_works_on_copies_and_one_version_does_not_touch_another(
    parts: Callable[..., Parts],
) -> None:
    _, _, brought = parts()
    misconception = replace(
        brought.bank[0], edits=(Edit("softmax.py", "    scaled =", "    scores += 1\n    scaled ="),)
    )
    x = SCORES.clone()
    assert torch.allclose(brought.expected.mistaken(misconception).softmax(x), torch.softmax(x, -1))
    assert torch.equal(x, SCORES)


def test_random_inputs_come_from_the_checks_seed_and_go_on(parts: Callable[..., Parts]) -> None:
    (one, _, _), (other, _, _) = parts(), parts()
    first, second = one.normal(4), one.normal(4)
    assert torch.equal(first, other.normal(4))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("visibility", list(Visibility))
def test_what_raises_among_asserts_is_the_students_failure(
    visibility: Visibility, parts: Callable[..., Parts]
) -> None:
    check, _, _ = parts(visibility=visibility)
    asserted = Asserted(check, Student(lambda: pytest.fail("no worker"), 1.0))
    value: Any = [4]
    with pytest.raises(Failed) as wrong, asserted:
        assert value == [16], "squares"
    with pytest.raises(Failed) as broken, asserted:
        value.shape  # noqa: B018
    with pytest.raises(Failed, match="own words"), asserted:
        raise Failed("own words")
    with pytest.raises(AssignmentError), asserted:
        raise AssignmentError("for the author")
    said = wrong.value.message + broken.value.message
    if visibility is Visibility.HIDDEN:
        assert said == 2 * "A hidden test does not hold for what your code gives."
    else:
        assert wrong.value.message == "This does not hold: squares"
        assert "AttributeError: 'list' object has no attribute 'shape'" in said


@pytest.mark.parametrize(
    ("said", "line", "message"),
    [
        ("assert False", "    assert close(f(x), 1)", "close(f(x), 1)"),
        ("assert [4] == [16]", "assert f(x) == [16]", "f(x) == [16] ([4] == [16])"),
        ("assert 3 == 4", "        f(x) == 4)", "3 == 4"),
        ("squares", "assert f(x) == [16], 'squares'", "squares"),
        ("", "raise AssertionError", "a test"),
    ],
)
def test_an_assert_is_told_by_its_line(said: str, line: str, message: str) -> None:
    assert _unheld(said, line) == f"This does not hold: {message}"
