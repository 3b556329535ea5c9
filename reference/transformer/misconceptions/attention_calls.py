"""Calls to multi-head attention, replayed with the student's own weights."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache
from itertools import product

from torch import Tensor

from reference.transformer.attention import AttentionWeights
from reference.transformer.misconceptions.attending import Attending, maps_of
from reference.transformer.misconceptions.attention import REPLAYED
from reference.transformer.misconceptions.drops import Mode, shows
from reference.transformer.misconceptions.recipes import DROPOUT, MASKS, RIGHT, Recipe
from reference.transformer.misconceptions.replay import Fault, Record, Run, Who, hypotheses
from reference.transformer.misconceptions.steps import Steps

_RAISED = (RuntimeError, TypeError, IndexError)


class AttentionRecord(Record):
    """Calls of one module: query (N, S, E), key and value (N, T, E), the mask (S, T) where there is one."""

    near = 1e-4
    """float32 noise is below 1e-5. Every two recipes of the bank differ by more than ten times this on some probe."""

    def __init__(self, runs: Sequence[Run], readings: Sequence[AttentionWeights], num_heads: int) -> None:
        super().__init__(runs, readings)
        maps, first = maps_of(readings), maps_of(readings[:1])
        self._calls = [Attending(maps, num_heads, run.inputs) for run in runs]
        self._calls_of_one = [Attending(first, num_heads, run.inputs) for run in runs]
        self._unseen = [_unseen(run) for run in runs]
        self._shown: list[dict[Recipe, Recipe]] = [{} for _ in runs]

    def outcome(self, place: int, recipe: Recipe) -> Tensor | Fault:
        """The output (R, N, S, E), or what is raised."""
        mode = self.runs[place].mode
        try:
            output = self._calls[place].output(recipe, mode)
        except _RAISED as error:
            # Of many readings once more with one, for the sizes in the message to be those that the student saw.
            return (
                _fault(error)
                if len(self.readings) == 1
                else _fault_of(self._calls_of_one[place], recipe, mode)
            )
        return output if len(self.readings) > 1 else output[None]

    def as_shown(self, place: int, recipe: Recipe) -> Recipe:
        shown = self._shown[place]
        if recipe not in shown:
            unseen = {
                switch for switch, values in self._unseen[place].items() if getattr(recipe, switch) in values
            }
            right = {switch: getattr(RIGHT, switch) for switch in unseen}
            shown[recipe] = replace(recipe, **right) if unseen else recipe
        return shown[recipe]


def _unseen(run: Run) -> dict[str, Collection[str]]:
    """The settings of switches that give the right output in a run, whatever the others are."""
    query, key, value, *mask = run.inputs
    unseen: dict[str, Collection[str]] = {}
    if not mask:
        unseen["mask"] = {*MASKS, "ignore", "zero after", "infinite after"} - {"causal by default"}
    if query is key is value:
        unseen["inputs"] = {"".join(letters) for letters in product("qkv", repeat=3)}
    if not shows(DROPOUT[RIGHT.dropout], [run.mode]):
        unseen["dropout"] = [kind for kind in DROPOUT if not shows(DROPOUT[kind], [run.mode])]
    return unseen


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
