"""Calls to multi-head attention, replayed with the student's own weights."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from itertools import product
from typing import NamedTuple

from torch import Tensor

from reference.transformer.attention import AttentionWeights
from reference.transformer.misconceptions.attending import Attending, attending
from reference.transformer.misconceptions.attention import REPLAYED
from reference.transformer.misconceptions.drops import Mode, shows
from reference.transformer.misconceptions.recipes import DROPOUT, MASKS, RIGHT, Recipe
from reference.transformer.misconceptions.replay import (
    Fault,
    Firsts,
    Hypotheses,
    Record,
    Run,
    Together,
    hypotheses,
)

_RAISED = (RuntimeError, TypeError, IndexError)


class AttentionRecord(Record):
    """Calls of one module: query (N, S, E), key and value (N, T, E), the mask (S, T) where there is one."""

    near = 1e-4
    """float32 noise is below 1e-5. Every two recipes of the bank differ by more than ten times this on some probe."""

    def __init__(self, runs: Sequence[Run], readings: Sequence[AttentionWeights], num_heads: int) -> None:
        super().__init__(runs, readings)
        self._calls = [attending(readings, num_heads, run.inputs) for run in runs]
        self._calls_of_one = [attending(readings[:1], num_heads, run.inputs) for run in runs]
        self._unseen = [_unseen(run) for run in runs]

    def outcome(self, place: int, recipe: Recipe) -> Tensor | Fault:
        """The output (R, N, S, E), or what is raised."""
        mode = self.runs[place].mode
        found = _outcome(self._calls[place], recipe, mode)
        if not isinstance(found, Fault):
            return found if len(self.readings) > 1 else found[None]
        # Of many readings once more with one, for the sizes in the message to be those that the student saw.
        return found if len(self.readings) == 1 else _fault_of(self._calls_of_one[place], recipe, mode)

    def as_shown(self, place: int, recipe: Recipe) -> Recipe:
        return _plainest(recipe, self._unseen[place])

    def firsts(self, together: Together) -> Firsts | None:
        if len(self.readings) > 1:
            return None
        return _firsts(self._calls[0], self.runs[0].mode, self._unseen[0], together)


class _Unseen(NamedTuple):
    """What makes some switches show nothing in a run."""

    no_mask: bool
    one_tensor: bool
    """Query, key and value are the same."""
    training: bool


@lru_cache(maxsize=8)
def _firsts(call: Attending, mode: Mode, unseen: _Unseen, together: Together) -> Firsts:
    return Firsts.of(_outcome(call, _plainest(recipe, unseen), mode) for recipe in together.recipes)


def _outcome(call: Attending, recipe: Recipe, mode: Mode) -> Tensor | Fault:
    try:
        return call.output(recipe, mode)
    except _RAISED as error:
        return Fault(type(error).__name__, str(error))


def _unseen(run: Run) -> _Unseen:
    query, key, value, *mask = run.inputs
    return _Unseen(not mask, query is key is value, run.mode.training)


@cache
def _plainest(recipe: Recipe, unseen: _Unseen) -> Recipe:
    """With the switches set right whose setting gives the right output then, whatever the others are."""
    right = {
        switch: getattr(RIGHT, switch)
        for switch, settings in _settings(unseen).items()
        if getattr(recipe, switch) in settings
    }
    return replace(recipe, **right) if right else recipe


@cache
def _settings(unseen: _Unseen) -> dict[str, Collection[str]]:
    """The settings of switches that give the right output, whatever the others are."""
    found: dict[str, Collection[str]] = {}
    if unseen.no_mask:
        found["mask"] = {*MASKS, "ignore", "zero after", "infinite after"} - {"causal by default"}
    if unseen.one_tensor:
        found["inputs"] = {"".join(letters) for letters in product("qkv", repeat=3)}
    modes = [Mode(unseen.training)]
    if not shows(DROPOUT[RIGHT.dropout], modes):
        found["dropout"] = [kind for kind in DROPOUT if not shows(DROPOUT[kind], modes)]
    return found


def _fault_of(call: Attending, recipe: Recipe, mode: Mode) -> Fault:
    found = _outcome(call, recipe, mode)
    return found if isinstance(found, Fault) else Fault("", "")


@cache
def attention_hypotheses() -> Hypotheses:
    """What may be wrong with a student's attention."""
    return hypotheses(REPLAYED, RIGHT)
