"""What `finetune` returned, read as figures by epoch. It is the student's own value: nothing about it is given."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

KEYS = ("train_loss", "train_acc", "test_acc", "seconds")
"""Of the dict of an epoch."""


def epochs_of(history: Any) -> list[dict[str, float]] | None:
    """One dict of KEYS for each epoch, out of a list of dicts or a dict of lists; None where it is neither."""
    if isinstance(history, dict) and all(isinstance(history.get(k), list) for k in KEYS):
        history = [
            dict(zip(KEYS, row, strict=True)) for row in zip(*(history[k] for k in KEYS), strict=False)
        ]
    if not isinstance(history, list) or not all(isinstance(e, dict) for e in history):
        return None
    found = []
    for entry in history:
        numbers = {k: _number(entry.get(k)) for k in KEYS}
        if any(v is None for v in numbers.values()):
            return None
        found.append({k: v for k, v in numbers.items() if v is not None})
    return found


def _number(value: Any) -> float | None:
    """A finite number, or None: NaN is neither near anything nor far from it."""
    if isinstance(value, Tensor) and value.numel() == 1:
        value = float(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(value)
