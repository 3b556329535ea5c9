"""Plain text, and what is drawn out of PDF and Word files -> lines. Headings and tables are known by their looks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from grader.intake.prose.lines import Line, Shape, row
from grader.intake.prose.markdown import inline
from grader.intake.prose.outline import read_number
from grader.intake.prose.tex import plain
from grader.intake.prose.tidy import tidy

_UNDERLINE = re.compile(r"\s*([=\-~_*#])\1{2,}\s*$")
_BULLET = re.compile(r"\s{0,40}(?:[-*+•◦▪‣∙●○■\ufffd]|--)\s+(?=\S)")
_COLUMNS = re.compile(r"\t+| {2,}")
_EQUATION_NUMBER = re.compile(r"\([0-9]{1,2}(?:\.[0-9]{1,2})?\)")
_VALUE = re.compile(r"[0-9]{3}|[0-9][.,][0-9]|[=≈×*+]")
"""What no label has in it; "48 heads" and "layer 1" are labels."""
_LABELLED = re.compile(r"[^\W\d][\w .%-]{0,30}\s?[:=]\s?[-+0-9.]")
EMPTY_CELL = "\x07"
"""Stands for an empty cell where the reader of PDF files saw one."""
_CELL = re.compile(r"\S+(?: \S+)*")
_MOST_COLUMNS = 40
_HEADING = 70
"""Characters of a line that may be a heading by its looks."""


def loose_lines(source: Iterable[tuple[str, str]]) -> list[Line]:
    """`source`: (line, place). Lines that begin with "# " or "|" mean what they mean in Markdown."""
    out: list[Line] = []
    by_looks: dict[int, str] = {}
    for raw, place in source:
        text = raw.rstrip()
        if not text.strip():
            out.append(Line(Shape.GAP, "", place))
        elif _UNDERLINE.match(text):
            if out and out[-1].shape is not Shape.GAP and len(out[-1].text) <= _HEADING:
                title = " ".join(out[-1].cells) or out[-1].text
                out[-1] = Line(Shape.HEADING, title, out[-1].place, firm=True)
        elif heading := re.match(r"#{1,6}\s+(.*)$", text):
            title, above = clean(heading[1]), out[-1] if out else None
            if above is not None and above.shape is Shape.HEADING and re.search("[a-z]-$", above.text):
                out[-1] = replace(above, text=above.text[:-1] + title)  # one heading on two lines
            else:
                out.append(Line(Shape.HEADING, title, place, firm=True))
        elif text.startswith("| "):
            out.append(row([clean(cell) for cell in text.strip().strip("|").split("|")], place))
        else:
            bullet = _BULLET.match(text)
            body = text[bullet.end() :] if bullet else text
            cells = [clean(cell.replace(EMPTY_CELL, "")) for cell in _COLUMNS.split(body.strip(" \t"))]
            if len(cells) > 1 and _EQUATION_NUMBER.fullmatch(cells[-1]):
                cells.pop()
            if len(cells) > 1 and _is_row(cells):
                by_looks[len(out)] = text
                out.append(replace(row(cells, place), width=len(text)))
            else:
                shown = " ".join(cells)
                shape = Shape.TEXT if shown else Shape.GAP
                out.append(Line(shape, shown, place, fresh=bool(bullet), width=len(text)))
    return _settled(out, by_looks)


# ---------------------------------------------------------------- columns


def _settled(lines: Sequence[Line], by_looks: Mapping[int, str]) -> list[Line]:
    """Rows that are rows only by their wide spaces, and stand in no table, are text: "2a.   The query has …".

    by_looks: their source by their place among the lines.
    """
    out: list[Line] = []
    for columns, block in groupby(enumerate(lines), key=lambda i: i[0] in by_looks and bool(i[1].cells)):
        places, own = zip(*block, strict=True)
        if not columns:
            out += own
        elif _is_table(own):
            out += _aligned(own, [by_looks[i] for i in places])
        else:
            out += [_as_text(line) for line in own]
    return out


def _aligned(rows: Sequence[Line], source: Sequence[str]) -> list[Line]:
    """Rows with fewer cells than most, each of which stands over or under one column, get empty ones for the others."""
    most = Counter(len(line.cells) for line in rows).most_common(1)[0][0]
    if most > _MOST_COLUMNS or any("\t" in text for text in source):
        return list(rows)  # too wide to be a table, or places within the line tell nothing
    spans = [[m.span() for m in _CELL.finditer(text)] for text in source]
    whole = [own for own in spans if len(own) == most]
    if not whole:
        return list(rows)
    columns = [(min(own[k][0] for own in whole), max(own[k][1] for own in whole)) for k in range(most)]
    out = []
    for line, own in zip(rows, spans, strict=True):
        places = [
            [k for k, (a, b) in enumerate(columns) if min(b, end) > max(a, start)] for start, end in own
        ]
        if len(line.cells) == len(own) < most and all(len(over) == 1 for over in places):
            cells = dict(zip((over[0] for over in places), line.cells, strict=True))
            line = replace(line, cells=tuple(cells.get(k, "") for k in range(most)))
        out.append(line)
    return out


def _is_table(rows: Sequence[Line]) -> bool:
    """Rows of one width; and either all of them, but for the head, begin with the number of a question, or none."""
    inside = [cell for line in rows for cell in line.cells[1:]]
    if 2 * sum(bool(_LABELLED.match(cell)) for cell in inside) > len(inside):
        return False  # the line of a log: each figure has its name beside it
    widths = Counter(len(line.cells) for line in rows)
    _, most = widths.most_common(1)[0]
    numbered = [_is_question(line.cells[0]) for line in rows]
    if all(numbered[1:]) and any(numbered):
        return len(rows) > 1 and 4 * most >= 3 * len(rows)
    return len(rows) > 1 and 2 * most > len(rows) and not any(numbered)


def _is_question(cell: str) -> bool:
    """ "2a.", "Q4", "4e(i)": a number that names a question, not one that counts."""
    number = read_number(cell)
    if number is None or number.end < len(cell):
        return False
    return number.keyword or any(not piece.isdigit() for piece in number.pieces)


def _as_text(line: Line) -> Line:
    """A label and its value become one piece, "two heads: 5"; a value and the label of the next stay apart."""
    text = line.cells[0]
    for left, right in pairwise(line.cells):
        reads_on = left[-1:] in ".,:;(=≈×+/-" or right[:1] in "(=≈×)" or _is_question(left)
        labelled = not _VALUE.search(left) and re.match(r"[-~≈<]?\s?[0-9.\[(]", right)
        text += " " if reads_on else ": " if labelled else " ; "
        text += right
    return Line(Shape.TEXT, text, line.place, fresh=_is_question(line.cells[0]), width=line.width)


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
