"""Part 6, on paper: every number that it asks for, derived. Imports no torch.

The layer and the model have the sizes of LLaMA-7B (Touvron et al. 2023, table 2).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from grader.numbers import Number

WIDTH, INNER = 4096, 11008
LAYERS, HEADS, HEAD, BYTES, TOKENS = 32, 32, 128, 2, 5500
NATS = 2.30


@dataclass(frozen=True, slots=True)
class Slip:
    """A known wrong way to a number, and the line of a hand-in that has gone it."""

    id: str
    title: str
    belief: str
    hint: str
    value: Number


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number, derived."""

    id: str
    title: str
    unit: str
    compute: Callable[..., Number]
    inputs: tuple[str, ...] = ()
    slips: tuple[Slip, ...] = ()


_PER_TOKEN = 2 * LAYERS * HEADS * HEAD * BYTES

QUANTITIES: dict[str, Quantity] = {
    quantity.id: quantity
    for quantity in (
        Quantity(
            "6a.parameters",
            "parameters of one SwiGLU layer",
            "parameter",
            lambda: 3 * WIDTH * INNER,
            slips=(
                Slip(
                    "two_matrices",
                    "counted as a layer with two matrices",
                    "A feed-forward layer has two matrices.",
                    "Write the formula of SwiGLU down: which weights stand in it?",
                    2 * WIDTH * INNER,
                ),
                Slip(
                    "biases",
                    "biases counted where there are none",
                    "A linear layer has a bias.",
                    "Does this layer have a bias?",
                    3 * WIDTH * INNER + 2 * INNER + WIDTH,
                ),
            ),
        ),
        Quantity(
            "6b.per_token",
            "cache of one token",
            "byte",
            lambda: _PER_TOKEN,
            slips=(
                Slip(
                    "keys_only",
                    "the keys or the values left out",
                    "Only the keys of earlier tokens are needed again.",
                    "Which two tensors does a later query need of this token?",
                    _PER_TOKEN // 2,
                ),
                Slip(
                    "one_layer",
                    "one layer for all of them",
                    "The layers share a cache.",
                    "How many layers keep something of this token?",
                    _PER_TOKEN // LAYERS,
                ),
            ),
        ),
        Quantity(
            "6b.cache",
            "cache of one sequence",
            "byte",
            lambda per_token: per_token * TOKENS,
            inputs=("6b.per_token",),
            slips=(
                Slip(
                    "gib",
                    "GiB called GB",
                    "A GB has 2^30 bytes.",
                    "How many bytes are in a GB, and how many in a GiB?",
                    _PER_TOKEN * TOKENS / 2**30 * 10**9,
                ),
            ),
        ),
        Quantity(
            "6c.perplexity",
            "perplexity",
            "",
            lambda: math.exp(NATS),
            slips=(
                Slip(
                    "base_2",
                    "2 raised to a loss in nats",
                    "Perplexity is 2 to the power of the loss.",
                    "To which base was the logarithm of this loss taken?",
                    2**NATS,
                ),
            ),
        ),
        Quantity(
            "6c.bits",
            "loss in bits a token",
            "",
            lambda: NATS / math.log(2),
            slips=(
                Slip(
                    "multiplied",
                    "multiplied by ln 2 where it has to be divided",
                    "A nat is less than a bit.",
                    "Which is larger, one bit or one nat?",
                    NATS * math.log(2),
                ),
            ),
        ),
    )
}
"""In the order of the handout."""
