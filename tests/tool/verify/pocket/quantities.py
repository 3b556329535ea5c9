"""The number of part 2 and the known slips."""

from __future__ import annotations

import math

from grader.numbers import Figure, KnownSlip, table


def slip(id: str, value: float, keeps_marks: bool = False) -> KnownSlip:
    """With the texts that verify does not look at."""
    return KnownSlip(id, "a slip", "Which logarithm?", value, keeps_marks)


LOSS = Figure(
    "2a.loss",
    "cross-entropy",
    "nat",
    lambda: -math.log(0.75),
    slips=(
        slip("log2", -math.log2(0.75)),
        slip("sign", math.log(0.75)),
        slip("rounded_early", 0.2878, keeps_marks=True),
    ),
)
QUANTITIES = table(LOSS)
