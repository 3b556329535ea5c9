"""The norm of 2b with a mask, as it comes out of each misconception."""

from __future__ import annotations

import math

import torch

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
    right = wrong_norm(RIGHT)

    def agrees(who: tuple[AttentionMisconception, ...]) -> Match[AttentionMisconception] | None:
        norm = wrong_norm(who[0].recipe)
        near = norm is not None and abs(claimed - norm) <= NEAR
        if norm is None or right is None or not near:
            return None
        return Match(who, abs(claimed - norm), probes=1, telling=int(abs(norm - right) > 10 * NEAR))

    return finding(explain(REPEATABLE, lambda: (), agrees))


def wrong_norm(recipe: Recipe) -> float | None:
    """The norm that a recipe gives in the handout's experiment; None where it raises or gives no number."""
    with handout.seeded(handout.PROJECTION_SEED), torch.no_grad():
        data = torch.randn(1, handout.LENGTH, handout.EMBED_DIM)
        weights = MultiHeadAttention(handout.EMBED_DIM, handout.NUM_HEADS).weights()
        inputs = [data, data, data, causal_mask(handout.LENGTH)]
        try:
            norm = handout.norm(Attending(maps_of([weights]), handout.NUM_HEADS, inputs).output(recipe))
        except (RuntimeError, TypeError):
            return None
    return norm if math.isfinite(norm) else None
