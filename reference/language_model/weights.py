"""Weights of small models, drawn in the judge: sizes never coincide, so that a mixed-up axis shows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from reference.language_model.judging import normal


def layer_weights(generator: torch.Generator, width: int) -> dict[str, Tensor]:
    """Of one attention layer: scores of the size of 1, outputs too."""
    return {name: normal(generator, width, width) / width**0.5 * 1.5 for name in ("q", "k", "v", "o")}


def model_weights(
    generator: torch.Generator, blocks: int = 2, width: int = 8, inner: int = 12, vocabulary: int = 11
) -> dict[str, Any]:
    """Of a whole model, as the handout lays them out."""
    return {
        "embedding": normal(generator, vocabulary, width),
        "blocks": [_block(generator, width, inner) for _ in range(blocks)],
        "norm": 1 + normal(generator, width) / 2,
        "head": normal(generator, vocabulary, width) / 2,
    }


def _block(generator: torch.Generator, width: int, inner: int) -> dict[str, Tensor]:
    return layer_weights(generator, width) | {
        "norm1": 1 + normal(generator, width) / 2,
        "norm2": 1 + normal(generator, width) / 2,
        "gate": normal(generator, inner, width) / 2,
        "up": normal(generator, inner, width) / 2,
        "down": normal(generator, width, inner) / 2,
    }
