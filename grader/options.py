"""What to grade and how; light to import, so that the command line can decide before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grader.assignment import find_assignment, select
from grader.model import Assignment, Check

IsolationChoice = Literal["auto", "strict", "container", "none"]


@dataclass(frozen=True, slots=True)
class Options:
    """What to grade and how."""

    assignment: str = "transformer"
    """Id of a bundled assignment, or the folder of another."""
    parts: tuple[str, ...] = ()
    """Part ids or beginnings of them; with `checks` also empty, all."""
    checks: tuple[str, ...] = ()
    """Check ids."""
    public_only: bool = False
    """Leave hidden checks out."""
    seed: int | None = None
    """Seed of all inputs; None draws a fresh one, which the report names."""
    isolation: IsolationChoice = "auto"
    """"auto" takes the strongest level that this machine offers; "none" has to be asked for."""


def preload(assignment: Assignment, selected: Sequence[Check]) -> tuple[str, ...]:
    """What the process for student code imports for the selected checks; empty where none of them runs any."""
    chosen = {check.part for check in selected}
    return tuple(
        dict.fromkeys(name for part in assignment.parts if part.id in chosen for name in part.worker)
    )


def runs_student_code(options: Options) -> bool:
    """Whether anything that `options` select runs student code. Raises UnknownName for a part or check."""
    assignment = find_assignment(options.assignment)
    selected = select(assignment, options.parts, options.checks, public_only=options.public_only)
    return bool(preload(assignment, selected))
