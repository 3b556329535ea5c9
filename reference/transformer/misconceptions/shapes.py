"""Shapes that students report in 2a and 2b in place of the right ones. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from grader.bank import Edit, Misconception
from grader.model import Diagnosis

_ASK = "Print .shape after the layer, after the heads are split, and after the product of query and key."


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeMisconception(Misconception):
    """A wrong belief about which tensor, or which of its axes, is meant."""

    sizes: tuple[int, ...]
    """What it leads to, for 1 sequence of length 3, 2 heads and 8 features."""


def _entry(id: str, title: str, belief: str, right: str, *sizes: int) -> ShapeMisconception:
    check = id.rpartition(".")[0]
    edits = (Edit("answers.toml", f"shape = {right}", f"shape = {list(sizes)}"),)
    return ShapeMisconception(
        id=id, title=title, belief=belief, hint=_ASK, checks=(check,), edits=edits, sizes=sizes
    )


_QUERY, _WEIGHTS = "[1, 2, 3, 4]", "[1, 2, 3, 3]"

BANK: tuple[ShapeMisconception, ...] = (
    _entry(
        "2a.shape.not_transposed",
        "The length stands before the heads",
        "Splitting the last axis is all that there is to splitting into heads.",
        _QUERY, 1, 3, 2, 4,
    ),
    _entry(
        "2a.shape.not_split",
        "The features are not split into heads",
        "The projected query is what comes out of the layer.",
        _QUERY, 1, 3, 8,
    ),
    _entry(
        "2b.shape.one_head",
        "There is one matrix of weights, not one for each head",
        "The heads share their weights.",
        _WEIGHTS, 1, 3, 3,
    ),
    _entry(
        "2b.shape.not_transposed",
        "The heads of each token attend to one another, not the tokens",
        "The product of query and key runs over the axes that stand last, whichever they are.",
        _WEIGHTS, 1, 3, 2, 2,
    ),
    _entry(
        "2b.shape.of_query",
        "It is the shape of the query, not of the attention weights",
        "The weights have the shape of what they are computed from.",
        _WEIGHTS, 1, 2, 3, 4,
    ),
)  # fmt: skip


def shape_named(check: str, sizes: list[int]) -> Diagnosis | None:
    """The diagnosis of a wrong shape reported in a check, or None where it is no known one."""
    found = next((m for m in BANK if check in m.checks and m.sizes == tuple(sizes)), None)
    if found is None:
        return None
    return Diagnosis(found.id, found.title, f"{sizes} is what it comes to", found.hint)
