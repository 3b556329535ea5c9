"""What an entry of the bank of attention is made of; apart, so that its parts can share it."""

from __future__ import annotations

from dataclasses import dataclass

from grader.bank import Edit, Misconception
from reference.transformer.misconceptions.recipes import RIGHT, Recipe

VALUES = ("2c.self", "2c.masked", "2c.cross")
"""Checks that a wrong formula cannot pass, with a mask or without."""
RUNS = ("2c.handout", "2c.reported")
"""Checks that run the handout's cell; it holds all three cases."""
AROUND = ("2c.dropout", "2c.gradients", "2c.independence", "2c.properties")
"""Checks of properties, which some wrong formulas have all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionMisconception(Misconception):
    """A wrong belief about attention, with what it computes."""

    recipe: Recipe = RIGHT
    """What replays it; the right one where it cannot be replayed."""


def edit(old: str, new: str) -> tuple[Edit]:
    """One replacement in the model solution's attention.py."""
    return (Edit("attention.py", old, new),)
