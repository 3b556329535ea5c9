"""Measure the bundled news corpus: how near the splits are to each other, and how far a bag of words gets.

    python -m scripts.measure_corpus

Both baselines see lower-case words without their order: multinomial naive Bayes with add-one smoothing, and
multinomial logistic regression on word presence (full-batch gradient descent, 300 steps, weight decay 1e-3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from statistics import mean

import numpy as np
from numpy.typing import NDArray

from scripts.make_corpus import LABELS, Index, Row, corpus

Matrix = NDArray[np.float64]


def nearest(rows: Sequence[Row], others: Sequence[Row]) -> list[float]:
    """For each row, the largest share of 5-grams that it has in common with any one of the others."""
    index = Index()
    for row in others:
        index.add(row.text)
    return [index.nearest(row.text) for row in rows]


def _counts(rows: Sequence[Row], vocabulary: dict[str, int]) -> Matrix:
    counts = np.zeros((len(rows), len(vocabulary)))
    for i, row in enumerate(rows):
        for word in _words(row.text):
            if word in vocabulary:
                counts[i, vocabulary[word]] += 1
    return counts


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def naive_bayes(x: Matrix, y: NDArray[np.int64], new: Matrix) -> NDArray[np.int64]:
    """Labels of `new` (rows, words) by multinomial naive Bayes fitted on x, y."""
    totals = np.stack([x[y == label].sum(axis=0) + 1 for label in range(len(LABELS))])
    log_p = np.log(totals / totals.sum(axis=1, keepdims=True))
    return np.argmax(new @ log_p.T, axis=1)


def logistic_regression(x: Matrix, y: NDArray[np.int64], new: Matrix) -> NDArray[np.int64]:
    """Labels of `new` by softmax regression on word presence fitted on x, y."""
    x, new = np.minimum(x, 1), np.minimum(new, 1)
    weights, target = np.zeros((x.shape[1], len(LABELS))), np.eye(len(LABELS))[y]
    for _ in range(300):
        scores = x @ weights
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        weights -= x.T @ (p - target) / len(x) + 1e-3 * weights
    return np.argmax(new @ weights, axis=1)


Fit = Callable[[Matrix, NDArray[np.int64], Matrix], NDArray[np.int64]]


def baseline(fit: Fit, train: Sequence[Row], test: Sequence[Row]) -> float:
    """Test accuracy, in [0, 1], of a baseline fitted on `train`."""
    vocabulary = {word: i for i, word in enumerate(sorted({w for row in train for w in _words(row.text)}))}
    y, truth = np.array([row.label for row in train]), np.array([row.label for row in test])
    return float(np.mean(fit(_counts(train, vocabulary), y, _counts(test, vocabulary)) == truth))


def report() -> str:
    """The figures of docs/datasheet.md, as text."""
    splits = corpus()
    lines = []
    for name in ("test", "heldout"):
        shares = nearest(splits[name], splits["train"])
        lines.append(
            f"{name}: {len(shares)} rows; largest 5-gram share with one train row: "
            f"mean {mean(shares):.3f}, max {max(shares):.3f}"
        )
        for rows in (256, len(splits["train"])):
            for fit in (naive_bayes, logistic_regression):
                accuracy = baseline(fit, splits["train"][:rows], splits[name])
                lines.append(f"  {fit.__name__} on {rows} train rows: {accuracy:.4f}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
