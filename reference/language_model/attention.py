"""Causal attention and the whole model, in float64, without a cache: what is computed with one has to be the same.

Vaswani et al. 2017, "Attention Is All You Need", equation 1 with the mask of section 3.2.3; the model is that of LLaMA
(Touvron et al. 2023): pre-norm blocks of attention with RoPE and SwiGLU.

Every function takes the functions that it is built from. With a student's own ones in their place it gives what right
code gives on top of them: a mistake in those is not punished again. `lengths` are those of the pieces that the tokens
come in; with right functions they make no difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from reference.language_model import layers

Weights = Mapping[str, Any]


def causal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """q (B, H, S, D), k and v (B, H, T, D) -> (B, H, S, D); query s sees the keys 0 to T - S + s."""
    q, k, v = q.double(), k.double(), v.double()
    S, T = q.size(-2), k.size(-2)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    seen = torch.arange(T) <= torch.arange(T - S, T)[:, None]  # (S, T)
    return scores.where(seen, -torch.inf).softmax(-1) @ v


@dataclass(frozen=True, slots=True)
class LayerOf:
    """What an attention layer is built from."""

    rope: Callable[[Tensor, Tensor], Tensor] = layers.rope
    attend: Callable[[Tensor, Tensor, Tensor], Tensor] = causal_attention


_LAYER_OF = LayerOf()


def attention_layer(
    x: Tensor, weights: Weights, num_heads: int, lengths: Sequence[int], of: LayerOf = _LAYER_OF
) -> Tensor:
    """x (B, S, E) -> (B, S, E): the first token at position 0."""
    positions = torch.arange(x.size(1))
    w: dict[str, Tensor] = {name: weights[name].double() for name in ("q", "k", "v", "o")}
    q, k, v = (_split(x.double() @ w[name].T, num_heads) for name in ("q", "k", "v"))
    q, k = of.rope(q, positions), of.rope(k, positions)
    heads = [
        of.attend(q[:, :, start:end], k[:, :, :end], v[:, :, :end])
        for start, end in pairwise(accumulate(lengths, initial=0))
    ]
    return torch.cat(heads, dim=2).transpose(1, 2).flatten(-2) @ w["o"].T


def _split(x: Tensor, num_heads: int) -> Tensor:
    """(B, S, E) -> (B, H, S, D)."""
    B, S, E = x.shape
    return x.reshape(B, S, num_heads, E // num_heads).transpose(1, 2)


@dataclass(frozen=True, slots=True)
class ModelOf:
    """What the model is built from."""

    rms_norm: Callable[[Tensor, Tensor], Tensor] = layers.rms_norm
    swiglu: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor] = layers.swiglu
    layer: Callable[[Tensor, Weights, int, Sequence[int]], Tensor] = attention_layer


_MODEL_OF = ModelOf()


def language_model(
    ids: Tensor, weights: Weights, num_heads: int, lengths: Sequence[int], of: ModelOf = _MODEL_OF
) -> Tensor:
    """ids (B, S) -> logits (B, S, V)."""
    embedding: Tensor = weights["embedding"]
    head: Tensor = weights["head"]
    x = embedding.double()[ids]
    for block in weights["blocks"]:
        x = x + of.layer(of.rms_norm(x, block["norm1"]), block, num_heads, lengths)
        x = x + of.swiglu(of.rms_norm(x, block["norm2"]), block["gate"], block["up"], block["down"])
    return of.rms_norm(x, weights["norm"]) @ head.double().T
