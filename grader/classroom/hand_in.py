"""What a class is made of, how it is graded, and what became of it; light to import."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from grader.gradebook import Result
from grader.model import GradeReport, Submission


class HandIn(Protocol):
    """One student's hand-in as intake lists it."""

    @property
    def student(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def late(self) -> bool: ...
    @property
    def submitted_at(self) -> str | None: ...
    @property
    def members(self) -> tuple[str, ...]: ...
    @property
    def source(self) -> str: ...
    def read(self) -> Submission:
        """Raises GraderError where it cannot be read; the message is for the student."""


@dataclass(frozen=True, slots=True)
class ClassOptions:
    """How a class is graded."""

    jobs: int
    """Hand-ins judged at a time."""
    timeout_s: float = 900.0
    """Wall-clock seconds for one hand-in, all checks together."""
    force: bool = False
    """Grade also what is known already."""
    author: str = ""
    """Who grades, for the gradebook."""
    cluster: str | None = None
    """Address of the scheduler of a cluster whose nodes judge, or "local" for one of this machine's own."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Told what happens, for a display; each call returns at once."""

    on_start: Callable[[HandIn], None] = lambda hand_in: None
    on_graded: Callable[[HandIn, GradeReport], None] = lambda hand_in, report: None
    """Recorded; its reports can be written."""
    on_unchanged: Callable[[HandIn, Result], None] = lambda hand_in, result: None
    """Known already: nothing was run."""
    on_failed: Callable[[HandIn, str], None] = lambda hand_in, reason: None
    on_tick: Callable[[], None] = lambda: None
    """About once a second while judges work."""


@dataclass(slots=True)
class Tally:
    """What became of the hand-ins of one run."""

    graded: int = 0
    unchanged: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    """Reason by student."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
