"""Multi-head attention, as the coursework asks for it (part 2a to 2c).

Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, arXiv:1706.03762:
    section 3.2.1, equation (1)   Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V
    section 3.2.2                 MultiHead(Q, K, V) = Concat(head_1, …, head_H) W^O
    section 3.2.3                 the mask: illegal connections are set to -∞ before the softmax
Dropout on the attention weights is not in the paper; the coursework, like GPT-2 and BERT, has it.

Letters:  N batch   S length of the query   T length of key and value   E embed_dim   H num_heads   D = E / H

The mathematics is in `attention`, a function of its inputs and its weights and nothing else, so that it can
be computed with anybody's weights; `MultiHeadAttention` is the same with layers of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionWeights:
    """The four linear maps of an attention layer. Matrices are (E, E) as `nn.Linear` keeps them, (out, in),
    so that the map is x Wᵀ + b; biases are (E,) or None."""

    w_q: Tensor
    b_q: Tensor | None
    w_k: Tensor
    b_k: Tensor | None
    w_v: Tensor
    b_v: Tensor | None
    w_o: Tensor
    b_o: Tensor | None

    @classmethod
    def of_layers(
        cls, *, query: nn.Linear, key: nn.Linear, value: nn.Linear, proj: nn.Linear
    ) -> AttentionWeights:
        """The weights of four `nn.Linear(E, E)`: their own tensors, so gradients reach them."""
        return cls(
            w_q=query.weight, b_q=query.bias,
            w_k=key.weight, b_k=key.bias,
            w_v=value.weight, b_v=value.bias,
            w_o=proj.weight, b_o=proj.bias,
        )  # fmt: skip


class Attended(NamedTuple):
    """The result of attention and the steps on the way to it that are asked for."""

    output: Tensor
    """(N, S, E): what the layer returns."""
    weights: Tensor
    """(N, H, S, T): softmax over the keys, before dropout; each row sums to 1."""
    scores: Tensor
    """(N, H, S, T): scaled dot products; -inf where the mask removes one."""
    query_heads: Tensor
    """(N, H, S, D): projected query, split into heads."""
    value_heads: Tensor
    """(N, H, T, D): projected value, split into heads."""


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """(N, L, E) -> (N, H, L, D): the E features are H groups of D neighbours, one a head (section 3.2.2)."""
    N, L, E = x.shape
    return x.view(N, L, num_heads, E // num_heads).transpose(1, 2)  # (N, L, H, D) -> (N, H, L, D)


def merge_heads(x: Tensor) -> Tensor:
    """(N, H, L, D) -> (N, L, E): `Concat` of section 3.2.2, the inverse of `split_heads`."""
    return x.transpose(1, 2).flatten(2)  # (N, L, H, D) -> (N, L, H·D = E)


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    weights: AttentionWeights,
    num_heads: int,
    attn_mask: Tensor | None = None,
    dropout: Callable[[Tensor], Tensor] | None = None,
) -> Attended:
    """Multi-head attention with the weights given. Works in any floating dtype that all arguments share.

    query is (N, S, E); key and value are (N, T, E). attn_mask is (S, T), the same for every batch item and
    head: a score is removed where it is 0 or False. A row of the mask that removes every key has no softmax
    and gives NaN. dropout, where given, is applied to the attention weights, (N, H, S, T).
    """
    q = split_heads(F.linear(query, weights.w_q, weights.b_q), num_heads)  # (N, H, S, D)
    k = split_heads(F.linear(key, weights.w_k, weights.b_k), num_heads)  # (N, H, T, D)
    v = split_heads(F.linear(value, weights.w_v, weights.b_v), num_heads)  # (N, H, T, D)

    # √D keeps the variance of a score at 1 when q and k have variance 1; larger ones saturate the softmax.
    scores = q @ k.mT / math.sqrt(q.size(-1))  # (N, H, S, D) @ (N, H, D, T) -> (N, H, S, T)
    if attn_mask is not None:
        scores = scores.masked_fill(attn_mask == 0, -math.inf)  # (S, T) broadcasts over N and H

    attn = scores.softmax(dim=-1)  # (N, H, S, T): over the keys
    used = attn if dropout is None else dropout(attn)
    heads = used @ v  # (N, H, S, T) @ (N, H, T, D) -> (N, H, S, D)
    output = F.linear(merge_heads(heads), weights.w_o, weights.b_o)  # (N, S, E)
    return Attended(output, attn, scores, q, v)


class MultiHeadAttention(nn.Module):
    """Multi-head attention with dropout on the attention weights.

    The four layers are made in the order key, query, value, proj: the seed of the handout gives the handout's
    weights only in this order.
    """

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.key = nn.Linear(embed_dim, embed_dim)
        self.query = nn.Linear(embed_dim, embed_dim)
        self.value = nn.Linear(embed_dim, embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.attn_drop = nn.Dropout(dropout)

    def weights(self) -> AttentionWeights:
        """The layers' own tensors."""
        return AttentionWeights.of_layers(query=self.query, key=self.key, value=self.value, proj=self.proj)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None) -> Attended:
        """`forward` with the steps on the way; shapes as there."""
        return attention(query, key, value, self.weights(), self.num_heads, attn_mask, self.attn_drop)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None) -> Tensor:
        """query (N, S, E), key and value (N, T, E), attn_mask (S, T) with 0 where a score is removed -> (N,
        S, E)."""
        return self.attend(query, key, value, attn_mask).output


def causal_mask(length: int) -> Tensor:
    """(L, L) lower-triangular ones: position s sees positions 0 … s, as in a decoder (section 3.2.3)."""
    return torch.ones(length, length).tril()
