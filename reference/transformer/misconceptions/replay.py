"""A student's calls, replayed through recipes: which of them give what the student's code gave.

Letters:  R ways to read the student's weights, 1 where there are none to read
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, reduce
from itertools import combinations
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from grader.checking.threads import one_thread
from grader.diagnosis import Finding, Match, explain, finding
from reference.transformer.misconceptions.drops import Mode
from reference.transformer.misconceptions.entry import Replayable
from reference.transformer.misconceptions.steps import Steps, both

FAR = 10
"""How many times further apart than outputs that are alike those are that tell two recipes apart."""

Numbers: TypeAlias = NDArray[np.float64]
_NOT_YET: Numbers = np.zeros(0)

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


class Together:
    """All hypotheses of so many mistakes at once, in their order. One object for all submissions, so that what it
    comes to on the same probe can be kept by it."""

    def __init__(self, who: Sequence[Who], recipes: Sequence[Any]) -> None:
        self.who = tuple(who)
        self.recipes = tuple(recipes)


class Hypotheses(dict[Who, Steps]):
    """What may be wrong, and the recipe that it comes to."""

    def __init__(self, found: Mapping[Who, Steps]) -> None:
        super().__init__(found)
        self._together: dict[int, Together] = {}

    def together(self, number: int) -> Together:
        """Those of so many mistakes at once."""
        if number not in self._together:
            who = [who for who in self if len(who) == number]
            self._together[number] = Together(who, [self[w] for w in who])
        return self._together[number]


class Firsts(NamedTuple):
    """What recipes come to in one run, as far as their first number."""

    numbers: Numbers
    """(recipes,); NaN where the first number does not tell."""
    raised: NDArray[np.bool_]
    """(recipes,): where there is no output."""

    @classmethod
    def of(cls, outcomes: Iterable[Tensor | Fault]) -> Firsts:
        """Outcomes (1, …) under one reading of the weights."""
        found = [(first_of(o), isinstance(o, Fault)) for o in outcomes]
        return cls(np.array([x for x, _ in found]), np.array([raised for _, raised in found], dtype=bool))


class Record(ABC):
    """Calls of one module of the student's, in a form that can be replayed."""

    near: float
    """Largest difference of outputs that are alike, where outputs are no larger than 1."""

    def __init__(self, runs: Sequence[Run], readings: Sequence[Any]) -> None:
        """readings: ways to read the module's weights, R of them, in the same order for every module of a student."""
        self.runs = runs
        self.readings = readings

    @abstractmethod
    def outcome(self, place: int, recipe: Any) -> Tensor | Fault:
        """What `recipe` gives in the run at `place`, (R, *shape of the output), or what it raises."""

    @abstractmethod
    def as_shown(self, place: int, recipe: Any) -> Any:
        """The plainest recipe that gives the same in that run: a mask that is not there is not ignored either."""

    def firsts(self, together: Together) -> Firsts | None:
        """Of the first run; None where it is not cheaper to look at one recipe after the other."""
        return None

    def replay(self, recipe: Any) -> Iterator[Tensor | Fault]:
        """What `recipe` gives in each run."""
        return (self.outcome(place, recipe) for place in range(len(self.runs)))


class Score(NamedTuple):
    """How a recipe fares on some records, by reading of the weights."""

    gaps: Numbers
    """(R,): largest difference, infinite where one run is not alike."""
    probes: int
    telling: Numbers
    """(R,): number of runs on which the right recipe, under the same reading, gives something else."""

    def joined(self, other: Score) -> Score:
        """On the records of both."""
        gaps = np.maximum(self.gaps, other.gaps)
        return Score(gaps, self.probes + other.probes, self.telling + other.telling)

    def match(self, who: Who) -> Match[Replayable] | None:
        """Under the reading that fits best; None where none does."""
        best = int(self.gaps.argmin())
        if math.isinf(self.gaps[best]):
            return None
        return Match(who, float(self.gaps[best]), self.probes, int(self.telling[best]))


class Scores:
    """How recipes fare on one record. What does not show in a run is not computed for it again."""

    def __init__(self, record: Record, right: Steps) -> None:
        self._record = record
        self._firsts = [first_of(run.result) for run in record.runs]
        self._gaps: list[dict[Steps, Numbers | None]] = [{} for _ in record.runs]
        self._zeros = np.zeros(max(1, len(record.readings)))
        far = (
            gap(o, r.result, FAR * record.near)
            for o, r in zip(record.replay(right), record.runs, strict=True)
        )
        self._telling = sum((np.isinf(g) for g in far), self._zeros)

    def possible(self, together: Together) -> list[tuple[Who, Steps]]:
        """Without those that the first number of the first run shows to be something else, as it does with nearly all
        of thousands: then they are looked at all at once."""
        first, result = self._firsts[0], self._record.runs[0].result
        found = None
        if not isinstance(result, Fault) and not math.isnan(first):
            found = self._record.firsts(together)
        if found is None:
            return list(zip(together.who, together.recipes, strict=True))
        left = np.flatnonzero(~found.raised & ~_far_from(found.numbers, first))
        return [(together.who[place], together.recipes[place]) for place in left]

    def of(self, recipe: Steps) -> Score | None:
        """None as soon as no reading of the weights is left under which the recipe could explain the runs."""
        gaps = self._zeros
        for place in range(len(self._record.runs)):
            shown, known = self._record.as_shown(place, recipe), self._gaps[place]
            found = known.get(shown, _NOT_YET)
            if found is _NOT_YET:
                found = known[shown] = self._gap(place, shown)
            if found is None:
                return None
            gaps = np.maximum(gaps, found)
            if np.isinf(gaps).all():
                return None
        return Score(gaps, len(self._record.runs), self._telling)

    def _gap(self, place: int, recipe: Steps) -> Numbers | None:
        replayed, result = self._record.outcome(place, recipe), self._record.runs[place].result
        if surely_unlike(replayed, result, self._firsts[place]):
            return None
        found = gap(replayed, result, self._record.near)
        return None if np.isinf(found).all() else found


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
    numbers = replayed.detach().numpy().reshape(len(replayed), -1)[:, 0].tolist()
    return not any(x == first or not abs(x - first) > _FAR_OFF * max(1.0, abs(x)) for x in numbers)


