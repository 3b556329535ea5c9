"""The norm of 2b with a mask, as it comes out of each misconception."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import torch

from grader.checking.threads import one_thread
from grader.diagnosis import Finding, Match, explain, finding
from reference.transformer import handout
from reference.transformer.attention import MultiHeadAttention, causal_mask
from reference.transformer.misconceptions.attending import Attending, maps_of
from reference.transformer.misconceptions.attention import REPLAYED
from reference.transformer.misconceptions.entry import AttentionMisconception
from reference.transformer.misconceptions.recipes import RIGHT, Recipe

NEAR = 6e-5
"""Four decimals are printed, and one number is little to go by: another rounding of it is no evidence."""
REPEATABLE = tuple(m for m in REPLAYED if m.recipe.dropout == "weights" and m.recipe.output != "new layer")
"""Those that draw no random numbers in eval mode."""


def norm_finding(claimed: float) -> Finding:
    """The one misconception that gives the norm a student wrote down."""

    def agrees(who: tuple[AttentionMisconception, ...]) -> Match[AttentionMisconception] | None:
        off = abs(claimed - wrong_norm(who[0].recipe))
        telling = abs(wrong_norm(who[0].recipe) - wrong_norm(RIGHT)) > 10 * NEAR
        return Match(who, off, probes=1, telling=int(telling)) if off <= NEAR else None

    found = finding(explain(REPEATABLE, lambda: (), agrees))
    if found.diagnosis is None:
        return found
    return replace(found, diagnosis=replace(found.diagnosis, evidence=f"{claimed:.6g} is what it comes to"))


@cache
def wrong_norm(recipe: Recipe) -> float:
    """The norm that a recipe gives in the handout's experiment; NaN where it gives none."""
    try:
        with one_thread():
            return handout.norm(_experiment().output(recipe))
    except (RuntimeError, TypeError):
        return math.nan


@cache
def _experiment() -> Attending:
    with handout.seeded(handout.PROJECTION_SEED), torch.no_grad():
        data = torch.randn(1, handout.LENGTH, handout.EMBED_DIM)
        weights = MultiHeadAttention(handout.EMBED_DIM, handout.NUM_HEADS).weights()
    return Attending(maps_of([weights]), handout.NUM_HEADS, [data, data, data, causal_mask(handout.LENGTH)])
