"""What students get wrong in the positional encoding, as other tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from reference.transformer.positional_encoding import encoding_table

_NEAR = 1e-4


@dataclass(frozen=True, slots=True)
class Misconception:
    """A wrong belief and how to tell a student of it without giving the answer away."""

    id: str
    title: str
    belief: str
    hint: str
    encoding: Callable[[Tensor], Tensor]
    """The wrong encoding (L, E), or (N, L, E), for an input x of shape (N, L, E)."""


def _table(
    x: Tensor,
    *,
    base: float = 10000.0,
    step: int = 2,
    shift: int = 0,
    swapped: bool = False,
    halves: bool = False,
    sine_only: bool = False,
) -> Tensor:
    """The table (L, E) with its choices as switches; the defaults are right."""
    L, E = x.shape[-2:]
    position = (torch.arange(L, dtype=torch.float64) + shift)[:, None]  # (L, 1)
    pair = torch.arange(0, E, 2, dtype=torch.float64) * step / 2  # (E/2,): 2i, or i where step is 1
    angle = position * torch.exp(-math.log(base) * pair / E)  # (L, E/2)
    sine, cosine = angle.sin(), angle.sin() if sine_only else angle.cos()
    if swapped:
        sine, cosine = cosine, sine
    table = torch.cat([sine, cosine], -1) if halves else torch.stack([sine, cosine], -1).flatten(-2)
    return table.float()


def _one_column(x: Tensor) -> Tensor:
    """Cosines written to column 1 alone (1:2 for 1::2): that column holds the first, the other odd ones are 0."""
    table = encoding_table(*x.shape[-2:]).clone()
    table[:, 3::2] = 0.0
    return table


_FORMULA = "Write out the formula for position 1 and the first four features, and compare with your table."

BANK: tuple[Misconception, ...] = (
    Misconception("pe-swapped", "Sine and cosine have changed places", "Cosine comes first.", _FORMULA,
                  lambda x: _table(x, swapped=True)),
    Misconception("pe-half-exponent", "The exponent is i / E where the formula has 2i / E", "2i is the pair's number.",
                  _FORMULA, lambda x: _table(x, step=1)),
    Misconception("pe-base-1000", "The base is 1,000 where the formula has 10,000", "A misread constant.", _FORMULA,
                  lambda x: _table(x, base=1000.0)),
    Misconception("pe-from-one", "Positions are counted from 1", "The first position is 1.",
                  "Which row of the table belongs to the first token?", lambda x: _table(x, shift=1)),
    Misconception("pe-halves", "Sines fill the first half of the features and cosines the second",
                  "Even features come first.", _FORMULA, lambda x: _table(x, halves=True)),
    Misconception("pe-sine-only", "Odd features hold sines too", "Both are sines.", _FORMULA,
                  lambda x: _table(x, sine_only=True)),
    Misconception("pe-one-column", "Only one odd feature is filled", "1:2 means every second column.",
                  "Print which columns your slice writes to.", _one_column),
    Misconception("pe-twice", "The encoding is added twice", "The table holds half of it.",
                  "Follow x through forward: how often is the table added?", lambda x: 2 * _table(x)),
    Misconception("pe-not-added", "The encoding is not added", "The buffer is enough.",
                  "Is the result of the addition what you return?", lambda x: torch.zeros_like(x)),
    Misconception("pe-returned-alone", "The table is returned without the input", "The encoding is the output.",
                  "What does the next layer need besides the positions?", lambda x: _table(x) - x),
    Misconception("pe-input-scaled", "The input is multiplied by the root of embed_dim first",
                  "The embedding is scaled here, as in the paper's section 3.4.",
                  "The coursework adds the table to the input as it is.",
                  lambda x: _table(x) + x * (math.sqrt(x.size(-1)) - 1)),
)  # fmt: skip


def diagnose(encoding: Tensor, x: Tensor) -> Misconception | None:
    """The one misconception that gives `encoding` = output - x, of shape (N, L, E), or None; never a guess."""
    agreeing = [m for m in BANK if torch.allclose(m.encoding(x).expand_as(x), encoding.float(), atol=_NEAR)]
    return agreeing[0] if len(agreeing) == 1 else None
