"""The claims of a table: what stands in a row and above a column says what a number is, and its unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from grader.intake.prose.claims import Claim, Counter, Form, in_text, one_line
from grader.intake.prose.figures import Kind, read_unit, scan
from grader.intake.prose.grammar import counts
from grader.intake.prose.outline import Outline, read_number
from grader.intake.prose.statements import Statement, Table

_UNIT_OF_HEADING = re.compile(r"(?:[(\[]|\bin\s)\s*([^()\[\]]{1,20}?)\s*[)\]]?\s*$")
_TIMES_OF_HEADING = re.compile(r"(?:/|×|in\b|\()\s*(?:1\s*e\s*|10\s*\^\s*\{?\s*|e)(3|6|9|12)\}?\s*[)\]]?\s*$")
_POWERS = {"3": "thousand", "6": "million", "9": "billion", "12": "trillion"}


def in_table(table: Table, outline: Outline, counter: Counter) -> Iterator[Claim]:
    """Cell by cell. A row that begins with the number of a question belongs to that one."""
    common = unit_of_heading(table.lead) or unit_of_heading(table.title)
    for cells, place in zip(table.rows, table.places, strict=True):
        number = read_number(cells[0]) if cells else None
        alone = number is not None and number.end >= len(cells[0])
        opens = number is not None and cells[0][: number.end].rstrip()[-1:] in (":", ".", ")")
        own = outline.resolve(number, table.path) if number and (alone or opens) else None
        lettered = number is not None and any(not piece.isdigit() for piece in number.pieces)
        path = own if own and lettered else table.path
        words = [cell for cell in cells if _is_label(cell)]
        sentence = " | ".join(cells)
        for column, cell in enumerate(cells):
            if column == 0 and lettered and own:
                if alone or number is None:
                    continue
                cell = cell[number.end :]  # "4d: first layer"
            head = table.header[column] if column < len(table.header) else ""
            unit = (
                unit_of_heading(head) or next((u for w in words if (u := unit_of_heading(w))), "") or common
            )
            row_label = [w for w in words if w != cell] or ([cells[0]] if column and cells[0] != cell else [])
            inside = Statement(cell, ((0, place),), path, table.title, table.lead)
            for claim in in_text(cell, inside, counter):
                claim.labels = (*row_label, head)
                claim.forms = [_of_row(form, sentence, unit) for form in claim.forms]
                yield claim


def _is_label(cell: str) -> bool:
    """Words, with no other numbers than those that belong to them: "all 48 heads"."""
    tokens = scan(cell)
    return any(t.kind is Kind.WORD for t in tokens) and not any(
        t.kind in (Kind.SHAPE, Kind.RELATION) or (t.kind is Kind.FIGURE and not counts(tokens, k))
        for k, t in enumerate(tokens)
    )


def _of_row(form: Form, sentence: str, unit: str) -> Form:
    figure, value = form.figure, form.value
    if figure is not None and unit and not figure.unit:
        figure = replace(figure, unit=unit)
        value = figure.value
    return replace(form, figure=figure, value=value, sentence=one_line(sentence), result=True)


def unit_of_heading(head: str) -> str:
    """The unit in the head of a column: "Memory (GB)", "Test accuracy [%]", "Time in min", "Parameters / 10^6"."""
    if power := _TIMES_OF_HEADING.search(head):
        return _POWERS[power[1]]
    found = _UNIT_OF_HEADING.search(head.rstrip(".: "))
    if not found:
        return ""
    unit, end = read_unit(found[1], 0)
    return unit if unit and end == len(found[1]) else ""
