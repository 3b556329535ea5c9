"""The bank of misconceptions: known wrong beliefs, the hand-in that each leads to, and the checks that must see it.

An assignment names its bank in assignment.toml; `grade verify` hands each one in and looks where it loses points.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """What a student who holds the belief writes instead: one replacement in one file of the model solution."""

    file: str
    """Path in the solution's folder, for example "attention.py"."""
    old: str
    """Text that stands there exactly once."""
    new: str
    """What stands there instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misconception:
    """A wrong belief, and how to tell a student of it without giving the answer away."""

    id: str
    """Stable id, for example "scale-by-embed-dim"."""
    title: str
    """What is wrong with the result, as a sentence for the student, without a full stop."""
    belief: str
    """What someone who writes this thinks, as a sentence."""
    hint: str
    """A question or a small experiment that leads to the mistake; the answer is not in it."""
    checks: tuple[str, ...]
    """Ids of the checks that must take points for it."""
    may_cost: tuple[str, ...] = ()
    """Related checks that may take points too; any other must not."""
    edits: tuple[Edit, ...] = ()
    """Turn the model solution into the hand-in of a student who believes it."""
    diagnosed: bool = True
    """True where the report names it: at least one check that takes points has it as its diagnosis."""
