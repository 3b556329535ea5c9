"""What a page has thousands of, as markup: the cells of heatmaps and of their tables.

A template evaluates and escapes every attribute by itself, which took most of the time of a page.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from grader.render.picture import Panel


def cells(panel: Panel, left: float, top: float) -> Markup:
    """A line of SVG for each cell, and one for the text in it; `left` and `top` are the corner of the first."""
    width, height = panel.cell_width, panel.cell_height
    size = f'width="{width}" height="{height}"'
    smaller = f'width="{width - 2}" height="{height - 2}"'
    lines = []
    for x, y, fill, text, on_dark in panel.cells:
        if fill:
            lines.append(f'<rect class="cell" x="{left + x}" y="{top + y}" {size} fill="{fill}"/>')
        else:
            lines.append(f'<rect class="void" x="{left + x + 1}" y="{top + y + 1}" {smaller}/>')
        if text:
            look = f"in-cell{' light' if on_dark else ''}{'' if fill else ' void-text'}"
            at = f'x="{left + x + width / 2}" y="{top + y + height / 2 + 3.5}"'
            lines.append(f'<text class="{look}" {at}>{escape(text)}</text>')
    return Markup("\n      ".join(lines))


def data_cells(figures: Sequence[str]) -> Markup:
    """The cells of one row of a table. A figure has no line end, so that all are escaped at once."""
    if not figures:
        return Markup()
    escaped = str(escape("\n".join(figures)))
    return Markup("<td>" + escaped.replace("\n", "</td><td>") + "</td>")
