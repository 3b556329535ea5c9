"""Plain text, and what is drawn out of PDF and Word files -> lines. Headings and tables are known by their looks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from grader.intake.prose.lines import Line, Shape, row
from grader.intake.prose.markdown import inline
from grader.intake.prose.tex import plain
from grader.intake.prose.tidy import tidy

_UNDERLINE = re.compile(r"\s*([=\-~_*#])\1{2,}\s*$")
_BULLET = re.compile(r"\s{0,40}(?:[-*+•◦▪‣∙●○■]|--)\s+(?=\S)")
_COLUMNS = re.compile(r"\t+| {2,}")
_HEADING = 70
"""Characters of a line that may be a heading by its looks."""


def loose_lines(source: Iterable[tuple[str, str]]) -> list[Line]:
    """`source`: (line, place). Lines that begin with "# " or "|" mean what they mean in Markdown."""
    out: list[Line] = []
    for raw, place in source:
        text = raw.rstrip()
        if not text.strip():
            out.append(Line(Shape.GAP, "", place))
        elif _UNDERLINE.match(text):
            if out and out[-1].shape is not Shape.GAP and len(out[-1].text) <= _HEADING:
                title = " ".join(out[-1].cells) or out[-1].text
                out[-1] = Line(Shape.HEADING, title, out[-1].place, firm=True)
        elif heading := re.match(r"#{1,6}\s+(.*)$", text):
            out.append(Line(Shape.HEADING, clean(heading[1]), place, firm=True))
        elif text.startswith("| "):
            out.append(row([clean(cell) for cell in text.strip().strip("|").split("|")], place))
        else:
            bullet = _BULLET.match(text)
            body = text[bullet.end() :] if bullet else text
            cells = [clean(cell) for cell in _COLUMNS.split(body.strip())]
            if len(cells) > 1 and _is_row(cells):
                out.append(row(cells, place))
            else:
                shown = clean(body)
                shape = Shape.TEXT if shown else Shape.GAP
                out.append(Line(shape, shown, place, fresh=bool(bullet), width=len(text)))
    return out


def clean(text: str) -> str:
    """One line as the later steps want it. Escapes, as text recognition and converters leave them, go."""
    shown = inline(text) if "*" in text or "`" in text else tidy(plain(text, keep_brackets=True))
    return " ".join(shown.replace("\n", " ; ").split(" ")).strip()


def _is_row(cells: list[str]) -> bool:
    """Columns, not a sentence with a wide space in it: no cell reads on in the next."""
    if len(cells) == 2 and (cells[0].endswith(":") or re.match("[=≈]", cells[1])):
        return False  # a label and its value, set apart by spaces
    return all(len(cell) <= 60 for cell in cells) and not any(
        re.search(r"[a-z],?$", left) and re.match(r"[a-z]", right) and len(left) > 30
        for left, right in pairwise(cells)
    )
