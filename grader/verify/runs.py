"""What is run, and what came out of it: tasks, and the results of all of them to look things up in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from grader.model import CheckResult, Status

_SECONDS = re.compile(r"(\bseconds\W{1,4})\d[\d.e+-]*")
"""A time that the hand-in's own code has measured, as the evidence shows it."""


@dataclass(frozen=True, slots=True)
class Task:
    """One hand-in, one group of checks, one seed."""

    handin: str
    group: int
    """Place of the group in the settings."""
    seed: int
    threads: int = 1
    """Threads that the judge computes with."""
    again: bool = False
    """The second run of the same, for determinism."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one check said: a CheckResult without its pictures."""

    check: str
    status: Status
    earned: Decimal
    possible: Decimal
    message: str
    obtained: str | None
    """As the report shows it, without the times that are in it."""
    difference: float | None
    diagnosis: str | None
    """Id of the misconception that the report names."""
    fingerprint: str
    """Of the result without times and without what the code printed."""
    error: str | None
    """Traceback, where the check failed by its own error."""

    @classmethod
    def of(cls, result: CheckResult, error: str | None) -> Seen:
        """Without what is too much to keep a thousand times, and what no two runs have in common."""
        obtained = result.evidence.obtained and _SECONDS.sub(r"\1…", result.evidence.obtained)
        lasting = replace(
            result, duration_s=0.0, evidence=replace(result.evidence, output=None, obtained=obtained)
        )
        return cls(
            check=result.id,
            status=result.status,
            earned=result.points.earned,
            possible=result.points.possible,
            message=result.message,
            obtained=obtained,
            difference=result.evidence.largest_difference,
            diagnosis=result.diagnosis.id if result.diagnosis else None,
            fingerprint=hashlib.sha256(repr(lasting).encode()).hexdigest(),
            error=error,
        )

    @property
    def lost(self) -> bool:
        """Whether it took points; a check's own error takes none."""
        return self.earned < self.possible and self.status is not Status.GRADER_ERROR

    @property
    def full(self) -> bool:
        """Whether it gave all its points."""
        return self.earned == self.possible


class Runs:
    """Every result by hand-in, seed and check."""

    def __init__(self, results: Mapping[Task, Sequence[Seen]]) -> None:
        self._by_handin: dict[str, dict[tuple[int, int, bool], dict[str, Seen]]] = {}
        for task, seen in results.items():
            runs = self._by_handin.setdefault(task.handin, {})
            runs.setdefault((task.seed, task.threads, task.again), {}).update({s.check: s for s in seen})

    def of(self, handin: str) -> Iterator[tuple[int, Seen]]:
        """Every (seed, result) of a hand-in."""
        for (seed, _, _), seen in self._by_handin.get(handin, {}).items():
            for one in seen.values():
                yield seed, one

    def at(self, handin: str, check: str) -> list[tuple[int, Seen]]:
        """Every (seed, result) of one check, by seed; without second runs and runs with more threads."""
        runs = self._by_handin.get(handin, {}).items()
        usual = [
            (seed, seen[check])
            for (seed, threads, again), seen in runs
            if check in seen and threads == 1 and not again
        ]
        return sorted(usual, key=lambda pair: pair[0])

    def first(self, handin: str, *, again: bool = False) -> dict[str, Seen]:
        """What the checks said at seed 0, with one thread."""
        return self._by_handin.get(handin, {}).get((0, 1, again), {})

    def all(self) -> Iterator[tuple[str, int, Seen]]:
        """Every (hand-in, seed, result)."""
        for handin in self._by_handin:
            for seed, seen in self.of(handin):
                yield handin, seed, seen
