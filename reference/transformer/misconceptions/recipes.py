"""Multi-head attention and what students make of it: one function, its steps as switches.

`Recipe()` is right; every misconception sets a switch or two to something else. A run of student code is replayed by
computing the recipe with the student's own weights, on the same inputs, with the same seed for dropout.

Letters:  N batch   S length of the query   T length of key and value   E embed_dim   H heads   D = E / H
          R readings of the student's weights, where there is more than one: a first axis of every tensor
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference.transformer.attention import AttentionWeights
from reference.transformer.misconceptions.drops import Drop, Kind, Mode, seeded
from reference.transformer.misconceptions.steps import Steps

Map: TypeAlias = tuple[Tensor, Tensor | None]
"""Matrix (E, E), or (R, 1, E, E), of a linear map x Wᵀ + b, and its bias (E,), or (R, 1, 1, E)."""


@dataclass(frozen=True, slots=True)
class Recipe(Steps):
    """Attention with its steps as switches; the defaults are right."""

    inputs: str = "qkv"
    """Which argument is projected to query, key and value: letters of q, k, v."""
    layers: str = "qkv"
    """Which layer projects each of them; "-" for none."""
    split: str = "heads"
    """"heads", "view" without a transpose, "interleaved": neighbours go to different heads, "one" head."""
    product: str = "@"
    """"@", or "*" element by element; "turned": keys attend to queries."""
    scale: str = "root of D"
    """Name in SCALES, or "after" the softmax."""
    mask: str = "remove"
    """Name in MASKS, "ignore", or what is done after the softmax: "zero after", "infinite after"."""
    softmax: str = "keys"
    """Name in SOFTMAX."""
    weighted: str = "@"
    """Product of weights and values: "@" or "*"."""
    merge: str = "heads"
    """"heads", "view" without a transpose, "interleaved", "key length": rows as many as the keys."""
    output: str = "projected"
    """"projected", "as it is", "new layer" drawn in forward, "added" to the query after the projection."""
    dropout: str = "weights"
    """Name in DROPOUT: what is dropped, in train mode unless it says otherwise."""


RIGHT = Recipe()


DROPOUT: dict[str, Kind] = {
    "weights": Kind(("weights",)),
    "none": Kind(()),
    "always": Kind(("weights",), always=True),
    "scores": Kind(("scores",)),
    "values": Kind(("values",)),
    "heads": Kind(("heads",)),
    "output": Kind(("output",)),
    "weights and output": Kind(("weights", "output")),
    "twice": Kind(("weights", "weights")),
    "half": Kind(("weights",), p=0.5),
    "tenth": Kind(("weights",), p=0.1),
    "alike": Kind(("weights",), alike=-3),
    "not rescaled": Kind(("weights",), rescaled=False),
}
"""What is dropped."""


def compute(
    recipe: Recipe,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    weights: AttentionWeights | Sequence[AttentionWeights],
    num_heads: int,
    attn_mask: Tensor | None = None,
    mode: Mode = Mode(),  # noqa: B008
    memo: dict[Any, Tensor] | None = None,
) -> Tensor:
    """The output (N, S, E) of attention by `recipe`, or (R, N, S, E) for a list of R weights.

    Other arguments as in `reference.transformer.attention.attention`. memo: keeps the scores of one set of inputs from
    recipe to recipe. Raises RuntimeError or TypeError where code like the recipe would.
    """
    maps = _maps(weights)
    with seeded(mode.seed), torch.no_grad():
        drop = Drop(DROPOUT[recipe.dropout], mode)
        kept = memo if memo is not None and not drop.active else None
        scores, v = _scores(recipe, (query, key, value), maps, num_heads, drop, kept)
        scores = drop("scores", _masked(recipe, scores, attn_mask), 4)
        attn = drop("weights", _normalised(recipe, scores, attn_mask, query.size(-1) // num_heads), 4)
        heads = drop("heads", attn @ v if recipe.weighted == "@" else attn * v, 4)  # (N, H, S, D)
        merged = _merged(recipe, heads, key.size(1))  # (N, S, E)
        return drop("output", _output(recipe, merged, maps, query), 3)


# ---------------------------------------------------------------- projections, heads and scores


def _maps(weights: AttentionWeights | Sequence[AttentionWeights]) -> dict[str, Map]:
    """The four maps by letter."""
    if isinstance(weights, AttentionWeights):
        w = weights
        return {"q": (w.w_q, w.b_q), "k": (w.w_k, w.b_k), "v": (w.w_v, w.b_v), "o": (w.w_o, w.b_o)}
    if len(weights) == 1:
        return _maps(weights[0])
    each = [_maps(w) for w in weights]
    return {letter: _stacked([maps[letter] for maps in each]) for letter in "qkvo"}


def _stacked(maps: Sequence[Map]) -> Map:
    biases = [torch.zeros(len(w)) if b is None else b for w, b in maps]
    return torch.stack([w for w, _ in maps])[:, None], torch.stack(biases)[:, None, None]


def _linear(x: Tensor, layer: Map) -> Tensor:
    weight, bias = layer
    if weight.dim() == 2:
        return F.linear(x, weight, bias)
    assert bias is not None
    return x @ weight.mT + bias  # (N, L, E) @ (R, 1, E, E) -> (R, N, L, E)


def _scores(
    recipe: Recipe,
    inputs: tuple[Tensor, Tensor, Tensor],
    maps: dict[str, Map],
    num_heads: int,
    drop: Drop,
    memo: dict[Any, Tensor] | None,
) -> tuple[Tensor, Tensor]:
    """Scaled scores (N, H, S, T) and values (N, H, T, D)."""

    def heads(source: str, layer: str) -> Tensor:
        x = inputs["qkv".index(source)]
        return _split(recipe, x if layer == "-" else _linear(x, maps[layer]), num_heads)

    q, k, v = (
        _remember(memo, (source, layer, recipe.split), partial(heads, source, layer))
        for source, layer in zip(recipe.inputs, recipe.layers, strict=True)
    )
    v = drop("values", v, 4)
    key = (recipe.inputs, recipe.layers, recipe.split, recipe.product, recipe.scale)
    return _remember(memo, key, partial(_scaled, recipe, q, k, num_heads)), v


def _remember(memo: dict[Any, Tensor] | None, key: Any, make: Callable[[], Tensor]) -> Tensor:
    if memo is None:
        return make()
    if key not in memo:
        memo[key] = make()
    return memo[key]


def _split(recipe: Recipe, x: Tensor, num_heads: int) -> Tensor:
    """(N, L, E) -> (N, H, L, D)"""
    L, E = x.shape[-2:]
    D = E // num_heads
    match recipe.split:
        case "view":
            return x.reshape(*x.shape[:-2], num_heads, L, D)
        case "interleaved":
            return x.view(*x.shape[:-1], D, num_heads).movedim(-1, -3)  # (N, L, D, H) -> (N, H, L, D)
        case "one":
            return x.unsqueeze(-3)  # (N, 1, L, E)
        case _:
            return x.view(*x.shape[:-1], num_heads, D).transpose(-3, -2)  # (N, L, H, D) -> (N, H, L, D)


def _scaled(recipe: Recipe, q: Tensor, k: Tensor, num_heads: int) -> Tensor:
    """Scores (N, H, S, T) over the scale."""
    if recipe.product == "turned":
        q, k = k, q
    scores = q @ k.transpose(-2, -1) if recipe.product != "*" else q * k.transpose(-2, -1)
    if recipe.scale == "after":
        return scores
    return scores / SCALES[recipe.scale](Sizes(q.size(-1), q.size(-1) * q.size(-3), num_heads, k.size(-2)))


class Sizes(NamedTuple):
    """What a scale is made of."""

    D: int
    E: int
    H: int
    T: int


SCALES: dict[str, Callable[[Sizes], float]] = {
    "root of D": lambda s: math.sqrt(s.D),
    "D": lambda s: s.D,
    "E": lambda s: s.E,
    "root of E": lambda s: math.sqrt(s.E),
    "H": lambda s: s.H,
    "root of H": lambda s: math.sqrt(s.H),
    "root of T": lambda s: math.sqrt(s.T),
    "whole root of D": lambda s: int(math.sqrt(s.D)),
    "1 / root of D": lambda s: 1 / math.sqrt(s.D),
    "1": lambda s: 1.0,
}
"""The divisor of the scores."""


# ---------------------------------------------------------------- mask and softmax


def _masked(recipe: Recipe, scores: Tensor, mask: Tensor | None) -> Tensor:
    """The scores with the mask in them, as far as it acts before the softmax."""
    S, T = scores.shape[-2:]
    if recipe.mask == "causal" or (recipe.mask == "causal by default" and mask is None):
        return scores.masked_fill(torch.ones(S, T).tril() == 0, -math.inf)
    if mask is None or recipe.mask not in MASKS:
        return scores
    return MASKS[recipe.mask](scores, mask)


def _first_sequence(scores: Tensor, mask: Tensor) -> Tensor:
    scores = scores.clone()
    first = scores.select(-4, 0)  # (H, S, T)
    first.masked_fill_(mask == 0, -math.inf)
    return scores


MASKS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "remove": lambda scores, mask: scores.masked_fill(mask == 0, -math.inf),
    "causal by default": lambda scores, mask: scores.masked_fill(mask == 0, -math.inf),
    "invert": lambda scores, mask: scores.masked_fill(mask != 0, -math.inf),
    "zero": lambda scores, mask: scores.masked_fill(mask == 0, 0.0),
    "add": lambda scores, mask: scores + mask,
    "times infinity": lambda scores, mask: scores + (mask == 0) * -math.inf,
    "not": lambda scores, mask: scores.masked_fill(~mask, -math.inf),
    "one minus": lambda scores, mask: scores + (1 - mask) * -1e9,
    "transposed": lambda scores, mask: scores.masked_fill(mask.T == 0, -math.inf),
    "first row": lambda scores, mask: scores.masked_fill(mask[0] == 0, -math.inf),
    "first sequence": _first_sequence,
}
"""(scores (N, H, S, T), mask (S, T)) -> scores before the softmax."""

SOFTMAX: dict[str, Callable[[Tensor], Tensor]] = {
    "keys": lambda scores: scores.softmax(-1),
    "queries": lambda scores: scores.softmax(-2),
    "heads": lambda scores: scores.softmax(-3),
    "batch": lambda scores: scores.softmax(-4),
    "none": lambda scores: scores,
    "twice": lambda scores: scores.softmax(-1).softmax(-1),
    "sum": lambda scores: scores / scores.sum(-1, keepdim=True),
    "uniform": lambda scores: torch.full_like(scores, 1 / scores.size(-1)),
}
"""From scores to attention weights."""


def _normalised(recipe: Recipe, scores: Tensor, mask: Tensor | None, D: int) -> Tensor:
    """Attention weights (N, H, S, T), and what some do to them afterwards."""
    attn = SOFTMAX[recipe.softmax](scores)
    if recipe.scale == "after":
        attn = attn / math.sqrt(D)
    if mask is not None and recipe.mask in ("zero after", "infinite after"):
        attn = attn.masked_fill(mask == 0, 0.0 if recipe.mask == "zero after" else -math.inf)
    return attn


# ---------------------------------------------------------------- merging and output


def _merged(recipe: Recipe, heads: Tensor, T: int) -> Tensor:
    """(N, H, S, D) -> (N, S, E)"""
    H, S, D = heads.shape[-3:]
    lead = heads.shape[:-3]
    match recipe.merge:
        case "view":
            return heads.reshape(*lead, S, H * D)
        case "interleaved":
            return heads.movedim(-3, -1).flatten(-2)  # (N, S, D, H) -> (N, S, D·H)
        case "key length":
            return heads.transpose(-3, -2).reshape(*lead, T, H * D)
        case _:
            return heads.transpose(-3, -2).flatten(-2)  # (N, S, H, D) -> (N, S, H·D)


def _output(recipe: Recipe, merged: Tensor, maps: dict[str, Map], query: Tensor) -> Tensor:
    match recipe.output:
        case "as it is":
            return merged
        case "new layer":
            output: Tensor = nn.Linear(merged.size(-1), merged.size(-1))(merged)
            return output
        case "added":
            return query + _linear(merged, maps["o"])
        case _:
            return _linear(merged, maps["o"])
