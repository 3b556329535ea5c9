"""Attention as the reference computes it, kept by what it was computed from.

The judges of a class are forked from a process that has judged a right hand-in under the class's seed. Weights and
inputs come from that seed, so for a module whose layers are called as in the handout the expected outputs are there
already; for any other they are computed when they are asked for. First it is asked whether the tensors are the same
objects, as they are where the same was drawn once for all; then whether they hold the same values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import cast

import torch
from torch import Tensor

from reference.transformer.attention import Attended, AttentionWeights, attention
from reference.transformer.matching import candidates, versions

_KEPT = 64
"""Results of each kind: a few kilobytes each, about a dozen a hand-in."""
_FIELDS = ("w_q", "b_q", "w_k", "b_k", "w_v", "b_v", "w_o", "b_o")
_of_weights = attrgetter(*_FIELDS)


class Values:
    """A dense tensor as a key: equal to others of its dtype and shape where every bit is."""

    __slots__ = ("_key", "_tensor")

    def __init__(self, tensor: Tensor) -> None:
        """Whether it has a history of operations is forgotten."""
        self._tensor = tensor.detach()
        self._key = tensor.dtype, tuple(tensor.shape), self._tensor.numpy().tobytes()

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Values) and self._key == other._key

    def tensor(self) -> Tensor:
        """A copy, with the strides of the first: kernels differ in the last digit by them."""
        return self._tensor.clone()


def values_of(*tensors: Tensor | None) -> tuple[Values | None, ...]:
    """Of each; None stays None."""
    return tuple(None if tensor is None else Values(tensor) for tensor in tensors)


def tensors_of(values: Iterable[Values | None]) -> list[Tensor | None]:
    """The way back."""
    return [None if value is None else value.tensor() for value in values]


def values_of_weights(weights: AttentionWeights) -> tuple[Values | None, ...]:
    """Of the four maps."""
    return values_of(*_of_weights(weights))


def weights_of_values(values: Iterable[Values | None]) -> AttentionWeights:
    """The way back."""
    return AttentionWeights(**dict(zip(_FIELDS, cast(list[Tensor], tensors_of(values)), strict=True)))


def expected_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    weights: AttentionWeights,
    num_heads: int,
    attn_mask: Tensor | None = None,
) -> Attended:
    """What `attention` gives, without a graph; shapes as there. Not to be written to: others get the same tensors."""
    given = (query, key, value, attn_mask, *_of_weights(weights))
    return _of_objects(given, versions(given), num_heads)


@lru_cache(maxsize=_KEPT)
def _of_objects(given: tuple[Tensor | None, ...], versions: tuple[int, ...], num_heads: int) -> Attended:
    return _attention(values_of(*given[4:]), num_heads, values_of(*given[:4]))


@lru_cache(maxsize=_KEPT)
def _attention(
    weights: tuple[Values | None, ...], num_heads: int, inputs: tuple[Values | None, ...]
) -> Attended:
    query, key, value, attn_mask = tensors_of(inputs)
    assert query is not None
    assert key is not None
    assert value is not None
    return attention(query, key, value, weights_of_values(weights), num_heads, attn_mask)


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
    given = (*parameters.values(), *inputs, cotangent)
    return _gradients_of_objects(tuple(parameters), given, versions(given), reading, num_heads)


@lru_cache(maxsize=_KEPT)
def _gradients_of_objects(
    names: tuple[str, ...],
    given: tuple[Tensor | None, ...],
    versions: tuple[int, ...],
    reading: int,
    num_heads: int,
) -> dict[str, Tensor]:
    values = values_of(*given)
    parameters, inputs, cotangent = values[: len(names)], values[len(names) : -1], values[-1]
    named = tuple(zip(names, cast(tuple[Values, ...], parameters), strict=True))
    return _gradients(named, reading, num_heads, inputs, cast(Values, cotangent))


@lru_cache(maxsize=_KEPT)
def _gradients(
    named: tuple[tuple[str, Values], ...],
    reading: int,
    num_heads: int,
    values: tuple[Values | None, ...],
    cotangent: Values,
) -> dict[str, Tensor]:
    leaves = {name: value.tensor().requires_grad_() for name, value in named}
    query, key, value, attn_mask = tensors_of(values)
    assert query is not None
    assert key is not None
    assert value is not None
    weights = candidates(leaves, query.size(-1), num_heads)[reading]
    output = attention(query, key, value, weights, num_heads, attn_mask).output
    (output * cotangent.tensor()).sum().backward()  # type: ignore[no-untyped-call]
    return {n: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for n, leaf in leaves.items()}
