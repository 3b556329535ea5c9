"""Part 3: what a good run of the real models looks like, and why an accuracy is a fraction. Imports no torch.

The figures are those of one full run on a CPU; another seed gives others within two or three points.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

N_TRAIN, N_TEST = 1024, 128
"""Texts: every accuracy is k/1024 or k/128."""

TOPICS = ("Sports", "Sci/Tech", "World", "Business")
"""Of the four news texts of 3c, in their order."""


@dataclass(frozen=True, slots=True)
class Run:
    """One model fine-tuned for three epochs at batch 8 and learning rate 5e-5."""

    model: str
    train: tuple[str, ...]
    """Training accuracy by epoch, as printed."""
    test: tuple[str, ...]
    """Test accuracy by epoch, as printed."""
    minutes: str
    """Wall-clock time on a CPU."""


RUNS = (
    Run("DistilBERT", ("0.7217", "0.9209", "0.9658"), ("0.8750", "0.8984", "0.8906"), "25.5"),
    Run("RoBERTa", ("0.7285", "0.9131", "0.9492"), ("0.8438", "0.8672", "0.9141"), "46.5"),
)
"""3b and 3d."""


def counts(printed: str, n: int) -> list[int]:
    """Every k for which k/n is `printed` at its number of decimals; none: the figure cannot be true.

    This is the GRIM test (Brown & Heathers, Social Psychological and Personality Science 8, 2017). Half a unit
    of the last decimal is allowed on both sides, so that either way of rounding a tie passes.
    """
    value = Decimal(printed)
    half = Decimal(1).scaleb(int(value.as_tuple().exponent)) / 2
    first, last = (value - half) * n, (value + half) * n
    return [k for k in range(max(0, int(first)), min(n, int(last)) + 1) if first <= k <= last]
