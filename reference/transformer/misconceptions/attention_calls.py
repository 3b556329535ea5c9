"""Calls to multi-head attention, replayed with the student's own weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from torch import Tensor

from reference.transformer.attention import AttentionWeights
from reference.transformer.misconceptions.attending import Attending, maps_of
from reference.transformer.misconceptions.attention import REPLAYED
from reference.transformer.misconceptions.drops import Mode, shows
from reference.transformer.misconceptions.recipes import DROPOUT, RIGHT, Recipe
from reference.transformer.misconceptions.replay import Fault, Run, Who, first_of, hypotheses
from reference.transformer.misconceptions.steps import Steps

_RAISED = (RuntimeError, TypeError, IndexError)


class AttentionRecord:
    """Calls of one module: query (N, S, E), key and value (N, T, E), the mask (S, T) where there is one."""

    near = 1e-4
    """float32 noise is below 1e-5. Every two recipes of the bank differ by more than ten times this on some probe."""

    def __init__(self, runs: Sequence[Run], readings: Sequence[AttentionWeights], num_heads: int) -> None:
        self.runs = runs
        self.firsts: Sequence[float] = [first_of(run.result) for run in runs]
        self.readings = readings
        self._shown = {kind: shows(DROPOUT[kind], [run.mode for run in runs]) for kind in DROPOUT}
        maps, first = maps_of(readings), maps_of(readings[:1])
        self._calls = [Attending(maps, num_heads, run.inputs) for run in runs]
        self._calls_of_one = [Attending(first, num_heads, run.inputs) for run in runs]

    def replay(self, recipe: Recipe) -> Iterator[Tensor | Fault]:
        """The output (R, N, S, E) of each run, or what is raised."""
        for run, call, call_of_one in zip(self.runs, self._calls, self._calls_of_one, strict=True):
            try:
                output = call.output(recipe, run.mode)
                yield output if len(self.readings) > 1 else output[None]
            except _RAISED as error:
                # Of many readings once more with one, for the sizes in the message to be those that the student saw.
                yield _fault(error) if len(self.readings) == 1 else _fault_of(call_of_one, recipe, run.mode)

    def as_shown(self, recipe: Recipe) -> Recipe:
        shown = self._shown[recipe.dropout] or self._shown[RIGHT.dropout]
        return recipe if shown else without_dropout(recipe)


@cache
def without_dropout(recipe: Recipe) -> Recipe:
    return replace(recipe, dropout=RIGHT.dropout)


def _fault_of(call: Attending, recipe: Recipe, mode: Mode) -> Fault:
    try:
        call.output(recipe, mode)
    except _RAISED as error:
        return _fault(error)
    return Fault("", "")


def _fault(error: Exception) -> Fault:
    return Fault(type(error).__name__, str(error))


@cache
def attention_hypotheses() -> dict[Who, Steps]:
    """What may be wrong with a student's attention."""
    return hypotheses(REPLAYED, RIGHT)
