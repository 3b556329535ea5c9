"""Calls to the positional encoding, replayed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from torch import Tensor

from reference.transformer.misconceptions.drops import shows
from reference.transformer.misconceptions.encodings import DROPOUT, RIGHT, Encoding, encode
from reference.transformer.misconceptions.positional import REPLAYED
from reference.transformer.misconceptions.replay import Fault, Run, Who, first_of, hypotheses
from reference.transformer.misconceptions.steps import Steps

SHOWN = 3
"""Positions that are compared: at later ones the angles of some mistakes are so large that float32 rounds them."""


class EncodingRecord:
    """Calls of one module; of each output the first positions count."""

    near = 3e-3
    """The frequency turned upside down gives angles that float32 rounds by so much. Every two recipes of the bank
    differ by more than ten times this on some probe; other right code is within 1e-6."""
    readings = (None,)

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs: Sequence[Run] = [
            Run(r.inputs, r.result if isinstance(r.result, Fault) else r.result[:, :SHOWN], r.mode)
            for r in runs
        ]
        self.firsts: Sequence[float] = [first_of(run.result) for run in self.runs]

    def replay(self, recipe: Encoding) -> Iterator[Tensor | Fault]:
        """The output (1, N, S, E) of each run, or what is raised."""
        for run in self.runs:
            try:
                yield encode(recipe, run.inputs[0], run.mode)[None, :, :SHOWN]
            except RuntimeError as error:
                yield Fault(type(error).__name__, str(error))

    def as_shown(self, recipe: Encoding) -> Encoding:
        drops = any(
            shows(DROPOUT[kind], [run.mode for run in self.runs]) for kind in {recipe.dropout, RIGHT.dropout}
        )
        return recipe if drops else replace(recipe, dropout=RIGHT.dropout)


@cache
def encoding_hypotheses() -> dict[Who, Steps]:
    """What may be wrong with a student's positional encoding."""
    return hypotheses(REPLAYED, RIGHT)
