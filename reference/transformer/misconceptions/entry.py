"""What entries of the bank are made of; apart, so that its parts can share it."""

from __future__ import annotations

from dataclasses import dataclass

from grader.bank import Edit, Misconception
from reference.transformer.misconceptions import encodings
from reference.transformer.misconceptions.encodings import Encoding
from reference.transformer.misconceptions.recipes import RIGHT, Recipe
from reference.transformer.misconceptions.steps import Steps

VALUES = ("2c.self", "2c.masked", "2c.cross")
"""Checks that a wrong formula cannot pass, with a mask or without."""
RUNS = ("2c.handout", "2c.reported")
"""Checks that run the handout's cell; it holds all three cases."""
AROUND = ("2c.dropout", "2c.gradients", "2c.independence", "2c.properties")
"""Checks of properties, which some wrong formulas have all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayable(Misconception):
    """A wrong belief with what it computes."""

    recipe: Steps
    """What replays it; the right one where that shows nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionMisconception(Replayable):
    """A wrong belief about attention."""

    recipe: Recipe = RIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodingMisconception(Replayable):
    """A wrong belief about the positional encoding."""

    recipe: Encoding = encodings.RIGHT


def norm(value: str) -> tuple[Edit]:
    """The norm of 2b as it then comes out, in the answers."""
    return (Edit("answers.toml", "masked_norm = 1.0160", f"masked_norm = {value}"),)


def edit(old: str, new: str) -> tuple[Edit]:
    """One replacement in the model solution's attention.py."""
    return (Edit("attention.py", old, new),)
