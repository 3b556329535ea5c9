"""A student's calls, replayed through recipes: which of them give what the student's code gave.

Letters:  R ways to read the student's weights, 1 where there are none to read
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations
from typing import Any, NamedTuple, Protocol, TypeAlias

import torch
from torch import Tensor

from grader.diagnosis import Finding, Match, explain, finding
from reference.transformer.misconceptions.drops import Mode
from reference.transformer.misconceptions.entry import Replayable
from reference.transformer.misconceptions.steps import Steps, both

FAR = 10
"""How many times further apart than outputs that are alike those are that tell two recipes apart."""

Who: TypeAlias = tuple[Replayable, ...]


class Fault(NamedTuple):
    """What code raised in place of an output."""

    type_name: str
    message: str


class Run(NamedTuple):
    """One call of a student's module."""

    inputs: tuple[Tensor, ...]
    result: Tensor | Fault
    mode: Mode = Mode()


class Record(Protocol):
    """Calls of one module of the student's, in a form that can be replayed."""

    runs: Sequence[Run]
    firsts: Sequence[float]
    """The first number of each result."""

    @property
    def readings(self) -> Sequence[Any]:
        """Ways to read the module's weights, R of them, in the same order for every module of the same student."""

    @property
    def near(self) -> float:
        """Largest difference of outputs that are alike, where outputs are no larger than 1."""

    def replay(self, recipe: Any) -> Iterator[Tensor | Fault]:
        """What `recipe` gives in each run, (R, *shape of the output), or what it raises."""

    def as_shown(self, recipe: Any) -> Any:
        """The plainest recipe that gives the same in these runs: in eval mode, most kinds of dropout do not show."""


class Score(NamedTuple):
    """How a recipe fares on some records, by reading of the weights."""

    gaps: Tensor
    """(R,): largest difference, infinite where one run is not alike."""
    probes: int
    telling: Tensor
    """(R,): number of runs on which the right recipe, under the same reading, gives something else."""

    def joined(self, other: Score) -> Score:
        """On the records of both."""
        gaps = torch.maximum(self.gaps, other.gaps)
        return Score(gaps, self.probes + other.probes, self.telling + other.telling)

    def match(self, who: Who) -> Match[Replayable] | None:
        """Under the reading that fits best; None where none does."""
        best = int(self.gaps.argmin())
        if not self.gaps[best].isfinite():
            return None
        return Match(who, float(self.gaps[best]), self.probes, int(self.telling[best]))


def score(recipe: Steps, right: Steps, records: Sequence[Record]) -> Score | None:
    """How well a recipe explains the records; None as soon as no reading of the weights is left that could."""
    gaps = torch.zeros(1)
    for record in records:
        for run, first, replayed in zip(record.runs, record.firsts, record.replay(recipe), strict=False):
            if surely_unlike(replayed, run.result, first):
                return None
            gaps = torch.maximum(gaps, gap(replayed, run.result, record.near))
            if not gaps.isfinite().any():
                return None
    telling = torch.zeros(len(gaps))
    for record in records:
        for run, due in zip(record.runs, record.replay(right), strict=True):
            telling += gap(due, run.result, FAR * record.near).isinf()
    return Score(gaps, sum(len(record.runs) for record in records), telling)


def first_of(result: Tensor | Fault) -> float:
    """The first number of an output; NaN where there is none."""
    return float(result.flatten()[0]) if isinstance(result, Tensor) and result.numel() else math.nan


def surely_unlike(replayed: Tensor | Fault, result: Tensor | Fault, first: float) -> bool:
    """Whether the `first` number of the result shows already that `gap` is infinite: for nearly all recipes it does."""
    if isinstance(replayed, Fault) or isinstance(result, Fault):
        return replayed != result
    if replayed.shape[1:] != result.shape:
        return True
    if math.isnan(first):
        return False
    numbers = replayed.flatten(1)[:, 0].tolist()
    return not any(x == first or not abs(x - first) > 0.1 * max(1.0, abs(x)) for x in numbers)


def gap(replayed: Tensor | Fault, result: Tensor | Fault, near: float) -> Tensor:
    """(R,), or (1,): the largest difference of a replayed output (R, …) from a student's (…); infinite where it is
    above `near`, on the scale of the replayed one, or where they are not of one kind."""
    if isinstance(replayed, Fault) or isinstance(result, Fault):
        return torch.tensor([0.0 if replayed == result else math.inf])
    if replayed.shape[1:] != result.shape:
        return torch.full(replayed.shape[:1], math.inf)
    same = (replayed == result) | (replayed.isnan() & result.isnan())  # infinities of one sign are equal
    off = torch.where(same, 0.0, (replayed - result).abs()).nan_to_num(nan=math.inf).flatten(1).amax(1)
    scale = replayed.nan_to_num(posinf=0.0, neginf=0.0).abs().flatten(1).amax(1).clamp(min=1.0)
    return torch.where(off <= near * scale, off, math.inf)


def hypotheses(bank: Sequence[Replayable], right: Steps) -> dict[Who, Steps]:
    """Nothing wrong, every misconception, and every two that one module can hold at once, with what they come to; no
    pair that comes to a single one."""
    alone = {m.recipe for m in bank}
    found: dict[Who, Steps] = {(): right} | {(m,): m.recipe for m in bank}
    for one, other in combinations(bank, 2):
        recipe = both(one.recipe, other.recipe)
        if recipe is not None and recipe not in alone:
            found[one, other] = recipe
    return found


@contextmanager
def one_thread() -> Iterator[None]:
    """Thousands of tensors as small as these cost twenty times as much where torch shares each among threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Replays:
    """The probes of one submission, and every recipe's score on them, computed once for all its checks."""

    def __init__(self, probed: Record, recipes: Mapping[Who, Steps]) -> None:
        self._probed = probed
        self._recipes = recipes
        self._scores: dict[Steps, Score | None] = {}

    def finding(self, own: Sequence[Record]) -> Finding:
        """The one misconception, or pair, that explains the probes and a check's own records.

        Nothing is said where the right recipe explains them all: what is wrong is something else then.
        """
        if any(len(record.readings) != len(self._probed.readings) for record in own):
            return Finding(None)  # modules of one class that differ by more than their sizes
        with one_thread():
            if self._agrees((), own):
                return Finding(None)
            matches = explain(
                (who[0] for who in self._recipes if len(who) == 1),
                lambda: ((who[0], who[1]) for who in self._recipes if len(who) == 2),
                lambda who: self._agrees(who, own),
            )
            return finding([self._told_here(match, own) for match in matches])

    def _agrees(self, who: Who, own: Sequence[Record]) -> Match[Replayable] | None:
        recipe, right = self._recipes[who], self._recipes[()]
        as_probed = self._probed.as_shown(recipe)
        if as_probed not in self._scores:
            self._scores[as_probed] = score(as_probed, right, [self._probed])
        on_probes = self._scores[as_probed]
        if on_probes is None:
            return None
        on_own = score(recipe, right, own)
        return on_probes.joined(on_own).match(who) if on_own else None

    def _told_here(self, match: Match[Replayable], own: Sequence[Record]) -> Match[Replayable]:
        """Of a pair, the one that explains the check's own records by itself, where one does."""
        for one in match.who if len(match.who) == 2 else ():
            here = score(one.recipe, self._recipes[()], own)
            alone = here.match((one,)) if here else None
            if alone and alone.telling:
                return alone
        return match
