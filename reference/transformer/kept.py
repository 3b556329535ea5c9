"""Attention as the reference computes it, kept by the values that it was computed from.

The judges of a class are forked from a process that has judged a right hand-in under the class's seed. Weights and
inputs come from that seed, so for a module whose layers are called as in the handout the expected outputs are there
already; for any other they are computed when they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple, cast

import torch
from torch import Tensor

from reference.transformer.attention import Attended, AttentionWeights, attention
from reference.transformer.matching import candidates

_KEPT = 64
"""Results of each kind: a few kilobytes each, about a dozen a hand-in."""
_FIELDS = ("w_q", "b_q", "w_k", "b_k", "w_v", "b_v", "w_o", "b_o")
_of_weights = attrgetter(*_FIELDS)


class _Values(NamedTuple):
    """A dense tensor that can be a key: equal where every bit is."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    data: bytes

    @classmethod
    def of(cls, tensor: Tensor) -> _Values:
        return cls(tensor.dtype, tuple(tensor.shape), tensor.detach().numpy().tobytes())

    def tensor(self) -> Tensor:
        if not self.data:
            return torch.empty(self.shape, dtype=self.dtype)
        return torch.frombuffer(bytearray(self.data), dtype=self.dtype).reshape(self.shape)


def _values(*tensors: Tensor | None) -> tuple[_Values | None, ...]:
    return tuple(None if tensor is None else _Values.of(tensor) for tensor in tensors)


def expected_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    weights: AttentionWeights,
    num_heads: int,
    attn_mask: Tensor | None = None,
) -> Attended:
    """What `attention` gives, without a graph; shapes as there. Not to be written to: others get the same tensors."""
    return _attention(_values(query, key, value, *_of_weights(weights), attn_mask), num_heads)


@lru_cache(maxsize=_KEPT)
def _attention(values: tuple[_Values | None, ...], num_heads: int) -> Attended:
    query, key, value, *maps, attn_mask = (v and v.tensor() for v in values)
    assert query is not None
    assert key is not None
    assert value is not None
    weights = AttentionWeights(**dict(zip(_FIELDS, cast(list[Tensor], maps), strict=True)))
    return attention(query, key, value, weights, num_heads, attn_mask)


def expected_gradients(
    parameters: Mapping[str, Tensor],
    reading: int,
    num_heads: int,
    inputs: Sequence[Tensor | None],
    cotangent: Tensor,
) -> Mapping[str, Tensor]:
    """d(sum of output · cotangent) by d(parameter) for each of `parameters`, of its shape; 0 where none reaches it.

    reading: which of the `candidates` for the parameters holds. inputs: query (N, S, E), key and value (N, T, E), and
    the mask (S, T) or None. Not to be written to: others get the same tensors.
    """
    named = tuple((name, _Values.of(value)) for name, value in parameters.items())
    return _gradients(named, reading, num_heads, _values(*inputs), _Values.of(cotangent))


@lru_cache(maxsize=_KEPT)
def _gradients(
    named: tuple[tuple[str, _Values], ...],
    reading: int,
    num_heads: int,
    values: tuple[_Values | None, ...],
    cotangent: _Values,
) -> dict[str, Tensor]:
    leaves = {name: value.tensor().requires_grad_() for name, value in named}
    query, key, value, attn_mask = (v and v.tensor() for v in values)
    assert query is not None
    assert key is not None
    assert value is not None
    weights = candidates(leaves, query.size(-1), num_heads)[reading]
    output = attention(query, key, value, weights, num_heads, attn_mask).output
    (output * cotangent.tensor()).sum().backward()  # type: ignore[no-untyped-call]
    return {n: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for n, leaf in leaves.items()}
