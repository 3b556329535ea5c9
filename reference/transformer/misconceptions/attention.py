"""What students get wrong in multi-head attention, as functions of the same weights and inputs.

Read off public student repositories (see docs/reference.md). A result is named after one of these only where it
alone agrees with the student's output; the mark never depends on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from reference.transformer.attention import AttentionWeights, merge_heads, split_heads

_NEAR = 1e-4


@dataclass(frozen=True, slots=True)
class Recipe:
    """Attention with its steps as switches; the defaults are right."""

    scale: Callable[[int, int], float] = lambda D, E: math.sqrt(D)
    """Divisor of the scores, from head size D and embed_dim E."""
    softmax_dim: int = -1
    mask: str = "remove"
    """"remove" where 0, "invert", "ignore", "after" the softmax without renormalising, "zero" the score."""
    value_of_key: bool = False
    swap: bool = False
    """Query projected by the key layer and the other way round."""
    split: Callable[[Tensor, int], Tensor] = split_heads
    merge: Callable[[Tensor], Tensor] = merge_heads
    project: bool = True
    average: bool = False
    """Weights all alike."""


@dataclass(frozen=True, slots=True)
class Misconception:
    """A wrong belief and how to tell a student of it without giving the answer away."""

    id: str
    title: str
    belief: str
    hint: str
    recipe: Recipe


def compute(
    recipe: Recipe,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    weights: AttentionWeights,
    num_heads: int,
    attn_mask: Tensor | None = None,
) -> Tensor:
    """The output (N, S, E) of attention by `recipe`; arguments as in `reference.transformer.attention.attention`."""
    w = weights
    if recipe.swap:
        w = replace(w, w_q=w.w_k, b_q=w.b_k, w_k=w.w_q, b_k=w.b_q)
    q = recipe.split(F.linear(query, w.w_q, w.b_q), num_heads)  # (N, H, S, D)
    k = recipe.split(F.linear(key, w.w_k, w.b_k), num_heads)  # (N, H, T, D)
    v = recipe.split(F.linear(key if recipe.value_of_key else value, w.w_v, w.b_v), num_heads)
    scores = q @ k.transpose(-2, -1) / recipe.scale(q.size(-1), query.size(-1))  # (N, H, S, T)
    keep = None if attn_mask is None or recipe.mask == "ignore" else attn_mask.bool()
    if keep is not None and recipe.mask in ("remove", "invert"):
        scores = scores.masked_fill(keep if recipe.mask == "invert" else ~keep, -math.inf)
    if keep is not None and recipe.mask == "zero":
        scores = scores.masked_fill(~keep, 0.0)
    attn = torch.ones_like(scores) / scores.size(-1) if recipe.average else scores.softmax(recipe.softmax_dim)
    if keep is not None and recipe.mask == "after":
        attn = attn.masked_fill(~keep, 0.0)
    merged = recipe.merge(attn @ v)  # (N, S, E)
    return F.linear(merged, w.w_o, w.b_o) if recipe.project else merged


def _split_by_view(x: Tensor, num_heads: int) -> Tensor:
    N, L, E = x.shape
    return x.reshape(N, num_heads, L, E // num_heads)


def _merge_by_view(x: Tensor) -> Tensor:
    N, H, L, D = x.shape
    return x.reshape(N, L, H * D)


_SCALE_HINT = "Look at the divisor of the scores again: what is the variance of q·k for vectors of size D?"
_MASK_HINT = "Print the attention weights for a small mask: which entries should be exactly 0?"
_SHAPE_HINT = (
    "Follow one number through the reshape: which axis holds the heads, and which neighbours stay together?"
)

BANK: tuple[Misconception, ...] = (
    Misconception(
        "scale-by-head-size", "The scores are divided by d_k, not by its square root",
        "Scaling means dividing by the size of a head.", _SCALE_HINT, Recipe(scale=lambda D, E: D),
    ),
    Misconception(
        "scale-by-embed-dim", "The scores are divided by embed_dim",
        "Scaling means dividing by the model's width.", _SCALE_HINT, Recipe(scale=lambda D, E: E),
    ),
    Misconception(
        "scale-by-root-embed-dim", "The scores are divided by the root of embed_dim, not of the head size",
        "d_k is the model's width.", _SCALE_HINT, Recipe(scale=lambda D, E: math.sqrt(E)),
    ),
    Misconception(
        "no-scale", "The scores are not scaled",
        "Softmax takes care of the size of the scores.", _SCALE_HINT, Recipe(scale=lambda D, E: 1.0),
    ),
    Misconception(
        "scale-multiplied", "The scores are multiplied by the root of the head size",
        "The scale is a factor.", _SCALE_HINT, Recipe(scale=lambda D, E: 1 / math.sqrt(D)),
    ),
    Misconception(
        "softmax-over-queries", "The softmax runs over the queries, not over the keys",
        "Each key's weights sum to 1.", "Which axis should sum to 1 for every query?", Recipe(softmax_dim=-2),
    ),
    Misconception(
        "softmax-over-heads", "The softmax runs over the heads",
        "dim=1 is the axis of the keys.", "Which axis should sum to 1 for every query?", Recipe(softmax_dim=1),
    ),
    Misconception(
        "uniform-weights", "All keys get the same weight",
        "Attention is an average.", "Do the scores reach the softmax at all?", Recipe(average=True),
    ),
    Misconception(
        "mask-inverted", "The mask keeps what it should remove",
        "1 in the mask means: masked out.", _MASK_HINT, Recipe(mask="invert"),
    ),
    Misconception(
        "mask-ignored", "The mask has no effect",
        "masked_fill changes the tensor it is called on.",
        "Is the result of the masking used? Out-of-place functions return a new tensor.", Recipe(mask="ignore"),
    ),
    Misconception(
        "mask-after-softmax", "The mask is applied after the softmax, without renormalising",
        "Setting weights to 0 is the same as removing scores.", _MASK_HINT, Recipe(mask="after"),
    ),
    Misconception(
        "mask-as-zero-score", "Removed scores are set to 0, which still has weight after the softmax",
        "A score of 0 means no attention.", _MASK_HINT, Recipe(mask="zero"),
    ),
    Misconception(
        "value-from-key", "The value is projected from the key",
        "Key and value are always the same tensor.", "Which argument goes into which layer?",
        Recipe(value_of_key=True),
    ),
    Misconception(
        "query-key-swapped", "The layers of query and key are swapped",
        "Both are linear layers, so either will do.", "Which argument goes into which layer?", Recipe(swap=True),
    ),
    Misconception(
        "split-by-view", "The heads are split by a reshape to (N, H, L, D) without a transpose",
        "view moves axes.", _SHAPE_HINT, Recipe(split=_split_by_view),
    ),
    Misconception(
        "merge-by-view", "The heads are merged by a reshape without transposing back",
        "view moves axes.", _SHAPE_HINT, Recipe(merge=_merge_by_view),
    ),
    Misconception(
        "split-and-merge-by-view", "The heads are split and merged by reshapes without a transpose",
        "view moves axes.", _SHAPE_HINT, Recipe(split=_split_by_view, merge=_merge_by_view),
    ),
    Misconception(
        "no-output-projection", "The output does not pass through the output layer",
        "Concatenating the heads is the last step.", "Which of your layers is never used in forward?",
        Recipe(project=False),
    ),
)  # fmt: skip


def diagnose(
    obtained: Sequence[Tensor],
    probes: Sequence[Mapping[str, Any]],
    candidates: Sequence[AttentionWeights],
    num_heads: int,
) -> Misconception | None:
    """The one misconception that agrees with the student's outputs on every probe, or None.

    probes are keyword arguments of `compute` (query, key, value, attn_mask). Two that agree give None, and so does an
    output that the right formula gives but for rounding: never a guess.
    """
    if any(_agrees(Recipe(), obtained, probes, w, num_heads) for w in candidates):
        return None
    agreeing = [m for m in BANK if any(_agrees(m.recipe, obtained, probes, w, num_heads) for w in candidates)]
    return agreeing[0] if len(agreeing) == 1 else None


def _agrees(
    recipe: Recipe,
    obtained: Sequence[Tensor],
    probes: Sequence[Mapping[str, Any]],
    weights: AttentionWeights,
    num_heads: int,
) -> bool:
    for output, probe in zip(obtained, probes, strict=True):
        wrong = compute(recipe, weights=weights, num_heads=num_heads, **probe)
        if wrong.shape != output.shape or not torch.allclose(output.float(), wrong, atol=_NEAR, rtol=_NEAR):
            return False
    return True
