"""The text of a PDF page by page, from where each glyph stands: lines, columns, raised digits and fractions.

Runs in a sealed worker, as part of `documents`. pdfminer.six (the parser under pdfplumber) interprets the file; what it
draws is collected here glyph by glyph, since text as it comes out of the usual extractors loses what a number needs:
"2.7 × 10⁸" becomes "2.7 × 108", and a fraction two lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pdfminer.pdfdevice import PDFTextDevice
from pdfminer.pdffont import PDFUnicodeNotDefined
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.utils import apply_matrix_pt

MOST_PAGES = 100
MOST_GLYPHS = 600_000
_TINY = 1.5
"""Points: smaller glyphs are not meant to be read."""
_THIN = "\u2009"
_MOST_COLUMNS = 40
EMPTY = "\x07"
"""Stands for an empty cell between two tabs."""


class TooMuch(Exception):
    """The file draws more glyphs than are read."""


@dataclass(slots=True)
class Run:
    """Glyphs side by side on one base line, in one size."""

    text: str
    x0: float
    x1: float
    y: float
    """Of the base line; larger is higher."""
    size: float
    bold: bool


@dataclass(slots=True)
class TextLine:
    """Runs that read as one line."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    raised: bool = field(default=False)
    """It is a lone run smaller than what stands around it: perhaps half of a fraction."""
    gaps: list[tuple[float, float]] = field(default_factory=list)
    """Where each wide gap, a tab in the text, begins and ends."""

    @property
    def middle(self) -> float:
        return (self.x0 + self.x1) / 2


class Collector(PDFTextDevice):
    """Takes the place of a page to draw on."""

    def __init__(self, manager: PDFResourceManager) -> None:
        super().__init__(manager)
        self.runs: list[Run] = []
        self.glyphs = 0

    def begin_page(self, page: PDFPage, ctm: Any) -> None:
        self.ctm = ctm
        self.runs = []

    def set_ctm(self, ctm: Any) -> None:
        self.ctm = ctm

    def render_char(
        self,
        matrix: Any,
        font: Any,
        fontsize: float,
        scaling: float,
        rise: float,
        cid: int,
        ncs: Any,
        graphicstate: Any,
    ) -> float:
        """One glyph; returns its advance, as pdfminer asks for."""
        try:
            text = font.to_unichr(cid)
        except PDFUnicodeNotDefined:
            text = "\ufffd"
        advance = float(font.char_width(cid) * fontsize * scaling)
        self.glyphs += 1
        if self.glyphs > MOST_GLYPHS:
            raise TooMuch
        x0, y = apply_matrix_pt(matrix, (0, rise))
        x1, _ = apply_matrix_pt(matrix, (advance, rise))
        _, top = apply_matrix_pt(matrix, (0, rise + fontsize))
        size = abs(top - y)
        if size >= _TINY and x1 >= x0:  # text that runs upwards or backwards is a label of a picture
            self._put(text, x0, x1, y, size, _is_bold(str(font.fontname)))
        return advance

    def _put(self, text: str, x0: float, x1: float, y: float, size: float, bold: bool) -> None:
        last = self.runs[-1] if self.runs else None
        if last is not None and abs(y - last.y) < 0.05 * size and abs(size - last.size) < 0.1 * size:
            gap = x0 - last.x1
            if text == last.text[-1:] and abs(x1 - last.x1) < 0.15 * size and text.strip():
                return  # drawn twice, to look bold
            if -0.6 * size < gap < 0.9 * size:
                last.text += _space(gap, size, last.text, text) + text
                last.x1 = max(x1, last.x1)
                last.bold = last.bold and (bold or not text.strip())
                return
        self.runs.append(Run(text, x0, x1, y, size, bold))


def _is_bold(font: str) -> bool:
    name = font.lower()
    return any(word in name for word in ("bold", "-bd", "heavy", "black", "cmbx", "sfbx", "medi"))


