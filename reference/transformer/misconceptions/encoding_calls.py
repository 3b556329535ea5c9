"""Calls to the positional encoding, replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache

from torch import Tensor

from reference.transformer.kept import Values
from reference.transformer.misconceptions.drops import Mode, shows
from reference.transformer.misconceptions.encodings import DROPOUT, RIGHT, Encoding, encode
from reference.transformer.misconceptions.positional import REPLAYED
from reference.transformer.misconceptions.replay import (
    Fault,
    Firsts,
    Hypotheses,
    Record,
    Run,
    Together,
    hypotheses,
)

SHOWN = 3
"""Positions that are compared: at later ones the angles of some mistakes are so large that float32 rounds them."""
_KEPT = 1_024
"""Outputs, of a few hundred bytes each."""


class EncodingRecord(Record):
    """Calls of one module; of each output the first positions count."""

    near = 3e-3
    """The frequency turned upside down gives angles that float32 rounds by so much. Every two recipes of the bank
    differ by more than ten times this on some probe; other right code is within 1e-6."""

    def __init__(self, runs: Sequence[Run]) -> None:
        shown = [r if isinstance(r.result, Fault) else r._replace(result=r.result[:, :SHOWN]) for r in runs]
        super().__init__(shown, readings=(None,))
        self._x = [Values(run.inputs[0]) for run in runs]

    def outcome(self, place: int, recipe: Encoding) -> Tensor | Fault:
        """The output (1, N, S, E), or what is raised."""
        try:
            return _shown(recipe, self._x[place], self.runs[place].mode)
        except RuntimeError as error:
            return Fault(type(error).__name__, str(error))

    def as_shown(self, place: int, recipe: Encoding) -> Encoding:
        modes = [self.runs[place].mode]
        shown = any(shows(DROPOUT[kind], modes) for kind in (recipe.dropout, RIGHT.dropout))
        return recipe if shown else replace(recipe, dropout=RIGHT.dropout)

    def firsts(self, together: Together) -> Firsts:
        return _firsts(self._x[0], self.runs[0].mode, together)


@lru_cache(maxsize=8)
def _firsts(x: Values, mode: Mode, together: Together) -> Firsts:
    record = EncodingRecord([Run((x.tensor(),), Fault("", ""), mode)])
    return Firsts.of(record.outcome(0, record.as_shown(0, recipe)) for recipe in together.recipes)


@lru_cache(maxsize=_KEPT)
def _shown(recipe: Encoding, x: Values, mode: Mode) -> Tensor:
    """(1, N, S, E). Kept: the probes of a class are the same for everyone. Raises what encode does."""
    return encode(recipe, x.tensor(), mode)[None, :, :SHOWN]


@cache
def encoding_hypotheses() -> Hypotheses:
    """What may be wrong with a student's positional encoding."""
    return hypotheses(REPLAYED, RIGHT)
