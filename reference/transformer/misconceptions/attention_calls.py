"""Calls to multi-head attention, replayed with the student's own weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from torch import Tensor

from reference.transformer.attention import AttentionWeights
from reference.transformer.misconceptions.attention import REPLAYED
from reference.transformer.misconceptions.recipes import RIGHT, Recipe, compute
from reference.transformer.misconceptions.replay import Fault, Run, Who, hypotheses
from reference.transformer.misconceptions.steps import Steps

_RAISED = (RuntimeError, TypeError, IndexError)


class AttentionRecord:
    """Calls of one module: query (N, S, E), key and value (N, T, E), the mask (S, T) where there is one."""

    near = 1e-4
    """float32 noise is below 1e-5. Every two recipes of the bank differ by more than ten times this on some probe."""

    def __init__(self, runs: Sequence[Run], readings: Sequence[AttentionWeights], num_heads: int) -> None:
        self.runs = runs
        self.readings = readings
        self._num_heads = num_heads
        self._memos: list[dict[Any, Tensor]] = [{} for _ in runs]

    def replay(self, recipe: Recipe) -> Iterator[Tensor | Fault]:
        """The output (R, N, S, E) of each run, or what is raised."""
        for run, memo in zip(self.runs, self._memos, strict=True):
            yield self._outcome(recipe, run, memo)

    def _outcome(self, recipe: Recipe, run: Run, memo: dict[Any, Tensor]) -> Tensor | Fault:
        query, key, value, *mask = run.inputs
        arguments = (self._num_heads, mask[0] if mask else None, run.mode)
        try:
            output = compute(recipe, query, key, value, self.readings, *arguments, memo)
        except _RAISED:
            try:  # once more with one reading, for the sizes in the message to be those that the student saw
                compute(recipe, query, key, value, self.readings[0], *arguments)
            except _RAISED as error:
                return Fault(type(error).__name__, str(error))
            raise
        return output if len(self.readings) > 1 else output[None]


@cache
def attention_hypotheses() -> dict[Who, Steps]:
    """What may be wrong with a student's attention."""
    return hypotheses(REPLAYED, RIGHT)
