"""Sine and cosine positional encoding (part 2d).

Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, arXiv:1706.03762, section 3.5:
    PE[pos, 2i]   = sin(pos / 10000^(2i/E))
    PE[pos, 2i+1] = cos(pos / 10000^(2i/E))

Letters:  N batch   S length   E embed_dim   L max_len
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

BASE = 10000.0
"""Wavelengths run from 2π (i = 0) to nearly 10000·2π (i = E/2 - 1)."""


def encoding_table(max_len: int, embed_dim: int) -> Tensor:
    """PE, (L, E) in float32. E is even: sine and cosine come in pairs.

    The frequency is exp(-2i/E · ln 10000), which is 10000^(-2i/E) without a power of a large base.
    """
    position = torch.arange(max_len)  # (L,)
    even = torch.arange(0, embed_dim, 2)  # (E/2,): the values 2i
    frequency = torch.exp(even * (-math.log(BASE) / embed_dim))  # (E/2,)
    angle = torch.outer(position, frequency)  # (L, E/2)

    table = torch.empty(max_len, embed_dim)  # (L, E)
    table[:, 0::2] = angle.sin()
    table[:, 1::2] = angle.cos()
    return table


class PositionalEncoding(nn.Module):
    """Adds to each position its row of the table, then drops out. Nothing here is learned."""

    pe: Tensor

    def __init__(self, embed_dim: int, dropout: float = 0.1, max_len: int = 5000) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        # A buffer follows the module to its device and into its state_dict, and no optimizer touches it.
        self.register_buffer("pe", encoding_table(max_len, embed_dim).unsqueeze(0))  # (1, L, E)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, S, E), S ≤ max_len -> (N, S, E); x itself is left as it was."""
        S = x.size(1)
        output: Tensor = self.dropout(x + self.pe[:, :S])  # (1, S, E) broadcasts over N
        return output
