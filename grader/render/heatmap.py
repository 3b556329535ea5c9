"""A heatmap: small matrices side by side, one colour scale, the values in the cells where they fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from grader.languages import ENGLISH, Language
from grader.model import Plot
from grader.render.picture import Cell, Number, Panel, Picture, Table, Tick, empty, names, number, short
from grader.text import one_line

MAX_PANELS = 6
MAX_CELLS = 64
"""Rows or columns that are drawn; the note under the picture says when there were more."""
PAPER, TEAL, RUST = (246, 243, 236), (24, 86, 105), (166, 66, 38)
CLIPPED = "Only the first {panels} matrices and {cells} rows and columns are shown."

EVEN_LUMINANCE = 0.179
"""Of a ground on which black and white are equally well read, both at 4.6 : 1."""
SCALE_STEPS = 25
WORDY_COLUMNS = 10
"""Up to this many columns the values are written into the cells."""


def heatmap(plot: Plot, words: Language = ENGLISH) -> Picture:
    """Of a Plot of kind "heatmap": {panel title: rows of numbers}."""
    matrices = [(one_line(str(name), 80), _matrix(values)) for name, values in plot.series.items()]
    drawn = [(name, rows) for name, rows in matrices[:MAX_PANELS] if rows and any(rows)]
    finite = [v for _, rows in drawn for row in rows for v in row if v is not None and math.isfinite(v)]
    if not drawn:
        return empty(plot, words("There are no numbers to draw."))
    high = max((abs(v) for v in finite), default=0.0)
    low = 0.0 if min(finite, default=0.0) >= 0 else -high
    clipped = any(_clipped(values) for values in plot.series.values()) or len(matrices) > MAX_PANELS
    return Picture(
        title=one_line(plot.title),
        description=words(
            "Heatmap of {names}; values from {low} to {high}.",
            names=names(drawn),
            low=short(min(finite, default=0.0)),
            high=short(max(finite, default=0.0)),
        ),
        x_label=one_line(plot.x_label),
        y_label=one_line(plot.y_label),
        note=words(CLIPPED, panels=MAX_PANELS, cells=MAX_CELLS) if clipped else "",
        tables=tuple(_matrix_table(plot, name, rows) for name, rows in drawn),
        panels=tuple(_panel(name, rows, high) for name, rows in drawn),
        scale=tuple(_colour(low + (high - low) * i / (SCALE_STEPS - 1), high) for i in range(SCALE_STEPS)),
        scale_low=short(low),
        scale_high=short(high),
    )


def _panel(title: str, rows: list[list[Number]], high: float) -> Panel:
    n_rows, n_columns = len(rows), max(map(len, rows))
    wordy = n_columns <= WORDY_COLUMNS
    width = 36.0 if wordy else max(5.0, min(24.0, 336.0 / n_columns))
    height = 26.0 if wordy else max(5.0, min(width, 360.0 / n_rows))
    cells = []
    for i, row in enumerate(rows):
        y = i * height
        for j, value in enumerate(row):
            fill = _colour(value, high)
            text = _in_cell(value, high) if wordy else ""
            cells.append(Cell(j * width, y, fill, text, wordy and _is_dark(fill)))
    return Panel(
        title=title,
        left=8.0 + 7.0 * len(str(n_rows - 1)),
        width=n_columns * width,
        height=n_rows * height,
        cell_width=width,
        cell_height=height,
        cells=tuple(cells),
        columns=tuple(Tick((j + 0.5) * width, str(j)) for j in _every(n_columns, width, 22.0)),
        rows=tuple(Tick((i + 0.5) * height, str(i)) for i in _every(n_rows, height, 16.0)),
    )


def _every(n: int, step: float, room: float) -> range:
    """Indices whose labels, `step` apart each, have `room` to stand in."""
    stride = max(1, math.ceil(room / step))
    return range(0, n, stride if stride == 1 else math.ceil(stride / 5) * 5)


def _colour(value: Number, high: float) -> str:
    """Paper for 0, teal for the highest, rust for the lowest; empty for what is no finite number."""
    if value is None or not math.isfinite(value):
        return ""
    strength = min(1.0, abs(value) / high) if high else 0.0
    (red, green, blue), (to_red, to_green, to_blue) = PAPER, TEAL if value >= 0 else RUST
    mixed = (
        round(red + (to_red - red) * strength),
        round(green + (to_green - green) * strength),
        round(blue + (to_blue - blue) * strength),
    )
    return "#%02x%02x%02x" % mixed  # noqa: UP031  (twice as fast as format, and there are thousands)


@lru_cache(maxsize=4096)
def _is_dark(fill: str) -> bool:
    """Whether text on this ground has to be light: "#rrggbb", or empty for the page's own."""
    if not fill:
        return False
    return _luminance([int(fill[at : at + 2], 16) for at in (1, 3, 5)]) < EVEN_LUMINANCE


def _luminance(colour: list[int]) -> float:
    """Relative luminance of an sRGB colour, 0 to 1 (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _in_cell(value: Number, high: float) -> str:
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if value == 0:
        return "0"
    if 0.095 <= high < 100:
        return f"{value:.2f}"
    if 100 <= high < 10_000:
        return f"{value:.0f}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _matrix(values: Any) -> list[list[Number]]:
    rows = values if isinstance(values, (list, tuple)) else []
    return [[number(v) for v in _row(row)[:MAX_CELLS]] for row in rows[:MAX_CELLS]]


def _clipped(values: Any) -> bool:
    rows = values if isinstance(values, (list, tuple)) else []
    return len(rows) > MAX_CELLS or any(len(_row(row)) > MAX_CELLS for row in rows)


def _row(row: Any) -> Sequence[Any]:
    return row if isinstance(row, (list, tuple)) else [row]


def _matrix_table(plot: Plot, name: str, rows: list[list[Number]]) -> Table:
    return Table(
        caption=name,
        corner=f"{one_line(plot.y_label, 60)} \\ {one_line(plot.x_label, 60)}".strip(" \\"),
        columns=tuple(str(j) for j in range(max(map(len, rows)))),
        rows=tuple((str(i), tuple(map(short, row))) for i, row in enumerate(rows)),
    )
