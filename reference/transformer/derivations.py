"""Part 4, on paper: what the handout gives, and the small functions that every number follows from.

Integers and ratios are exact (`Fraction`); the softmax is computed with 30 decimal digits, the logarithm in
double precision. Imports no torch. Which question asks for which of them: `analysis.QUANTITIES`.

Sources: cross-entropy: Shannon 1948, Goodfellow et al. "Deep Learning" 2016, section 3.13. The S × S score
matrix and the feed-forward layer: Vaswani et al. 2017, arXiv:1706.03762, sections 3.2.1 and 3.3. LoRA: Hu
et al. 2021, arXiv:2106.09685, section 4.1. Two moments a parameter: Adam, Kingma & Ba 2014,
arXiv:1412.6980, algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

from reference.transformer.quantity import Number

# ---------------------------------------------------------------- what the handout gives

VOCABULARY = ("cat", "dog", "mat", "ran", "sat")
LOGITS = tuple(map(Decimal, ("0.5", "0.1", "3.0", "0.2", "1.0")))
TARGET = "mat"

S_MAX = 16_384
"""Longest sequence, in tokens."""
HEADS = 48
BYTES = 2
"""Bytes of one score: half precision."""
H = 6_144
"""Width of the model."""
LAYERS = 48
WIDE = 4 * H
"""The feed-forward layers go H -> 4H -> H."""
RANK = 8
"""r of LoRA."""
ADAPTED = 2
"""Matrices a layer that LoRA adapts: W_Q and W_V."""
MOMENTS = 2
"""Adam keeps a running mean of the gradient and of its square."""
MOMENT_BYTES = 4
"""Single precision."""

PRECISION = 30
"""Decimal digits of the softmax."""

# ---------------------------------------------------------------- the derivations


def softmax(logits: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """exp(z_i) / Σ_j exp(z_j), to PRECISION digits; Decimal does not overflow here."""
    with localcontext() as context:
        context.prec = PRECISION
        exponentials = [z.exp() for z in logits]
        total = sum(exponentials)
        return tuple(e / total for e in exponentials)


def target_probability() -> float:
    """P(mat): the softmax of the five logits at the target."""
    return float(softmax(LOGITS)[VOCABULARY.index(TARGET)])


def cross_entropy(probability: Number) -> float:
    """-ln P(target), in nats: the target is one-hot, so only its own term of -Σ y ln p is left.
    Raises ValueError for a probability of 0 or less."""
    return -math.log(probability)


def score_elements(length: int = S_MAX) -> Fraction:
    """Elements of one score matrix Q Kᵀ: one a pair of positions."""
    return Fraction(length * length)


def score_bytes(elements: Number) -> Number:
    """Bytes of one score matrix."""
    return elements * BYTES


def all_heads_bytes(one: Number) -> Number:
    """Bytes of the score matrices of all heads of a layer. 1 GB is 10^9 bytes, 1 GiB is 2^30."""
    return one * HEADS


def linear_parameters(n_in: int, n_out: int) -> Fraction:
    """Parameters of a linear layer: a weight for each pair of input and output, a bias for each output."""
    return Fraction(n_in * n_out + n_out)


def lora_parameters(matrices: int = ADAPTED, layers: int = LAYERS) -> Fraction:
    """ΔW = B A with A (r, H) and B (H, r): r·H + H·r trainable parameters a matrix adapted."""
    return Fraction((RANK * H + H * RANK) * matrices * layers)


def optimizer_bytes(parameters: Number) -> Number:
    """Bytes of Adam's two moments."""
    return parameters * MOMENTS * MOMENT_BYTES


def share(part: Number, whole: Number) -> Number:
    """part / whole in percent; both in one unit."""
    return part / whole * 100


def first_layer() -> Fraction:
    """Parameters of the layer H -> 4H."""
    return linear_parameters(H, WIDE)


def second_layer() -> Fraction:
    """Parameters of the layer 4H -> H."""
    return linear_parameters(WIDE, H)


def all_blocks(block: Number) -> Number:
    """Parameters of the feed-forward layers of all blocks, from those of one."""
    return block * LAYERS
