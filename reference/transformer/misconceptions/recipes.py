"""Multi-head attention and what students make of it, as one computation with its steps as switches.

`Recipe()` is right; every misconception sets a switch or two to something else. `attending` computes a recipe.

Letters:  N batch   S length of the query   T length of key and value   E embed_dim   H heads   D = E / H
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from reference.transformer.misconceptions.drops import Kind
from reference.transformer.misconceptions.steps import Steps


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
"""What is dropped, of values, scores, weights, heads (the weighted sums) and output."""


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