_FAR_OFF = 0.1
"""Of a number, and at least of 1: many times what outputs that are alike differ by."""


def _far_from(numbers: Numbers, first: float) -> NDArray[np.bool_]:
    """Of many numbers what `surely_unlike` asks of one."""
    with np.errstate(invalid="ignore"):  # of NaN and of infinity nothing is sure
        far: NDArray[np.bool_] = np.abs(numbers - first) > _FAR_OFF * np.maximum(1.0, np.abs(numbers))
    different: NDArray[np.bool_] = numbers != first
    return np.logical_and(far, different)


def gap(replayed: Tensor | Fault, result: Tensor | Fault, near: float) -> Numbers:
    """(R,), or (1,): the largest difference of a replayed output (R, …) from a student's (…); infinite where it is
    above `near`, on the scale of the replayed one, or where they are not of one kind."""
    if isinstance(replayed, Fault) or isinstance(result, Fault):
        return np.array([0.0 if replayed == result else math.inf])
    if replayed.shape[1:] != result.shape:
        return np.full(len(replayed), math.inf)
    # NumPy, whose functions begin sooner than torch's; these tensors are small
    due = replayed.detach().double().numpy().reshape(len(replayed), -1)
    got = result.detach().double().numpy().reshape(-1)
    with np.errstate(all="ignore"):
        off, size = np.abs(due - got), np.abs(due)
        if not math.isfinite(off.sum()):
            same = (due == got) | (np.isnan(due) & np.isnan(got))  # infinities of one sign are equal
            off = np.where(same, 0.0, np.where(np.isnan(off), math.inf, off))
            size = np.where(np.isfinite(due), size, 0.0)
    largest = off.max(axis=1, initial=0.0)
    return np.where(largest <= near * size.max(axis=1, initial=1.0), largest, math.inf)


def hypotheses(bank: Sequence[Replayable], right: Steps) -> Hypotheses:
    """Nothing wrong, every misconception, and every two that one module can hold at once, with what they come to; no
    pair that comes to a single one."""
    alone = {m.recipe for m in bank}
    found: dict[Who, Steps] = {(): right} | {(m,): m.recipe for m in bank}
    for one, other in combinations(bank, 2):
        recipe = both(one.recipe, other.recipe)
        if recipe is not None and recipe not in alone:
            found[one, other] = recipe
    return Hypotheses(found)


class Replays:
    """The probes of one submission, and how every recipe fares on them, for all its checks."""

    def __init__(self, probed: Record, recipes: Hypotheses) -> None:
        self._readings = len(probed.readings)
        self._recipes = recipes
        with one_thread():
            self._probed = Scores(probed, recipes[()])

    def finding(self, own: Sequence[Record]) -> Finding:
        """The one misconception, or pair, that explains the probes and a check's own records.

        Nothing is said where the right recipe explains them all: what is wrong is something else then.
        """
        if any(len(record.readings) != self._readings for record in own):
            return Finding(None)  # modules of one class that differ by more than their sizes
        with one_thread():
            here = [Scores(record, self._recipes[()]) for record in own]
            if () in self._right and self._agrees((), self._right, here):
                return Finding(None)
            matches = explain(
                (who[0] for who in self._singles),
                lambda: ((who[0], who[1]) for who in self._pairs),
                lambda who: self._agrees(who, self._singles if len(who) == 1 else self._pairs, here),
            )
            return finding([_told(match, here) for match in matches])

    # Most recipes do not explain the probes: the checks after the first have only these few to look at.

    @cached_property
    def _right(self) -> dict[Who, Score]:
        return self._explaining(0)

    @cached_property
    def _singles(self) -> dict[Who, Score]:
        return self._explaining(1)

    @cached_property
    def _pairs(self) -> dict[Who, Score]:
        return self._explaining(2)

    def _explaining(self, together: int) -> dict[Who, Score]:
        """What explains the probes with so many mistakes at once, and how well."""
        possible = self._probed.possible(self._recipes.together(together))
        found = ((who, self._probed.of(recipe)) for who, recipe in possible)
        return {who: score for who, score in found if score}

    def _agrees(
        self, who: Who, on_probes: Mapping[Who, Score], here: Sequence[Scores]
    ) -> Match[Replayable] | None:
        score = on_probes[who]
        for scores in here:
            found = scores.of(self._recipes[who])
            if found is None:
                return None
            score = score.joined(found)
        return score.match(who)


def _told(match: Match[Replayable], here: Sequence[Scores]) -> Match[Replayable]:
    """Of a pair, the one that explains the check's own records by itself, where one does."""
    for one in match.who if len(match.who) == 2 else ():
        found = [scores.of(one.recipe) for scores in here]
        whole = [score for score in found if score]
        if whole and len(whole) == len(found):
            alone = reduce(Score.joined, whole).match((one,))
            if alone and alone.telling:
                return alone
    return match
