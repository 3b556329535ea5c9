"""The bank of misconceptions of `language_model`, by part.

An entry's edits turn the model solution into the hand-in of a student who holds the belief; nothing else is needed to
name it: `replay` runs the edited solution on what the student was asked (reference.language_model.replay).
"""

from __future__ import annotations

from grader.bank import Misconception
from reference.language_model.misconceptions import (
    attention,
    layers,
    model,
    optimisation,
    paper,
    perplexity,
    sampling,
    tokenizer,
)

BANK: tuple[Misconception, ...] = (
    *tokenizer.BANK,
    *layers.BANK,
    *attention.BANK,
    *model.BANK,
    *optimisation.BANK,
    *sampling.BANK,
    *perplexity.BANK,
    *paper.BANK,
)
"""In the order of the parts."""
