"""Which of a module's matrices is which: any right module can be compared under its own weights.

Names do not matter. Where the four layers are called as in the handout they are taken by name; else every way to read
the matrices found (separate, fused query-key-value, fused key-value, one matrix a head, either orientation for
matrices used by hand) as query, key, value and output is a candidate, and the caller keeps the one that agrees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import permutations, product
from typing import NamedTuple

import torch
from torch import Tensor

from reference.transformer.attention import AttentionWeights

TEMPLATE = ("query", "key", "value", "proj")


class Matrix(NamedTuple):
    """One (E, E) map with its bias: x Wᵀ + b."""

    weight: Tensor
    bias: Tensor | None


def by_name(parameters: Mapping[str, Tensor], embed_dim: int) -> AttentionWeights | None:
    """The weights of layers called query, key, value and proj, or None where the names or shapes differ."""
    found = []
    for name in TEMPLATE:
        weight, bias = parameters.get(f"{name}.weight"), parameters.get(f"{name}.bias")
        if weight is None or tuple(weight.shape) != (embed_dim, embed_dim):
            return None
        found.append(Matrix(weight, bias))
    return _weights(found)


def candidates(parameters: Mapping[str, Tensor], embed_dim: int, num_heads: int) -> list[AttentionWeights]:
    """Every reading of `parameters` as query, key, value and output; the one by name alone where there is one.

    An empty list means that the module does not hold four maps of size (E, E).
    """
    named = by_name(parameters, embed_dim)
    if named is not None:
        return [named]
    found: list[AttentionWeights] = []
    for matrices in _readings(parameters, embed_dim, num_heads):
        if len(matrices) == len(TEMPLATE):
            found.extend(_weights(order) for order in permutations(matrices))
    return found


def count_maps(parameters: Mapping[str, Tensor], embed_dim: int, num_heads: int) -> int:
    """How many (E, E) maps the module holds, fused ones counted apart."""
    return max((len(m) for m in _readings(parameters, embed_dim, num_heads)), default=0)


def _weights(order: tuple[Matrix, ...] | list[Matrix]) -> AttentionWeights:
    q, k, v, o = order
    return AttentionWeights(
        w_q=q.weight, b_q=q.bias, w_k=k.weight, b_k=k.bias,
        w_v=v.weight, b_v=v.bias, w_o=o.weight, b_o=o.bias,
    )  # fmt: skip


def _readings(parameters: Mapping[str, Tensor], embed_dim: int, num_heads: int) -> Iterator[list[Matrix]]:
    """Ways to read the parameters as a list of (E, E) maps: used by hand, x @ W, they may all be turned."""
    for turned in (False, True):
        by_hand = {n for n, p in parameters.items() if p.dim() == 2 and not n.endswith("weight")}
        if by_hand or not turned:
            as_linear = {n: p.T if turned and n in by_hand else p for n, p in parameters.items()}
            yield from _readings_of_linear(as_linear, embed_dim, num_heads)


def _readings_of_linear(
    parameters: Mapping[str, Tensor], embed_dim: int, num_heads: int
) -> Iterator[list[Matrix]]:
    """The same for matrices that are all (out, in), as `nn.Linear` keeps them."""
    groups = _per_head_groups(parameters, embed_dim, num_heads)
    grouped = {name for names in groups.values() for name in names}
    options: list[list[list[Matrix]]] = []
    for names in groups.values():
        stacked = torch.cat([parameters[n] for n in names])  # H matrices (D, E) -> (E, E)
        biases = [_bias_of(n, parameters, embed_dim // num_heads) for n in names]
        present = [b for b in biases if b is not None]
        options.append([[Matrix(stacked, torch.cat(present) if len(present) == len(names) else None)]])
    for name, parameter in parameters.items():
        if name not in grouped:
            options.extend(_splits(name, parameter, parameters, embed_dim, num_heads))
    if sum(len(alternatives[0]) for alternatives in options) != len(TEMPLATE):
        options = [alternatives[:1] for alternatives in options]  # one reading says how many maps there are
    for choice in product(*options):
        yield [matrix for matrices in choice for matrix in matrices]


def _splits(
    name: str, parameter: Tensor, parameters: Mapping[str, Tensor], embed_dim: int, num_heads: int
) -> list[list[list[Matrix]]]:
    """The ways to read one parameter as maps: [] where it is none, else one list of alternatives."""
    E = embed_dim
    if tuple(parameter.shape) == (E, E):
        return [[[Matrix(parameter, _bias_of(name, parameters, E))]]]
    for fused in (2, 3):
        if tuple(parameter.shape) == (fused * E, E):
            bias = _bias_of(name, parameters, fused * E)
            return [[_chunked(parameter, bias, fused), *_interleaved(parameter, bias, fused, num_heads)]]
    return []


def _chunked(weight: Tensor, bias: Tensor | None, fused: int) -> list[Matrix]:
    """(fused · E, E) as `fused` blocks one after the other, as in nn.MultiheadAttention."""
    biases = bias.chunk(fused) if bias is not None else [None] * fused
    return [Matrix(w, b) for w, b in zip(weight.chunk(fused), biases, strict=True)]


def _interleaved(weight: Tensor, bias: Tensor | None, fused: int, num_heads: int) -> Iterator[list[Matrix]]:
    """Rows that run head by head (H, fused, D), as in GPT-NeoX, or feature by feature (H, D, fused)."""
    E = weight.shape[1]
    D = E // num_heads
    for view, axis in (((num_heads, fused, D), 1), ((num_heads, D, fused), 2)):
        rows = weight.reshape(*view, E).unbind(axis)
        biases = bias.reshape(view).unbind(axis) if bias is not None else [None] * fused
        yield [
            Matrix(w.reshape(E, E), None if b is None else b.reshape(E))
            for w, b in zip(rows, biases, strict=True)
        ]


def _per_head_groups(
    parameters: Mapping[str, Tensor], embed_dim: int, num_heads: int
) -> dict[str, list[str]]:
    """Names of (D, E) matrices that differ only in an index, such as q.0.weight, q.1.weight, in order."""
    if num_heads == 1:
        return {}
    groups: dict[str, list[str]] = {}
    for name, parameter in parameters.items():
        if tuple(parameter.shape) == (embed_dim // num_heads, embed_dim) and re.search(r"\d+", name):
            groups.setdefault(re.sub(r"\d+", "#", name, count=1), []).append(name)
    return {key: names for key, names in groups.items() if len(names) == num_heads}


def _bias_of(name: str, parameters: Mapping[str, Tensor], size: int) -> Tensor | None:
    """The bias that goes with a weight by its name: q.weight and q.bias, in_proj_weight and in_proj_bias."""
    for old, new in (("weight", "bias"), ("W", "b"), ("w", "b")):
        head, found, tail = name.rpartition(old)
        other = parameters.get(head + new + tail) if found else None
        if other is not None and tuple(other.shape) == (size,):
            return other
    return None
