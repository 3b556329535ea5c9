"""A line chart: series over a common x, told apart by dash and marker as well as by colour."""

from __future__ import annotations

import math
from typing import Any

from grader.languages import ENGLISH, Language
from grader.model import Plot
from grader.render.picture import Line, Number, Picture, Table, Tick, empty, is_drawable, names, number, short
from grader.text import one_line

MAX_SERIES = 6
MAX_POINTS = 400
CLIPPED = "Only the first {series} series and {points} points are shown."
CHART_WIDTH, CHART_HEIGHT = 360.0, 236.0
CHART_LEFT, CHART_RIGHT, CHART_TOP, CHART_BOTTOM = 50.0, 10.0, 8.0, 44.0
"""The frame that templates/partials/picture.html.j2 draws around the lines."""


def curves(plot: Plot, words: Language = ENGLISH) -> Picture:
    """Of a Plot of kind "curves": {series title: numbers, None for a gap}; x counts from 1."""
    series = [(one_line(str(name), 80), _series(values)) for name, values in plot.series.items()]
    drawn = [(name, ys) for name, ys in series[:MAX_SERIES] if any(is_drawable(y) for y in ys)]
    if not drawn:
        return empty(plot, words("There are no numbers to draw."))
    finite = [y for _, ys in drawn for y in ys if is_drawable(y)]
    y_ticks = nice_ticks(min(finite), max(finite))
    n = max(len(ys) for _, ys in drawn)
    cut = len(series) > MAX_SERIES or any(
        isinstance(values, (list, tuple)) and len(values) > MAX_POINTS for values in plot.series.values()
    )
    return Picture(
        title=one_line(plot.title),
        description=words(
            "Line chart of {names} over 1 point; values from {low} to {high}."
            if n == 1
            else "Line chart of {names} over {n} points; values from {low} to {high}.",
            names=names(drawn),
            **({} if n == 1 else {"n": n}),
            low=short(min(finite)),
            high=short(max(finite)),
        ),
        x_label=one_line(plot.x_label),
        y_label=one_line(plot.y_label),
        note=words(CLIPPED, series=MAX_SERIES, points=MAX_POINTS) if cut else "",
        tables=(_curve_table(plot, drawn, n),),
        lines=tuple(_line(k, name, ys, n, y_ticks) for k, (name, ys) in enumerate(drawn)),
        x_ticks=tuple(Tick(_x(i, n), str(i + 1)) for i in _x_labels(n)),
        y_ticks=tuple(Tick(_y(y, y_ticks), short(y)) for y in y_ticks),
    )


def _line(index: int, title: str, ys: list[Number], n: int, y_ticks: list[float]) -> Line:
    path, points, pen_down = [], [], False
    for i, y in enumerate(ys):
        if not is_drawable(y):
            pen_down = False
            continue
        point = (round(_x(i, n), 1), round(_y(y, y_ticks), 1))
        points.append(point)
        path.append(f"{'L' if pen_down else 'M'}{point[0]} {point[1]}")
        pen_down = True
    return Line(title, index, "".join(path), tuple(points) if n <= 40 else ())


def _x(i: int, n: int) -> float:
    room = CHART_WIDTH - CHART_LEFT - CHART_RIGHT
    return CHART_LEFT + (room * i / (n - 1) if n > 1 else room / 2)


def _y(y: float, ticks: list[float]) -> float:
    room = CHART_HEIGHT - CHART_TOP - CHART_BOTTOM
    return CHART_TOP + room * (1 - (y - ticks[0]) / (ticks[-1] - ticks[0]))


def _x_labels(n: int) -> list[int]:
    """Indices of the points that get a label: all of a few, else the first and about ten more."""
    if n <= 12:
        return list(range(n))
    step = int(_nice_step(n / 10)) or 1
    return [0, *range(step - 1, n, step)] if step > 1 else list(range(n))


_SMALLEST = 1e-290
"""Below it floats lose digits, and a step of theirs may be none."""


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """At least two round numbers that enclose [low, high], evenly spaced."""
    size = max(abs(low), abs(high))
    if not high - low > max(1e-12 * size, _SMALLEST):
        room = size * 0.1 if size > _SMALLEST else 1.0
        low, high = low - room, high + room
    step = _nice_step((high - low) / about)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [k * step for k in range(first, last + 1)]


def _nice_step(rough: float) -> float:
    scale = 10.0 ** math.floor(math.log10(rough))
    return next(m * scale for m in (1, 2, 5, 10) if rough <= m * scale * (1 + 1e-9))


def _series(values: Any) -> list[Number]:
    return [number(v) for v in values[:MAX_POINTS]] if isinstance(values, (list, tuple)) else []


def _curve_table(plot: Plot, drawn: list[tuple[str, list[Number]]], n: int) -> Table:
    columns = tuple(name for name, _ in drawn)
    padded = [ys + [None] * (n - len(ys)) for _, ys in drawn]
    rows = tuple((str(i + 1), tuple(short(ys[i]) for ys in padded)) for i in range(n))
    return Table(one_line(plot.title), one_line(plot.x_label, 60), columns, rows)
