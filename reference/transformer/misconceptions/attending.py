"""Attention by any recipe, with given weights and on given inputs: how a student's call is replayed.

Letters:  N batch   S length of the query   T length of key and value   E embed_dim   H heads   D = E / H
          R readings of the student's weights, where there is more than one: a first axis of every tensor
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference.transformer.attention import AttentionWeights
from reference.transformer.kept import (
    Values,
    tensors_of,
    values_of,
    values_of_weights,
    weights_of_values,
)
from reference.transformer.misconceptions.drops import Drop, Mode, seeded
from reference.transformer.misconceptions.recipes import DROPOUT, MASKS, SCALES, SOFTMAX, Recipe, Sizes

_KEPT = 64
"""Calls: their results take a few hundred kilobytes each; a hand-in that is wrong throughout makes about twenty."""

Map: TypeAlias = tuple[Tensor, Tensor | None]
"""Matrix (E, E), or (R, 1, E, E), of a linear map x Wᵀ + b, and its bias (E,), or (R, 1, 1, E)."""
Maps: TypeAlias = dict[str, Map]
"""The maps of query, key, value and output, by the letters q, k, v, o."""


def attending(readings: Sequence[AttentionWeights], num_heads: int, inputs: Sequence[Tensor]) -> Attending:
    """One call under each of R readings. Of one reading, the same values are the same object, with what it has computed
    already: the probes of a class are alike wherever the layers are."""
    if len(readings) > 1:
        return Attending(maps_of(readings), num_heads, inputs)
    return _of_one(values_of_weights(readings[0]), num_heads, values_of(*inputs))


@lru_cache(maxsize=_KEPT)
def _of_one(
    weights: tuple[Values | None, ...], num_heads: int, inputs: tuple[Values | None, ...]
) -> Attending:
    tensors = [tensor for tensor in tensors_of(inputs) if tensor is not None]
    return Attending(maps_of([weights_of_values(weights)]), num_heads, tensors)


def maps_of(readings: Sequence[AttentionWeights]) -> Maps:
    """The four maps, those of several readings stacked."""
    each = [
        {"q": (w.w_q, w.b_q), "k": (w.w_k, w.b_k), "v": (w.w_v, w.b_v), "o": (w.w_o, w.b_o)} for w in readings
    ]
    return (
        each[0]
        if len(each) == 1
        else {letter: _stacked([maps[letter] for maps in each]) for letter in "qkvo"}
    )


def _stacked(maps: Sequence[Map]) -> Map:
    biases = [torch.zeros(len(w)) if b is None else b for w, b in maps]
    return torch.stack([w for w, _ in maps])[:, None], torch.stack(biases)[:, None, None]


class Attending:
    """One call of attention: query (N, S, E), key and value (N, T, E), attn_mask (S, T) with 0 for a removed score.

    Recipes with steps in common share the results of these, so that hundreds of recipes cost little more than their
    last steps.
    """

    def __init__(self, maps: Maps, num_heads: int, inputs: Sequence[Tensor]) -> None:
        self._maps = maps
        self._num_heads = num_heads
        self._inputs = dict(zip("qkv", inputs, strict=False))
        self._mask = inputs[3] if len(inputs) > 3 else None
        self._results: dict[Hashable, Tensor] = {}
        self._outputs: dict[Recipe, Tensor] = {}
        self._sharing = True
        self._is_one = maps["q"][0].dim() == 2

    def output(self, recipe: Recipe, mode: Mode = Mode()) -> Tensor:  # noqa: B008
        """(N, S, E), or (R, N, S, E). Raises what code like the recipe raises: RuntimeError, TypeError, IndexError."""
        drop = Drop(DROPOUT[recipe.dropout], mode)
        self._sharing = not drop.active and recipe.output != "new layer"
        if self._sharing and self._is_one:
            if recipe not in self._outputs:
                self._outputs[recipe] = self._forward(recipe, drop)
            return self._outputs[recipe]
        if self._sharing:
            return self._forward(recipe, drop)
        with seeded(mode.seed), torch.no_grad():
            return self._forward(recipe, drop)

    def _forward(self, recipe: Recipe, drop: Drop) -> Tensor:
        r = recipe
        made: tuple[str, ...] = (r.inputs, r.layers, r.split, r.product, r.scale)
        q, k, v = (
            self._once((source, layer, r.split), self._projected, source, layer, r)
            for source, layer in zip(r.inputs, r.layers, strict=True)
        )
        v = drop("values", v, 4)
        scores = self._once(made, self._scaled, r, q, k)
        made = (*made, r.mask)
        scores = drop("scores", self._once(made, self._masked, r, scores, last=True), 4)
        made = (*made, r.softmax)
        attn = drop("weights", self._once(made, self._normalised, r, scores, last=True), 4)  # (N, H, S, T)
        made = (*made, r.weighted)
        heads = drop("heads", self._once(made, _weighted, r, attn, v, last=True), 4)  # (N, H, S, D)
        made = (*made, r.merge)
        merged = self._once(made, self._merged, r, heads, last=True)  # (N, S, E)
        return drop("output", self._once((*made, r.output), self._output, r, merged, last=True), 3)

    def _once(
        self, made: Hashable, make: Callable[..., Tensor], *arguments: object, last: bool = False
    ) -> Tensor:
        """The result of a step, which `made` names by its switches and those before. Of many readings, the last steps
        are too large to be kept."""
        if not self._sharing or (last and not self._is_one):
            return make(*arguments)
        if made not in self._results:
            self._results[made] = make(*arguments)
        return self._results[made]

    # -------------------------------------------------------------- the steps

    def _projected(self, source: str, layer: str, recipe: Recipe) -> Tensor:
        """(N, L, E) -> (N, H, L, D)"""
        x = self._inputs[source]
        x = x if layer == "-" else _linear(x, self._maps[layer])
        L, E = x.shape[-2:]
        H = self._num_heads
        match recipe.split:
            case "view":
                return x.reshape(*x.shape[:-2], H, L, E // H)
            case "interleaved":
                return x.view(*x.shape[:-1], E // H, H).movedim(-1, -3)  # (N, L, D, H) -> (N, H, L, D)
            case "one":
                return x.unsqueeze(-3)  # (N, 1, L, E)
            case _:
                return x.view(*x.shape[:-1], H, E // H).transpose(-3, -2)  # (N, L, H, D) -> (N, H, L, D)

    def _scaled(self, recipe: Recipe, q: Tensor, k: Tensor) -> Tensor:
        """Scores (N, H, S, T) over the scale."""
        if recipe.product == "turned":
            q, k = k, q
        scores = q * k.transpose(-2, -1) if recipe.product == "*" else q @ k.transpose(-2, -1)
        if recipe.scale == "after":
            return scores
        sizes = Sizes(q.size(-1), q.size(-1) * q.size(-3), self._num_heads, k.size(-2))
        return scores / SCALES[recipe.scale](sizes)

    def _masked(self, recipe: Recipe, scores: Tensor) -> Tensor:
        """The scores with the mask in them, as far as it acts before the softmax."""
        S, T = scores.shape[-2:]
        if recipe.mask == "causal" or (recipe.mask == "causal by default" and self._mask is None):
            return scores.masked_fill(torch.ones(S, T).tril() == 0, -math.inf)
        if self._mask is None or recipe.mask not in MASKS:
            return scores
        return MASKS[recipe.mask](scores, self._mask)

    def _normalised(self, recipe: Recipe, scores: Tensor) -> Tensor:
        """Attention weights (N, H, S, T), and what some do to them afterwards."""
        attn = SOFTMAX[recipe.softmax](scores)
        if recipe.scale == "after":
            attn = attn / math.sqrt(self._inputs["q"].size(-1) // self._num_heads)
        if self._mask is not None and recipe.mask in ("zero after", "infinite after"):
            attn = attn.masked_fill(self._mask == 0, 0.0 if recipe.mask == "zero after" else -math.inf)
        return attn

    def _merged(self, recipe: Recipe, heads: Tensor) -> Tensor:
        """(N, H, S, D) -> (N, S, E)"""
        H, S, D = heads.shape[-3:]
        lead = heads.shape[:-3]
        match recipe.merge:
            case "view":
                return heads.reshape(*lead, S, H * D)
            case "interleaved":
                return heads.movedim(-3, -1).flatten(-2)  # (N, S, D, H) -> (N, S, D·H)
            case "key length":
                return heads.transpose(-3, -2).reshape(*lead, self._inputs["k"].size(1), H * D)
            case _:
                return heads.transpose(-3, -2).flatten(-2)  # (N, S, H, D) -> (N, S, H·D)

    def _output(self, recipe: Recipe, merged: Tensor) -> Tensor:
        match recipe.output:
            case "as it is":
                return merged
            case "new layer":
                output: Tensor = nn.Linear(merged.size(-1), merged.size(-1))(merged)
                return output
            case "added":
                return self._inputs["q"] + _linear(merged, self._maps["o"])
            case _:
                return _linear(merged, self._maps["o"])


def _weighted(recipe: Recipe, attn: Tensor, v: Tensor) -> Tensor:
    return attn @ v if recipe.weighted == "@" else attn * v


def _linear(x: Tensor, layer: Map) -> Tensor:
    weight, bias = layer
    if weight.dim() == 2:
        return F.linear(x, weight, bias)
    assert bias is not None
    return x @ weight.mT + bias  # (N, L, E) @ (R, 1, E, E) -> (R, N, L, E)
