"""Which of a module's matrices is which: any right module can be compared under its own weights.

Names do not matter. Where the four layers are called as in the handout they are taken by name; else every way to read
the matrices found (separate, fused query-key-value, fused key-value, one matrix a head, one tensor of all heads,
convolutions of width 1) as query, key, value and output is a candidate, and the caller keeps the one that agrees.
A matrix may be kept as (out, in), as in `nn.Linear`, or as (in, out), for x @ W: both are tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import combinations, permutations, product
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
    """Every reading of `parameters` as query, key, value and output, the likeliest first; which is which by name alone
    where the layers are called as in the handout.

    An empty list means that the module does not hold four maps of size (E, E). Up to two more may be left unused.
    """
    named = by_name(parameters, embed_dim)
    if named is not None:
        return _either_way([named])
    found = replayable(parameters, embed_dim, num_heads)
    return found or _either_way(list(_four(parameters, embed_dim, num_heads, unused=_MOST_UNUSED)))


def kept_candidates(
    parameters: Mapping[str, Tensor], embed_dim: int, num_heads: int
) -> tuple[AttentionWeights, ...]:
    """The `candidates`; of the same tensors they are the same objects."""
    return _of_objects(tuple(parameters.items()), versions(parameters.values()), embed_dim, num_heads)


@lru_cache(maxsize=32)
def _of_objects(
    named: tuple[tuple[str, Tensor], ...], versions: tuple[int, ...], embed_dim: int, num_heads: int
) -> tuple[AttentionWeights, ...]:
    return tuple(candidates(dict(named), embed_dim, num_heads))


def versions(tensors: Iterable[Tensor | None]) -> tuple[int, ...]:
    """How often each was written to: with the objects themselves, what a result that is kept depends on."""
    return tuple([0 if tensor is None else tensor._version for tensor in tensors])


def replayable(parameters: Mapping[str, Tensor], embed_dim: int, num_heads: int) -> list[AttentionWeights]:
    """The `candidates` under which known mistakes are looked for: few enough to try every mistake with each."""
    named = by_name(parameters, embed_dim)
    if named is not None:
        return [named]
    return _either_way(list(_four(parameters, embed_dim, num_heads, unused=0)))


def _four(
    parameters: Mapping[str, Tensor], embed_dim: int, num_heads: int, *, unused: int
) -> Iterator[AttentionWeights]:
    """Every order of every four of the maps, where at most `unused` are left over."""
    for matrices in _readings(parameters, embed_dim, num_heads):
        if len(TEMPLATE) <= len(matrices) <= len(TEMPLATE) + unused:
            for chosen in combinations(matrices, len(TEMPLATE)):
                yield from (_weights(order) for order in permutations(chosen))


_MOST_UNUSED = 2
_ORIENTATIONS = ((False, False), (True, True), (False, True), (True, False))
"""Whether the maps of the inputs, and that of the output, are kept as (in, out)."""


def _either_way(found: list[AttentionWeights]) -> list[AttentionWeights]:
    """Each in every orientation: all of them in the likeliest first."""
    return [_turned(w, inputs, output) for inputs, output in _ORIENTATIONS for w in found]


def _turned(weights: AttentionWeights, inputs: bool, output: bool) -> AttentionWeights:
    w = weights
    if inputs:
        w = replace(w, w_q=w.w_q.T, w_k=w.w_k.T, w_v=w.w_v.T)
    return replace(w, w_o=w.w_o.T) if output else w


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
    """Ways to read the parameters as a list of (E, E) maps, in one orientation."""
    flat = {name: _as_matrix(p, embed_dim, num_heads) for name, p in parameters.items()}
    groups = _per_head_groups(flat, embed_dim, num_heads)
    merged = {name: names for names in groups.values() for name in names}
    # One entry a map or fused map: its name, its matrix (rows · E, E), and its bias where the name tells.
    found: list[tuple[str, Tensor, Tensor | None]] = []
    for names in groups.values():
        biases = [_bias_of(n, parameters, embed_dim // num_heads) for n in names]
        present = [b for b in biases if b is not None]
        whole = torch.cat(present) if len(present) == len(names) else None
        found.append((names[0], torch.cat([flat[n] for n in names]), whole))
    for name, matrix in flat.items():
        fits = matrix.dim() == 2 and matrix.shape[1] == embed_dim and matrix.shape[0] % embed_dim == 0
        if fits and name not in merged and matrix.shape[0] // embed_dim in (1, 2, 3, 4):
            found.append((name, matrix, _bias_of(name, parameters, matrix.shape[0])))
    found = _with_biases_in_order(found, parameters)
    options = [_splits(matrix, bias, embed_dim, num_heads) for _, matrix, bias in found]
    if sum(len(alternatives[0]) for alternatives in options) != len(TEMPLATE):
        options = [alternatives[:1] for alternatives in options]  # one reading says how many maps there are
    for choice in product(*options):
        yield [matrix for matrices in choice for matrix in matrices]


def _as_matrix(parameter: Tensor, embed_dim: int, num_heads: int) -> Tensor:
    """A parameter as (rows, E), where it can be one; the features of the heads are then rows, head by head."""
    E, H = embed_dim, num_heads
    D = E // H
    p = parameter
    while p.dim() > 2 and p.shape[-1] == 1:  # a convolution of width 1 is a linear map
        p = p.squeeze(-1)
    if p.dim() == 3 and sorted(p.shape) == sorted((H, D, E)) and len({H, D, E}) == 3:
        return p.permute(p.shape.index(H), p.shape.index(D), p.shape.index(E)).reshape(E, E)
    if p.dim() >= 3 and p.shape[0] in (2, 3, 4):  # several maps in one tensor
        parts = [_as_matrix(part, E, H) for part in p]
        return torch.cat(parts) if tuple(parts[0].shape) == (E, E) else p
    if p.dim() == 2 and p.shape[0] == E and tuple(p.shape) in {(E, D), (E, 2 * E), (E, 3 * E)}:
        return p.T  # (in, out), which only matrices that are not square show
    return p


def _splits(matrix: Tensor, bias: Tensor | None, embed_dim: int, num_heads: int) -> list[list[Matrix]]:
    """The ways to read one matrix (rows · E, E) as maps."""
    fused = matrix.shape[0] // embed_dim
    plain = _chunked(matrix, bias, fused)
    return [plain, *_interleaved(matrix, bias, fused, num_heads)] if fused in (2, 3) else [plain]


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


def _per_head_groups(matrices: Mapping[str, Tensor], embed_dim: int, num_heads: int) -> dict[str, list[str]]:
    """Names of (D, E) matrices that differ only in an index, such as q.0.weight, q.1.weight, in order."""
    if num_heads == 1:
        return {}
    groups: dict[str, list[str]] = {}
    for name, matrix in matrices.items():
        if tuple(matrix.shape) == (embed_dim // num_heads, embed_dim) and re.search(r"\d+", name):
            groups.setdefault(re.sub(r"\d+", "#", name, count=1), []).append(name)
    return {key: names for key, names in groups.items() if len(names) == num_heads}


def _bias_of(name: str, parameters: Mapping[str, Tensor], size: int) -> Tensor | None:
    """The bias that goes with a weight by its name: q.weight and q.bias, in_proj_weight and in_proj_bias."""
    for old, new in (("weight", "bias"), ("W", "b"), ("w", "b")):
        head, found, tail = name.rpartition(old)
        other = parameters.get(head + new + tail) if found else None
        if other is not None and other.numel() == size:
            return other.reshape(size)
    return None


def _with_biases_in_order(
    found: list[tuple[str, Tensor, Tensor | None]], parameters: Mapping[str, Tensor]
) -> list[tuple[str, Tensor, Tensor | None]]:
    """Maps whose names lead to no bias get those left over, in order, where there are as many of each size."""
    taken = {bias.data_ptr() for _, _, bias in found if bias is not None}
    result = list(found)
    for size in {matrix.shape[0] for _, matrix, _ in found}:
        without = [i for i, (_, matrix, bias) in enumerate(found) if bias is None and matrix.shape[0] == size]
        left = [p for p in parameters.values() if p.numel() == size and p.data_ptr() not in taken]
        if len(left) == len(without):
            for i, bias in zip(without, left, strict=True):
                name, matrix, _ = found[i]
                result[i] = (name, matrix, bias.reshape(size))
    return result
