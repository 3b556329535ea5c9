"""Tensors are compared where they can be, and refused with a sentence where they cannot."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.checking.compare import difference, problem_with, show, show_shape
from grader.model import Tolerance

TIGHT = Tolerance(absolute=1e-5, why="test")
LOOSE = Tolerance(relative=0.1, why="test")
numbers = st.floats(-1e6, 1e6, allow_nan=False)
shapes = st.lists(st.integers(1, 4), min_size=0, max_size=3)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, r"returned None \(is a `return` missing\?\); a tensor of shape \(2, 3\) is due"),
        ([1, 2], "a list or tuple of 2"),
        ("text", "returned a str"),
        (1.5, "returned a float"),
        (3, "returned an int"),
        ({}, "returned a dict"),
        (torch.ones(2, 3, dtype=torch.int64), "dtype int64"),
        (torch.ones(2, 3, dtype=torch.bool), "dtype bool"),
        (torch.ones(2, 3, dtype=torch.float16), "dtype float16; keep the precision"),
        (torch.ones(2, 3, dtype=torch.bfloat16), "dtype bfloat16; keep the precision"),
        (torch.ones(3, 2), r"shape \(3, 2\); \(2, 3\) is due"),
        (torch.ones(()), r"shape \(\); \(2, 3\) is due"),
        (torch.tensor([[1, 2, math.nan], [1, 2, 3]]), "1 of its 6 values are NaN"),
        (torch.tensor([[1, 2, math.inf], [-math.inf, 2, 3]]), "2 of its 6 values are infinite"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_sentence(value: object, words: str) -> None:
    problem = problem_with(value, (2, 3))
    assert problem is not None
    assert problem.endswith(".")
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(problem)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_plain_tensor_can_be_compared(dtype: torch.dtype) -> None:
    assert problem_with(torch.ones(2, 3, dtype=dtype), (2, 3)) is None
    assert problem_with(torch.ones(2, 3, dtype=dtype)) is None


@given(shapes, st.integers(0, 2**32))
def test_a_tensor_agrees_with_itself(shape: list[int], seed: int) -> None:
    x = torch.randn(torch.Size(shape), generator=torch.Generator().manual_seed(seed))
    found = difference(x, x.clone(), TIGHT)
    assert found.agrees
    assert found.largest == 0


@given(numbers, st.floats(-1, 1), st.integers(0, 5))
def test_the_verdict_is_that_of_the_formula_and_names_the_place(base: float, gap: float, place: int) -> None:
    expected = torch.full((2, 3), base, dtype=torch.float64)
    obtained = expected.clone()
    obtained.view(-1)[place] += gap
    tolerance = Tolerance(absolute=0.5, relative=1e-7, why="test")
    found = difference(obtained, expected, tolerance)
    really = abs(float(obtained.view(-1)[place]) - base)
    assert found.agrees == (really <= 0.5 + 1e-7 * abs(base))
    assert found.largest == really
    if really > 1e-3:  # below, rounding decides between equals
        assert found.where == divmod(place, 3)
        assert (found.obtained_there, found.expected_there) == (float(obtained.view(-1)[place]), base)


@given(numbers)
def test_a_students_value_cannot_widen_its_own_tolerance(value: float) -> None:
    found = difference(torch.tensor([value]), torch.tensor([0.0]), LOOSE)
    assert found.agrees == (torch.tensor(value).item() == 0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_never_agrees(bad: float) -> None:
    one = torch.tensor([1.0, 2.0])
    spoilt = torch.tensor([1.0, bad])
    for obtained, expected in ((spoilt, one), (one, spoilt), (spoilt, spoilt)):
        found = difference(obtained, expected, Tolerance(absolute=1e9, why="test"))
        assert not found.agrees
        assert found.largest == math.inf
        assert found.where == (1,)


def test_the_worst_place_is_where_the_tolerance_is_most_exceeded() -> None:
    expected, obtained = torch.tensor([1000.0, 0.0]), torch.tensor([1001.0, 0.5])
    found = difference(obtained, expected, Tolerance(relative=1e-2, why="test"))
    assert found.where == (1,)
    assert found.place == "[1]: 0.5 where 0 is due"


def test_tensors_of_two_shapes_are_a_mistake_of_the_check() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        difference(torch.ones(2), torch.ones(3), TIGHT)


def test_empty_tensors_agree() -> None:
    assert difference(torch.ones(0, 3), torch.ones(0, 3), TIGHT).agrees


def test_values_are_shown_short() -> None:
    assert show(torch.arange(3.0)) == "tensor of shape (3,), float32: 0.0000, 1.0000, 2.0000"
    assert show(torch.zeros(2, 8)).endswith("0.0000, …")
    assert show_shape(torch.Size([1, 2])) == "(1, 2)"
    assert len(show("x" * 1000)) == 300
