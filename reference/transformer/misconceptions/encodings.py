"""The positional encoding and what students make of it: one function, its steps as switches.

Letters:  N batch   S length   E embed_dim   P pairs of features, E / 2
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from reference.transformer.misconceptions.drops import Drop, Kind, Mode, seeded
from reference.transformer.misconceptions.steps import Steps


@dataclass(frozen=True, slots=True)
class Encoding(Steps):
    """The encoding with its steps as switches; the defaults are right."""

    base: float = 10000.0
    exponent: str = "2i / E"
    """Name in EXPONENTS."""
    start: int = 0
    """Number of the first position."""
    layout: str = "sine, cosine"
    """Name in LAYOUTS."""
    rows: str = "of positions"
    """"of positions", "of sequences": by the place in the batch, "next": that of position S for all."""
    combined: str = "sum"
    """Name in COMBINED."""
    dropout: str = "sum"
    """Name in DROPOUT."""


RIGHT = Encoding()

EXPONENTS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "2i / E": lambda i, E: torch.stack([2 * i, 2 * i], -1) / E,
    "i / E": lambda i, E: torch.stack([i, i], -1) / E,
    "4i / E": lambda i, E: torch.stack([4 * i, 4 * i], -1) / E,
    "-2i / E": lambda i, E: torch.stack([-2 * i, -2 * i], -1) / E,
    "2i, then / E": lambda i, E: torch.stack([2 * i, 2 * i], -1) - math.log(E, 10000.0),
    "whole": lambda i, E: torch.stack([2 * i, 2 * i], -1) // E,
    "own": lambda i, E: torch.stack([2 * i, 2 * i + 1], -1) / E,
}
"""(i (P,), E) -> (P, 2): what the base is raised to, in the divisor of the angles of sine and cosine."""


def _one_column(sine: Tensor, cosine: Tensor) -> Tensor:
    """Cosines written to column 1 alone (1:2 for 1::2): it holds those of the first pair, other odd columns are 0."""
    kept = torch.zeros_like(cosine)
    kept[:, :1] = cosine[:, :1]
    return _mixed(sine, kept)


def _mixed(even: Tensor, odd: Tensor) -> Tensor:
    return torch.stack([even, odd], -1).flatten(-2)


LAYOUTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "sine, cosine": lambda a, b: _mixed(a.sin(), b.cos()),
    "cosine, sine": lambda a, b: _mixed(a.cos(), b.sin()),
    "halves": lambda a, b: torch.cat([a.sin(), b.cos()], -1),
    "sines": lambda a, b: _mixed(a.sin(), b.sin()),
    "cosines": lambda a, b: _mixed(a.cos(), b.cos()),
    "one column": lambda a, b: _one_column(a.sin(), b.cos()),
    "no cosine": lambda a, b: _mixed(a.sin(), torch.zeros_like(b)),
}
"""(angles of the sines (L, P), of the cosines (L, P)) -> table (L, E)."""

COMBINED: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "sum": lambda x, table: x + table,
    "twice": lambda x, table: x + table + table,
    "input": lambda x, table: x.clone(),
    "table": lambda x, table: table.expand_as(x).clone(),
    "product": lambda x, table: x * table,
    "difference": lambda x, table: x - table,
    "large input": lambda x, table: x * math.sqrt(x.size(-1)) + table,
    "small table": lambda x, table: x + table / math.sqrt(x.size(-1)),
}
"""(x (N, S, E), its rows of the table) -> what is then dropped out of."""

DROPOUT: dict[str, Kind] = {
    "sum": Kind(("sum",)),
    "none": Kind(()),
    "always": Kind(("sum",), always=True),
    "table": Kind(("table",)),
    "input": Kind(("input",)),
    "twice": Kind(("sum", "sum")),
    "half": Kind(("sum",), p=0.5),
    "tenth": Kind(("sum",), p=0.1),
    "not rescaled": Kind(("sum",), rescaled=False),
}


def encode(recipe: Encoding, x: Tensor, mode: Mode = Mode()) -> Tensor:  # noqa: B008
    """What a module by `recipe` makes of x (N, S, E), E even: (N, S, E)."""
    drop = Drop(DROPOUT[recipe.dropout], mode)
    with seeded(mode.seed), torch.no_grad():
        table = drop("table", _rows(recipe, x), 3)
        return drop("sum", COMBINED[recipe.combined](drop("input", x, 3), table), 3)


def _rows(recipe: Encoding, x: Tensor) -> Tensor:
    """The rows of the table that x meets: (1, S, E), or (N, 1, E), or (1, 1, E). Computed in float64."""
    N, S, E = x.shape
    length = {"of sequences": N, "next": S + 1}.get(recipe.rows, S)
    position = torch.arange(length, dtype=torch.float64) + recipe.start  # (L,)
    exponent = EXPONENTS[recipe.exponent](torch.arange(E // 2, dtype=torch.float64), E)  # (P, 2)
    angle = position[:, None, None] * recipe.base**-exponent  # (L, P, 2)
    table = LAYOUTS[recipe.layout](angle[..., 0], angle[..., 1]).float()  # (L, E)
    if recipe.rows == "next":
        return table[None, -1:]
    return table[:, None] if recipe.rows == "of sequences" else table[None]
