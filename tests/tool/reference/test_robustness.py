"""Typing errors, cut texts, calibration and the test of two models: against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reference.transformer.robustness import (
    accuracy,
    bins,
    calibration_error,
    first_words,
    log_loss,
    mcnemar,
    with_typos,
)

TEXT = "Shares of the two makers fell by 3.5% on Monday, as traders waited for figures."


def test_typing_errors_are_drawn_from_the_seed() -> None:
    assert with_typos(TEXT, 0.0, 1) == TEXT
    assert with_typos(TEXT, 0.2, 1) == with_typos(TEXT, 0.2, 1) != with_typos(TEXT, 0.2, 2)


@given(st.text(max_size=60), st.floats(0, 1), st.integers(0, 9))
def test_only_letters_change(text: str, rate: float, seed: int) -> None:
    typed = with_typos(text, rate, seed)
    kept = [c for c in text if not c.isalpha()]
    assert [c for c in typed if not c.isalpha()] == kept
    assert len(typed) <= 2 * len(text)


def test_the_rate_is_about_what_was_asked_for() -> None:
    """Of 4,000 letters, each left out, doubled, replaced or swapped by chance 0.1; 5 standard deviations are 95."""
    text = "abcdefghij " * 400
    changed = sum(
        with_typos(word, 0.1, seed) != word
        for seed in range(40)
        for word in {f"{text[:10]}{i}" for i in range(100)}
    )
    due = 4_000 * (1 - 0.9**10)
    assert abs(changed - due) < 0.1 * due


def test_the_first_words() -> None:
    assert first_words("one two  three four", 3) == "one two three"
    assert first_words("one two", 0) == "one two"
    assert first_words("one", 5) == "one"


def confident(p: float, right: bool) -> list[float]:
    """Two logits whose softmax gives the answer probability p; the label is 0."""
    gap = math.log(p / (1 - p))
    return [gap, 0.0] if right else [0.0, gap]


def test_calibration_by_hand() -> None:
    """Four answers at 0.75, three of them right, and one at 0.95, wrong: (4·0 + 1·0.95) / 5."""
    logits = torch.tensor([confident(0.75, i < 3) for i in range(4)] + [confident(0.95, False)])
    labels = [0] * 5
    found = bins(logits, labels)
    assert [(round(b.confidence, 6), b.accuracy, b.count) for b in found] == [(0.75, 0.75, 4), (0.95, 0.0, 1)]
    assert calibration_error(found) == pytest.approx(0.95 / 5)
    assert accuracy(logits, labels) == 0.6
    assert log_loss(logits, labels) == pytest.approx(
        -(3 * math.log(0.75) + math.log(0.25) + math.log(0.05)) / 5, rel=1e-5
    )


def test_full_confidence_has_a_bin() -> None:
    [only] = bins(torch.tensor([[1000.0, 0.0]]), [0])
    assert (only.confidence, only.accuracy) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("a", "b", "p"), [(0, 0, 1.0), (1, 0, 1.0), (3, 3, 1.0), (5, 0, 2 / 32), (1, 7, 2 * 9 / 256)]
)
def test_mcnemar_is_the_binomial_test(a: int, b: int, p: float) -> None:
    assert mcnemar(a, b) == mcnemar(b, a) == pytest.approx(p)
