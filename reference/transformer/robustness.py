"""How a classifier holds up: texts with typing errors, texts cut short, and whether its confidence can be believed.

Sources: calibration as in Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017,
arXiv:1706.04599; the exact test of two classifiers on the same texts: McNemar, Psychometrika 12, 1947.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

TYPO_RATES = (0.0, 0.02, 0.05, 0.1, 0.2)
"""Shares of the letters that get a typing error."""
FIRST_WORDS = (0, 32, 16, 8, 4)
"""Words from the beginning that are kept; 0 keeps all."""
BINS = 10
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {
    letter: row[max(i - 1, 0) : i] + row[i + 1 : i + 2] for row in _ROWS for i, letter in enumerate(row)
}
"""The keys to the left and to the right of each letter on an English keyboard."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose confidence lies in one tenth."""

    confidence: float
    """Mean probability of the topic that was answered."""
    accuracy: float
    """Share of them that were right."""
    count: int


def with_typos(text: str, rate: float, seed: int) -> str:
    """`text` with typing errors: each letter, by chance `rate`, is left out, doubled, hit beside, or swapped."""
    draw = random.Random(f"{seed} {text}")
    letters, at = list(text), 0
    found: list[str] = []
    while at < len(letters):
        letter = letters[at]
        if letter.isalpha() and draw.random() < rate:
            error = draw.choice(("drop", "double", "beside", "swap"))
            if error == "swap" and at + 1 < len(letters):
                found += [letters[at + 1], letter]
                at += 1
            elif error == "double":
                found += [letter, letter]
            elif error == "beside" and letter.lower() in _BESIDE:
                found.append(draw.choice(_BESIDE[letter.lower()]))
        else:
            found.append(letter)
        at += 1
    return "".join(found)


def first_words(text: str, count: int) -> str:
    """The first `count` words; 0 keeps the text."""
    return " ".join(text.split()[:count]) if count else text


def accuracy(logits: Tensor, labels: Sequence[int]) -> float:
    """Share of the N texts whose largest of C logits is that of the label."""
    return float((logits.argmax(-1) == torch.tensor(labels)).double().mean())


def bins(logits: Tensor, labels: Sequence[int]) -> list[Bin]:
    """The answers by tenths of their confidence, empty tenths left out."""
    confidence, answer = logits.double().softmax(-1).max(-1)  # (N,)
    right = (answer == torch.tensor(labels)).double()
    place = (confidence * BINS).long().clamp(max=BINS - 1)
    return [
        Bin(float(confidence[inside].mean()), float(right[inside].mean()), int(inside.sum()))
        for b in range(BINS)
        if bool((inside := place == b).any())
    ]


def calibration_error(found: Sequence[Bin]) -> float:
    """Expected calibration error: |confidence - accuracy| of the tenths, weighted by their texts."""
    total = sum(b.count for b in found)
    return sum(b.count * abs(b.confidence - b.accuracy) for b in found) / total


def log_loss(logits: Tensor, labels: Sequence[int]) -> float:
    """Mean cross-entropy in nats."""
    return float(torch.nn.functional.cross_entropy(logits.double(), torch.tensor(labels)))


def mcnemar(first_only: int, second_only: int) -> float:
    """Probability of a split at least as uneven as this if both classifiers were equally good.

    `first_only`: texts that the first alone has right. Two-sided, exact.
    """
    n, k = first_only + second_only, min(first_only, second_only)
    tail = Fraction(sum(math.comb(n, i) for i in range(k + 1)), 2**n)
    return float(min(Fraction(1), 2 * tail))
