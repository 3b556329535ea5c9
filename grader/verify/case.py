"""What the claims are judged by: the plan, the results, and the few questions that several claims ask of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.bank import Misconception
from grader.model import Assignment, Check, Status
from grader.verify.plan import Plan
from grader.verify.runs import Runs, Seen
from grader.verify.settings import Settings


def at_seeds(hit: Sequence[int], runs: int) -> str:
    """Where something was met: "at seed 0" of one run, "at 3 of 50 seeds, first at seed 7" of many."""
    return f"at seed {hit[0]}" if runs == 1 else f"at {len(hit)} of {runs} seeds, first at seed {hit[0]}"


@dataclass(frozen=True, slots=True)
class Case:
    """An assignment with everything that was run on it."""

    assignment: Assignment
    settings: Settings
    plan: Plan
    runs: Runs
    checks: tuple[Check, ...]
    """The checks under proof, in the order of the assignment."""

    @classmethod
    def of(cls, assignment: Assignment, settings: Settings, plan: Plan, runs: Runs) -> Case:
        """Checks that failed by their own error are set apart: nothing else can be said of them."""
        broken = {seen.check for _, _, seen in runs.all() if seen.status is Status.GRADER_ERROR}
        ids = {check.id for group in settings.groups for check in group.checks} - broken
        return cls(assignment, settings, plan, runs, tuple(c for c in assignment.checks if c.id in ids))

    @property
    def ids(self) -> set[str]:
        """Of `checks`."""
        return {check.id for check in self.checks}

    def first(self, name: str, *, again: bool = False) -> dict[str, Seen]:
        """What the checks said of a hand-in at seed 0."""
        found = self.runs.first(name, again=again)
        return {id: seen for id, seen in found.items() if id in self.ids}

    def loses(self, name: str, check: str) -> bool:
        """Whether the hand-in lost points in the check in every run, and there was one."""
        found = self.runs.at(name, check)
        return bool(found) and all(seen.lost for _, seen in found)

    def right_code(self) -> Iterator[tuple[str, int, Seen]]:
        """(hand-in, seed, result) of the model solution and of every variant, in the checks that are asked of them."""
        for seed, seen in self.runs.of(self.plan.solution.name):
            yield self.plan.solution.name, seed, seen
        for variant in self.plan.variants:
            for seed, seen in self.runs.of(variant.name):
                if seen.check not in self.settings.own_report:
                    yield variant.name, seed, seen

    def handed_in(self) -> Iterator[tuple[str, Misconception]]:
        """Hand-in and misconception, in the order of the bank."""
        yield from self.plan.misconceptions.items()
