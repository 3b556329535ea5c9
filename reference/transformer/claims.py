"""What a checkpoint answers against what was claimed of it: right answers counted, order of labels, exact comparison.

Letters:  N texts   C outputs of the classification head
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import torch
from torch import Tensor

from grader.intake import accuracy_counts, label_name
from reference.transformer.news import LABELS

CLOSE = 1e-3
"""A text whose two best logits are nearer than this may fall either way on another machine. Measured: float32 logits of
one checkpoint differ by less than 1e-5 between batch sizes, thread counts and CPUs."""
LEARNT = 0.7
"""Share of texts that a mapping of outputs to topics must explain to be called the order of the labels."""

Order = tuple[int, ...]
"""Topic -> the output that stands for it."""
AS_ASKED: Order = (0, 1, 2, 3)


@dataclass(frozen=True, slots=True)
class Count:
    """Right answers on a set of texts; a range, because ties may fall either way."""

    low: int
    high: int
    right: int
    """As computed here."""
    n: int

    @property
    def share(self) -> float:
        """As computed here."""
        return self.right / self.n

    @property
    def shown(self) -> str:
        """0.8906 (114 of 128)"""
        return f"{self.share:.4f} ({self.right} of {self.n})"


def count(logits: Tensor, labels: Sequence[int], order: Order = AS_ASKED) -> Count:
    """Right answers among N texts under an order of the labels; `logits` is (N, C)."""
    best = logits.argmax(-1)
    top = logits.topk(min(2, logits.shape[-1]), dim=-1).values  # (N, 2)
    close = (top[:, 0] - top[:, -1]) < CLOSE
    due = torch.tensor([order[label] for label in labels])
    right = best == due
    near_miss = close & ~right & (logits.gather(1, due[:, None])[:, 0] > top[:, 0] - CLOSE)
    return Count(
        low=int((right & ~close).sum()),
        high=int((right | near_miss).sum()),
        right=int(right.sum()),
        n=len(labels),
    )


# ---------------------------------------------------------------- the order of the labels


def named_order(names: Sequence[str]) -> Order | None:
    """The order that a checkpoint's own label names give, where they are the four topics; None where they are not."""
    topics = [None if name.strip().isdigit() else label_name(name, LABELS) for name in names]
    if any(topics.count(label) != 1 for label in LABELS):
        return None
    return tuple(topics.index(label) for label in LABELS)


def learnt_order(logits: Tensor, labels: Sequence[int]) -> Order | None:
    """The output that the model gives most often to each topic; None where two topics share one, or it explains little.

    It needs LEARNT of the texts: a model that has learnt nothing reaches that by no order. With 128 texts the best of
    its orders stays below one half.
    """
    best = logits.argmax(-1).tolist()
    given = [
        Counter(b for b, label in zip(best, labels, strict=True) if label == topic)
        for topic in range(len(LABELS))
    ]
    order = tuple(counts.most_common(1)[0][0] if counts else -1 for counts in given)
    if len(set(order)) < len(LABELS) or -1 in order:
        return None
    return order if count(logits, labels, order).share >= LEARNT else None


def describe_order(order: Order) -> str:
    """An order of the labels in the student's words."""
    if order == (1, 2, 3, 4):
        return "your labels are 1 to 4; World is 0, Sports 1, Business 2, Sci/Tech 3"
    if order == (1, 2, 3, 0):
        return "your labels are shifted by one; World is 0, Sports 1, Business 2, Sci/Tech 3"
    told = ", ".join(f"{LABELS[topic]} is {output}" for topic, output in enumerate(order))
    return f"your labels are in another order: {told}"


# ---------------------------------------------------------------- claims


@dataclass(frozen=True, slots=True)
class Agreement:
    """Which of the claimed accuracies a checkpoint has."""

    epochs: tuple[int, ...]
    """Numbers, from 1, of the epochs whose claimed test accuracy it has; empty where it has none."""
    last: bool
    """True where the last epoch is among them."""


def agreement(claimed: Sequence[Decimal | None], found: Count) -> Agreement:
    """Compare claimed test accuracies with the recomputed number of right answers, at the digits they are printed."""
    same = tuple(
        i
        for i, value in enumerate(claimed, 1)
        if value is not None and any(found.low <= k <= found.high for k in accuracy_counts(value, found.n))
    )
    return Agreement(same, len(claimed) in same)
