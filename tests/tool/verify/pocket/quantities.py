"""The number of part 2 and the known slips."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Slip:
    id: str
    value: float
    title: str = "a slip"
    hint: str = "Which logarithm?"
    keeps_marks: bool = False


@dataclass(frozen=True)
class Quantity:
    id: str
    compute: Callable[[], float]
    slips: tuple[Slip, ...]
    title: str = "cross-entropy"
    unit: str = "nat"
    inputs: tuple[str, ...] = ()


LOSS = Quantity(
    "2a.loss",
    lambda: -math.log(0.75),
    (
        Slip("log2", -math.log2(0.75)),
        Slip("sign", math.log(0.75)),
        Slip("rounded_early", 0.2878, keeps_marks=True),
    ),
)
QUANTITIES = {LOSS.id: LOSS}