def _space(gap: float, size: float, before: str, after: str) -> str:
    """What stands between two glyphs of a run, where no space was drawn."""
    if gap <= 0.12 * size or before.endswith((" ", _THIN)) or after in (" ", _THIN):
        return ""
    return " " if gap > 0.24 * size else _THIN


def pages(path: str) -> Iterator[list[str]]:
    """The lines of each page in the order in which they are drawn; raises TooMuch, and what pdfminer raises."""
    manager = PDFResourceManager()
    collector = Collector(manager)
    interpreter = PDFPageInterpreter(manager, collector)
    with open(path, "rb") as file:
        for number, page in enumerate(PDFPage.get_pages(file)):
            if number >= MOST_PAGES:
                return
            interpreter.process_page(page)
            yield page_lines(collector.runs)


def page_lines(runs: list[Run]) -> list[str]:
    """Runs -> lines; an empty one where there is a wide gap, "# " before what is set as a heading."""
    lines = _fractions(_lines([run for run in runs if run.text.strip()]))
    kept = [line for line in lines if line.text.strip()]
    align(kept)
    sizes = sorted(line.size for line in kept for _ in range(1 + len(line.text) // 20))
    body = sizes[len(sizes) // 2] if sizes else 0.0
    out: list[str] = []
    for i, line in enumerate(kept):
        text = " ".join(piece for piece in line.text.split(" ") if piece).strip()
        if i in (0, len(kept) - 1) and text.isdigit() and len(text) <= 3:
            continue  # the number of the page
        if i and (kept[i - 1].y - line.y > 2.1 * max(line.size, body) or line.y > kept[i - 1].y + line.size):
            out.append("")
        heading = len(text) < 90 and (line.size > 1.12 * body or (line.bold and "\t" not in text))
        out.append(f"# {text}" if heading else text)
    return out


# ---------------------------------------------------------------- columns


def align(lines: list[TextLine]) -> None:
    """Rows that leave a cell of their table empty get one there, so that each cell stands in its own column."""
    block: list[TextLine] = []
    for line in [*lines, None]:
        if line is not None and line.gaps and line.text.count("\t") == len(line.gaps):
            block.append(line)
        elif block:
            _align(block)
            block = []


def _align(rows: list[TextLine]) -> None:
    most = max(len(row.gaps) for row in rows)
    if most > _MOST_COLUMNS:
        return
    whole = [_cells(row) for row in rows if len(row.gaps) == most]
    columns = [(min(c[k][0] for c in whole), max(c[k][1] for c in whole)) for k in range(most + 1)]
    if any(left[1] > right[0] for left, right in pairwise(columns)):
        return  # no columns: lines of text with wide gaps
    for row in rows:
        if len(row.gaps) < most:
            places = [_column(cell, columns) for cell in _cells(row)]
            if None not in places and len(set(places)) == len(places):
                texts = dict(zip(places, row.text.split("\t"), strict=True))
                row.text = "\t".join(texts.get(k, "").strip() or EMPTY for k in range(most + 1))


def _cells(row: TextLine) -> list[tuple[float, float]]:
    """Left and right end of each cell."""
    starts = [row.x0, *(end for _, end in row.gaps)]
    ends = [*(start for start, _ in row.gaps), row.x1]
    return list(zip(starts, ends, strict=True))


def _column(cell: tuple[float, float], columns: list[tuple[float, float]]) -> int | None:
    """The one column that a cell stands over or under; None where that is more than one, or none."""
    over = [k for k, (left, right) in enumerate(columns) if min(right, cell[1]) > max(left, cell[0])]
    return over[0] if len(over) == 1 else None


# ---------------------------------------------------------------- lines


def _lines(runs: list[Run]) -> list[TextLine]:
    out: list[TextLine] = []
    for run in runs:
        line = out[-1] if out else None
        if line is None or not _joins(line, run):
            out.append(TextLine(run.text, run.x0, run.x1, run.y, run.size, run.bold))
    return out


def _joins(line: TextLine, run: Run) -> bool:
    """Takes up the run into the line, where it belongs to it."""
    size, gap, up = line.size, run.x0 - line.x1, run.y - line.y
    if abs(up) <= 0.14 * size and gap > -0.5 * size and run.size > 0.5 * size:
        if gap > 0.9 * size and not line.text.endswith((" ", "\t")):
            line.text += "\t"
            line.gaps.append((line.x1, run.x0))
        elif gap > 0.12 * size and not line.text.endswith((" ", "\t")) and not run.text.startswith(" "):
            line.text += " " if gap > 0.24 * size or line.text[-1:].isalpha() else _THIN
        line.text += run.text
        line.x1 = max(line.x1, run.x1)
        line.size = max(size, run.size) if abs(run.size - size) < 0.3 * size else size
        line.bold = line.bold and run.bold
        return True
    small = run.size < 0.9 * size or len(run.text.strip()) <= 2
    if small and gap < 0.12 * size and (gap > -0.2 * size or line.raised):
        if 0.12 * size < up < 0.85 * size:
            line.text += "^{" + run.text.strip() + "}"
        elif -0.6 * size < up < -0.06 * size:
            line.text += "_" + run.text.strip().replace(" ", "")
        else:
            return False
        line.x1, line.raised = max(line.x1, run.x1), True
        return True
    return False


def _fractions(lines: list[TextLine]) -> list[TextLine]:
    """Two lines one above the other, half a line above and below a third, are a fraction in it."""
    out: list[TextLine] = []
    at = 0
    while at < len(lines):
        here = lines[at]
        over, under = (lines[at + k] if at + k < len(lines) else None for k in (1, 2))
        if out and _is_fraction(here, over) and over is not None and _beside(out[-1], here, over):
            _append(out[-1], _quotient(here, over), here, over)
            at += 2
        elif (
            over is not None and under is not None and _is_fraction(here, over) and _after(here, over, under)
        ):
            start = TextLine(_quotient(here, over), here.x0, here.x1, under.y, under.size, False)
            start.x1 = max(here.x1, over.x1)
            out.append(start)
            at += 2
        elif out and _same_line(out[-1], here):
            _append(out[-1], here.text, here, here)
            at += 1
        else:
            out.append(here)
            at += 1
    return out


def _is_fraction(over: TextLine, under: TextLine | None) -> bool:
    if under is None:
        return False
    size = max(over.size, under.size)
    wide = max(over.x1 - over.x0, under.x1 - under.x0)
    return (
        0.6 * size < over.y - under.y < 2.4 * size
        and abs(over.middle - under.middle) < 0.1 * wide + 0.3 * size
    )


def _between(main: TextLine, over: TextLine, under: TextLine) -> bool:
    size = min(over.size, under.size)
    return under.y + 0.15 * size < main.y < over.y - 0.15 * size


def _beside(main: TextLine, over: TextLine, under: TextLine) -> bool:
    """The fraction stands right of the line, around its base line."""
    left = min(over.x0, under.x0)
    return _between(main, over, under) and -0.4 * main.size < left - main.x1 < 2.5 * main.size


def _after(over: TextLine, under: TextLine, main: TextLine) -> bool:
    """The line goes on right of the fraction."""
    right = max(over.x1, under.x1)
    return _between(main, over, under) and -0.4 * main.size < main.x0 - right < 2.5 * main.size


def _same_line(line: TextLine, more: TextLine) -> bool:
    return abs(line.y - more.y) < 0.14 * line.size and -0.4 * line.size < more.x0 - line.x1 < 2.5 * line.size


def _quotient(over: TextLine, under: TextLine) -> str:
    above, below = over.text.strip(), under.text.strip()
    return f"{_bracketed(above)} / {_bracketed(below)}"


def _bracketed(text: str) -> str:
    return f"({text})" if any(sign in text for sign in " +-−×·*/=\u2009") else text


def _append(line: TextLine, text: str, over: TextLine, under: TextLine) -> None:
    line.text = f"{line.text.rstrip()} {text.strip()}"
    line.x1 = max(line.x1, over.x1, under.x1)
