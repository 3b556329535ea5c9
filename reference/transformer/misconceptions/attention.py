"""The bank of multi-head attention, put together.

Read off public student repositories (docs/reference.md), and what is one step from it.
"""

from __future__ import annotations

from reference.transformer.misconceptions.dropout import DROPOUTS
from reference.transformer.misconceptions.entry import AttentionMisconception
from reference.transformer.misconceptions.heads import HEADS
from reference.transformer.misconceptions.masks import MASKS
from reference.transformer.misconceptions.precision import PRECISION
from reference.transformer.misconceptions.projections import ARGUMENTS, OUTPUTS
from reference.transformer.misconceptions.recipes import RIGHT
from reference.transformer.misconceptions.scores import PRODUCTS, SCALES, SOFTMAXES

BANK: tuple[AttentionMisconception, ...] = (
    *SCALES,
    *SOFTMAXES,
    *PRODUCTS,
    *ARGUMENTS,
    *HEADS,
    *MASKS,
    *OUTPUTS,
    *DROPOUTS,
    *PRECISION,
)

REPLAYED: tuple[AttentionMisconception, ...] = tuple(m for m in BANK if m.recipe != RIGHT)
"""Those that a recipe replays."""
