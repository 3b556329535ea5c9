"""Line charts side by side as one SVG that stands alone: no script, no font, nothing loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 380, 300
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 34, 84
COLOURS = ("#0b62a8", "#b3470b", "#2c7a39", "#7a3f9d", "#5b6068")
DASHES = ("", "7 4", "2 3", "10 3 2 3", "4 2")
"""Series are told apart without colour too."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart; all share the y axis from 0 to 1."""

    title: str
    x_label: str
    ticks: Sequence[str]
    """Labels of the points along x."""
    series: Mapping[str, Sequence[float | None]]
    """Title -> a value from 0 to 1 for each tick; None for a gap."""


def svg(title: str, panels: Sequence[Panel], columns: int = 2) -> str:
    """The panels in rows of `columns`."""
    down = -(-len(panels) // columns)
    width, height = WIDTH * columns, HEIGHT * down + 30
    drawn = "\n".join(
        f'<g transform="translate({WIDTH * (i % columns)} {30 + HEIGHT * (i // columns)})">\n{_panel(panel)}\n</g>'
        for i, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="12" fill="#1d2126">\n'
        f"<title>{escape(title)}</title>\n<desc>{escape(_described(panels))}</desc>\n"
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n'
        f'<text x="{width / 2:g}" y="22" text-anchor="middle" font-size="15">{escape(title)}</text>\n{drawn}\n</svg>\n'
    )


def _described(panels: Sequence[Panel]) -> str:
    """The numbers, for whoever cannot see the picture."""
    return " ".join(
        f"{panel.title}, by {panel.x_label} ({', '.join(panel.ticks)}): "
        + "; ".join(
            f"{name} " + " ".join("–" if y is None else f"{y:.3f}" for y in ys)
            for name, ys in panel.series.items()
        )
        + "."
        for panel in panels
    )


def _panel(panel: Panel) -> str:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [f'<text x="{LEFT}" y="{TOP - 12}" font-weight="bold">{escape(panel.title)}</text>']
    for i in range(6):
        y = _y(i / 5)
        parts.append(f'<path d="M{LEFT} {y:g}H{right}" stroke="#d9dde2"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:g}" text-anchor="end">{i / 5:.1f}</text>')
    parts.append(f'<path d="M{LEFT} {bottom}H{right}" stroke="#5b6068"/>')
    for i, tick in enumerate(panel.ticks):
        x = _x(i, len(panel.ticks))
        parts.append(f'<text x="{x:g}" y="{bottom + 16}" text-anchor="middle">{escape(tick)}</text>')
    middle = (LEFT + right) / 2
    parts.append(
        f'<text x="{middle:g}" y="{bottom + 33}" text-anchor="middle">{escape(panel.x_label)}</text>'
    )
    for i, (name, values) in enumerate(panel.series.items()):
        parts += [_curve(i, values, len(panel.ticks)), _key(i, name, bottom)]
    return "\n".join(parts)


def _curve(number: int, values: Sequence[float | None], count: int) -> str:
    """A line that stops at gaps, with a dot at each point."""
    path, dots, down = "", "", False
    for i, value in enumerate(values):
        if value is None:
            down = False
            continue
        x, y = _x(i, count), _y(value)
        path += f"{'L' if down else 'M'}{x:.1f} {y:.1f}"
        dots += f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        down = True
    colour = COLOURS[number % len(COLOURS)]
    dash = DASHES[number % len(DASHES)]
    stroke = f'stroke="{colour}" stroke-width="2" fill="none" stroke-dasharray="{dash or "none"}"'
    return f'<path d="{path}" {stroke}/><g fill="{colour}">{dots}</g>'


def _key(number: int, name: str, bottom: float) -> str:
    """The legend's entry: two in a row below the axis."""
    x, y = LEFT + (number % 2) * 165, bottom + 50 + (number // 2) * 16
    colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
    shown = name if len(name) <= 24 else name[:23] + "…"
    return (
        f'<path d="M{x} {y - 4}h22" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash or "none"}"/>'
        f'<text x="{x + 28}" y="{y}" font-size="11">{escape(shown)}</text>'
    )


def _x(i: int, count: int) -> float:
    room = WIDTH - LEFT - RIGHT - 24
    return LEFT + 12 + (room * i / (count - 1) if count > 1 else room / 2)


def _y(value: float) -> float:
    room = HEIGHT - TOP - BOTTOM
    return TOP + room * (1 - min(max(value, 0.0), 1.0))
