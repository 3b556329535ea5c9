"""A student's calls to multi-head attention, replayed through recipes: which of them give what the student's code gave.

Letters:  R readings of the student's weights as query, key, value and output; N, S, T, E, H as in `recipes`
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

from grader.diagnosis import Finding, Match, explain, finding
from reference.transformer.attention import AttentionWeights
from reference.transformer.misconceptions.attention import REPLAYED, AttentionMisconception
from reference.transformer.misconceptions.drops import Mode
from reference.transformer.misconceptions.recipes import RIGHT, Recipe, both, compute

NEAR = 1e-4
"""Largest difference of outputs that are alike, where outputs are no larger than 1; float32 noise is below 1e-5."""
FAR = 10 * NEAR
"""Smallest difference of outputs that tell two recipes apart. Every two of the bank differ by more on some probe."""

Who: TypeAlias = tuple[AttentionMisconception, ...]


class Fault(NamedTuple):
    """What code raised in place of an output."""

    type_name: str
    message: str


class Run(NamedTuple):
    """One call of a student's module."""

    inputs: tuple[Tensor, ...]
    """query (N, S, E), key and value (N, T, E), and the mask (S, T) where there is one."""
    result: Tensor | Fault
    mode: Mode = Mode()


@dataclass(slots=True)
class Record:
    """Calls of one module of the student's, with its weights known."""

    runs: list[Run]
    readings: Sequence[AttentionWeights]
    """Ways to read the weights, R of them, in the same order for every module of the same student."""
    num_heads: int
    memos: list[dict[Any, Tensor]] = field(default_factory=list)
    """Scores by recipe, one for each run."""

    def __post_init__(self) -> None:
        self.memos = [{} for _ in self.runs]

    def replay(self, recipe: Recipe) -> Iterator[Tensor | Fault]:
        """What `recipe` gives in each run: (R, N, S, E), or what it raises."""
        for run, memo in zip(self.runs, self.memos, strict=True):
            yield self._outcome(recipe, run, memo)

    def _outcome(self, recipe: Recipe, run: Run, memo: dict[Any, Tensor]) -> Tensor | Fault:
        query, key, value, *mask = run.inputs
        arguments = (self.num_heads, mask[0] if mask else None, run.mode)
        try:
            output = compute(recipe, query, key, value, self.readings, *arguments, memo)
        except (RuntimeError, TypeError, IndexError):
            try:  # once more with one reading, for the sizes in the message to be those that the student saw
                compute(recipe, query, key, value, self.readings[0], *arguments)
            except (RuntimeError, TypeError, IndexError) as error:
                return Fault(type(error).__name__, str(error))
            raise
        return output if len(self.readings) > 1 else output[None]


class Score(NamedTuple):
    """How a recipe fares on some records, by reading of the weights."""

    gaps: Tensor
    """(R,): largest difference, infinite where one run is not alike."""
    probes: int
    telling: Tensor
    """(R,): number of runs on which it differs from the right formula under the same reading."""

    def and_(self, other: Score) -> Score:
        """On the records of both."""
        return Score(
            torch.maximum(self.gaps, other.gaps), self.probes + other.probes, self.telling + other.telling
        )

    def match(self, who: Who) -> Match[AttentionMisconception] | None:
        """Under the reading that fits best; None where none does."""
        best = int(self.gaps.argmin())
        if not self.gaps[best].isfinite():
            return None
        return Match(who, float(self.gaps[best]), self.probes, int(self.telling[best]))


def score(recipe: Recipe, records: Sequence[Record]) -> Score | None:
    """How well a recipe explains the records; None as soon as no reading of the weights is left that could."""
    gaps = torch.zeros(len(records[0].readings)) if records else torch.zeros(1)
    for record in records:
        for run, outcome in zip(record.runs, record.replay(recipe), strict=False):
            gaps = torch.maximum(gaps, gap(outcome, run.result))
            if not gaps.isfinite().any():
                return None
    telling = torch.zeros(len(gaps))
    for record in records:
        for run, right in zip(record.runs, record.replay(RIGHT), strict=True):
            telling += gap(right, run.result, FAR).isinf()
    return Score(gaps, sum(len(record.runs) for record in records), telling)


def gap(replayed: Tensor | Fault, result: Tensor | Fault, near: float = NEAR) -> Tensor:
    """(R,), or (1,): the largest difference of a replayed output (R, N, S, E) from a student's (N, S, E); infinite
    where it is above `near`, on the scale of the replayed one, or where they are not of one kind."""
    if isinstance(replayed, Fault) or isinstance(result, Fault):
        return torch.tensor([0.0 if replayed == result else math.inf])
    if replayed.shape[1:] != result.shape:
        return torch.full(replayed.shape[:1], math.inf)
    same = (replayed == result) | (replayed.isnan() & result.isnan())  # infinities of one sign are equal
    off = torch.where(same, 0.0, (replayed - result).abs()).nan_to_num(nan=math.inf).flatten(1).amax(1)
    scale = replayed.nan_to_num(posinf=0.0, neginf=0.0).abs().flatten(1).amax(1).clamp(min=1.0)
    return torch.where(off <= near * scale, off, math.inf)


@cache
def hypotheses() -> dict[Who, Recipe]:
    """Nothing wrong, every misconception, and every two that one module can hold at once, with what they come to; no
    pair that comes to a single one."""
    alone = {m.recipe for m in REPLAYED}
    found: dict[Who, Recipe] = {(): RIGHT} | {(m,): m.recipe for m in REPLAYED}
    for pair in combinations(REPLAYED, 2):
        recipe = both(pair[0].recipe, pair[1].recipe)
        if recipe is not None and recipe not in alone:
            found[pair] = recipe
    return found


class Replays:
    """The probes of one submission, and every recipe's score on them, computed once for all its checks."""

    def __init__(self, probed: Record) -> None:
        self._probed = probed
        self._scores: dict[Recipe, Score | None] = {}

    def finding(self, own: Sequence[Record]) -> Finding:
        """The one misconception, or pair, that explains the probes and a check's own records.

        Nothing is said where the right formula explains them all: what is wrong is something else then.
        """
        if any(len(record.readings) != len(self._probed.readings) for record in own):
            return Finding(None)  # modules of one class that differ by more than their sizes
        if self._agrees((), own):
            return Finding(None)
        matches = explain(
            REPLAYED,
            lambda: (who for who in hypotheses() if len(who) == 2),
            lambda who: self._agrees(who, own),
        )
        return finding([self._told_here(match, own) for match in matches])

    def _agrees(self, who: Who, own: Sequence[Record]) -> Match[AttentionMisconception] | None:
        recipe = hypotheses()[who]
        if recipe not in self._scores:
            self._scores[recipe] = score(recipe, [self._probed])
        on_probes = self._scores[recipe]
        if on_probes is None:
            return None
        on_own = score(recipe, own)
        return on_probes.and_(on_own).match(who) if on_own else None

    def _told_here(
        self, match: Match[AttentionMisconception], own: Sequence[Record]
    ) -> Match[AttentionMisconception]:
        """Of a pair, the one that explains the check's own records by itself, where one does."""
        for one in match.who if len(match.who) == 2 else ():
            here = score(one.recipe, own)
            alone = here.match((one,)) if here else None
            if alone and alone.telling:
                return alone
        return match
