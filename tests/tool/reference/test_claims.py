"""Right answers counted with ties, orders of labels found, and claims compared at the digits they are printed with."""

from __future__ import annotations

from decimal import Decimal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reference.transformer.claims import (
    AS_ASKED,
    CLOSE,
    Count,
    agreement,
    count,
    describe_order,
    learnt_order,
    named_order,
)

LABELS = [i % 4 for i in range(128)]


def answering(outputs: list[int], classes: int = 4) -> torch.Tensor:
    """Logits that give these answers, clearly."""
    return torch.nn.functional.one_hot(torch.tensor(outputs), classes).float() * 5


def test_right_answers_are_counted() -> None:
    given_ = [*LABELS[:100], *((label + 1) % 4 for label in LABELS[100:])]
    assert count(answering(given_), LABELS) == Count(100, 100, 100, 128)
    assert count(answering(given_), LABELS).shown == "0.7812 (100 of 128)"


def test_ties_may_fall_either_way() -> None:
    """Of four texts of World: one clearly right, one right by a hair, one wrong by a hair, one clearly wrong."""
    hair = CLOSE / 2
    logits = torch.tensor([[3.0, 1, 0, 0], [1 + hair, 1, 0, 0], [1, 1 + hair, 0, 0], [0.0, 3, 0, 0]])
    assert count(logits, [0, 0, 0, 0]) == Count(low=1, high=3, right=2, n=4)
    assert count(logits, [1, 1, 1, 1]) == Count(low=1, high=3, right=2, n=4)
    assert count(logits, [2, 2, 2, 2]) == Count(low=0, high=0, right=0, n=4)


@pytest.mark.parametrize(
    ("order", "classes", "said"),
    [
        (AS_ASKED, 4, "another order: World is 0"),
        ((1, 2, 3, 4), 5, "your labels are 1 to 4"),
        ((1, 2, 3, 0), 4, "shifted by one"),
        ((3, 1, 0, 2), 4, "World is 3, Sports is 1, Business is 0, Sci/Tech is 2"),
    ],
)
def test_the_order_of_the_labels_is_found_and_described(
    order: tuple[int, ...], classes: int, said: str
) -> None:
    outputs = [order[label] for label in LABELS]
    outputs[:20] = [(out + 1) % classes for out in outputs[:20]]
    found = learnt_order(answering(outputs, classes), LABELS)
    assert found == order
    assert said in describe_order(order)


@given(st.integers(0, 10**6), st.sampled_from([4, 5, 16]))
def test_chance_is_no_order(seed: int, classes: int) -> None:
    guesses = torch.randint(classes, (128,), generator=torch.Generator().manual_seed(seed)).tolist()
    assert learnt_order(answering(guesses, classes), LABELS) is None


def test_one_answer_to_all_is_no_order() -> None:
    assert learnt_order(answering([2] * 128), LABELS) is None


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (("World", "Sports", "Business", "Sci/Tech"), (0, 1, 2, 3)),
        (("business", "SCI-TECH", "sports", "world"), (3, 2, 0, 1)),
        (("none", "World", "Sports", "Business", "Sci/Tech"), (1, 2, 3, 4)),
        (("World", "World", "Business", "Sci/Tech"), None),
        (("1", "2", "3", "0"), None),
        (("LABEL_0", "LABEL_1", "LABEL_2", "x"), None),
        ((), None),
    ],
)
def test_names_of_labels_give_an_order(names: tuple[str, ...], order: tuple[int, ...] | None) -> None:
    assert named_order(names) == order


@pytest.mark.parametrize(
    ("claimed", "found", "epochs", "last"),
    [
        (["0.8750", "0.8984", "0.8906"], Count(114, 114, 114, 128), (3,), True),
        (["0.8750", "0.8984", "0.8906"], Count(115, 115, 115, 128), (2,), False),
        (["0.8750", "0.8984", "0.8906"], Count(113, 113, 113, 128), (), False),
        (["0.8750", "0.8984", "0.8906"], Count(113, 114, 113, 128), (3,), True),
        (["0.89"], Count(114, 114, 114, 128), (1,), True),
        (["0.89"], Count(113, 113, 113, 128), (), False),
        (["0.89"], Count(115, 115, 115, 128), (1,), True),
        (["0.890625"], Count(114, 114, 114, 128), (1,), True),
        ([None], Count(114, 114, 114, 128), (), False),
        ([], Count(114, 114, 114, 128), (), False),
    ],
)
def test_claims_are_compared_at_their_digits(
    claimed: list[str | None], found: Count, epochs: tuple[int, ...], last: bool
) -> None:
    same = agreement([None if c is None else Decimal(c) for c in claimed], found)
    assert (same.epochs, same.last) == (epochs, last)


@given(st.integers(0, 128), st.integers(2, 8))
def test_what_is_true_agrees(k: int, digits: int) -> None:
    assert agreement([Decimal(f"{k / 128:.{digits}f}")], Count(k, k, k, 128)).last
