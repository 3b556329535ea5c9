"""What a picture is made of: panels of cells, lines, ticks, and the same numbers as a table.

Units are SVG user units, sized so that text is about 11 px when a picture is shown at its natural width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

from grader.model import Plot
from grader.text import one_line

Number = float | None
DRAWABLE = 1e300
"""Largest size of a value that has a place on an axis; the arithmetic of an axis overflows not far above."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis and its label."""

    at: float
    label: str


class Cell(NamedTuple):
    """One value of a heatmap; a tuple, for a page has thousands."""

    x: float
    y: float
    fill: str
    """"#rrggbb", or empty where the value is no finite number."""
    text: str
    """The value where it fits, else empty."""
    on_dark: bool
    """Whether the text has to be light; False where there is none."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One matrix of a heatmap."""

    title: str
    left: float
    width: float
    height: float
    cell_width: float
    cell_height: float
    cells: tuple[Cell, ...]
    columns: tuple[Tick, ...]
    rows: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a line chart."""

    title: str
    number: int
    """0, 1, ...: picks colour, dash pattern and marker."""
    path: str
    """SVG path data; a gap in the values is a gap in the line."""
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The same numbers for readers who cannot use the picture."""

    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture ready to be set: `panels` of a heatmap or `lines` of a chart; neither where nothing can be drawn."""

    title: str
    description: str
    x_label: str
    y_label: str
    note: str
    tables: tuple[Table, ...]
    panels: tuple[Panel, ...] = ()
    scale: tuple[str, ...] = ()
    """Colours from the lowest to the highest value."""
    scale_low: str = ""
    scale_high: str = ""
    lines: tuple[Line, ...] = ()
    x_ticks: tuple[Tick, ...] = ()
    y_ticks: tuple[Tick, ...] = ()


def empty(plot: Plot, note: str) -> Picture:
    """In place of a picture that cannot be drawn."""
    return Picture(one_line(plot.title), "", one_line(plot.x_label), one_line(plot.y_label), note, ())


def number(value: Any) -> Number:
    """A value as a float, without a sign where it is zero; None, a gap, for what is no number."""
    if not isinstance(value, (int, float)):
        return None
    try:
        return float(value) + 0.0
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def is_drawable(value: Number) -> TypeGuard[float]:
    """False for a gap, for what is not finite, and for a number whose double would not be."""
    return value is not None and abs(value) <= DRAWABLE


def short(value: Number) -> str:
    """Four significant digits; a dash for a gap."""
    return "–" if value is None else f"{value:.4g}"


def names(drawn: Sequence[tuple[str, Any]]) -> str:
    """The titles of what is drawn, for a description."""
    return ", ".join(name for name, _ in drawn)
