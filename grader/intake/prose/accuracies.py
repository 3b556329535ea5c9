"""Accuracies by model, epoch and split, wherever a report states them: in tables either way round, logs, sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.intake.prose.claims import one_line
from grader.intake.prose.figures import Figure, Kind, scan
from grader.intake.prose.marks import (
    ACCURACY,
    NONE,
    OTHER,
    PERCENT,
    TEST,
    TRAIN,
    Found,
    run_at,
    run_of,
    value_of,
)
from grader.intake.prose.questions import RunWords
from grader.intake.prose.rows import unit_of_heading
from grader.intake.prose.spoken import of_text
from grader.intake.prose.statements import Statement, Table
from grader.intake.prose.words import contains, words_of

_TIME = ("time", "second", "=sec", "minute", "=min", "duration", "=s", "hour")
_EPOCH = ("epoch", "=ep")
MOST_EPOCHS = 50


@dataclass(frozen=True, slots=True)
class Mark:
    """One figure of one epoch."""

    results: str
    """Of the run that it belongs to."""
    epoch: int
    """From 1 on; 0: of the whole run, or of its end."""
    kind: str
    """"train_acc", "test_acc", "train_loss" or "seconds"."""
    value: Decimal
    """Accuracies as shares, with the digits printed; times in seconds."""
    place: str
    sentence: str
    order: int


def read_marks(runs: Sequence[RunWords], said: Sequence[Statement | Table]) -> list[Mark]:
    """Everything that is said of the declared runs, in order."""
    found: list[Found] = []
    for item in said:
        found += _of_table(runs, item) if isinstance(item, Table) else of_text(runs, item)
    from_zero = {results for results, epoch, *_ in found if epoch == 0}
    return [
        Mark(
            results,
            0 if epoch == NONE else epoch + (results in from_zero),
            kind,
            value,
            place,
            sentence,
            order,
        )
        for order, (results, epoch, kind, value, place, sentence) in enumerate(found)
    ]


# ---------------------------------------------------------------- tables


def _of_table(runs: Sequence[RunWords], table: Table) -> Iterator[Found]:
    percent = contains(table.lead, PERCENT)
    by_row = any(_kind(head) for head in table.header)
    above = run_of(runs, table.title) or run_of(runs, table.lead)
    for cells, place in zip(table.rows, table.places, strict=True):
        sentence = one_line(" | ".join(cells))
        here = next((run for cell in cells if (run := run_of(runs, cell))), None)
        for column, cell in enumerate(cells):
            head = table.header[column] if column < len(table.header) else ""
            label = cells[0] if column else ""
            kind = _kind(head) if by_row else _kind(label)
            run = run_of(runs, head) or run_of(runs, label) or here or above or run_at(runs, table.path)
            epoch = _epoch_of_row(table.header, cells) if by_row else _epoch(head)
            figure = _only_figure(cell)
            if not kind or run is None or figure is None or not 0 <= epoch <= MOST_EPOCHS:
                continue
            named = f"{head} {label}"
            unit = unit_of_heading(head) or unit_of_heading(label)
            value = value_of(figure, kind, unit or ("%" if percent or "%" in named else ""))
            if value is not None:
                yield run.results, epoch, kind, value, place, sentence


def _kind(head: str) -> str:
    """What the figures below (or beside) this are; "" where it is no figure of a run."""
    if contains(head, _EPOCH) and not contains(head, (*ACCURACY, *_TIME)):
        return ""
    if contains(head, ("loss",)):
        return "train_loss" if not contains(head, TEST) else ""
    if contains(head, OTHER):
        return ""
    if contains(head, _TIME):
        return "seconds"
    train, test = contains(head, TRAIN), contains(head, TEST)
    return "" if train == test else "train_acc" if train else "test_acc"


def _epoch_of_row(header: Sequence[str], cells: Sequence[str]) -> int:
    """The epoch of a row: in the column that is headed so, or in its first cell ("Epoch 1")."""
    for column, head in enumerate(header):
        if contains(head, _EPOCH) and column < len(cells):
            return max(_epoch(cells[column]), _number(cells[column]))
    named = next((epoch for cell in cells if (epoch := _epoch(cell)) != NONE), NONE)
    return named if named != NONE else _number(cells[0])


def _epoch(text: str) -> int:
    """3 for "Epoch 3" and "after 3 epochs"; -1 for anything else."""
    words = words_of(text)
    for i, word in enumerate(words):
        if word.startswith("epoch") or word == "ep":
            for near in (words[i + 1 : i + 2], words[max(0, i - 1) : i]):
                if near and near[0].isdigit() and len(near[0]) <= 2:
                    return int(near[0])
    return NONE


def _number(text: str) -> int:
    found = re.fullmatch(r"\W*([0-9]{1,2})(?:\s*/\s*[0-9]{1,2})?\W*", text)
    return int(found[1]) if found else NONE


def _only_figure(cell: str) -> Figure | None:
    figures = [t for t in scan(cell) if isinstance(t, Figure)]
    clock = re.fullmatch(r"\s*([0-9]{1,3}):([0-9]{2})(?::([0-9]{2}))?\s*(?:min|h|s)?\s*", cell)
    if clock:  # "6:41" are minutes and seconds, "1:02:03" hours too
        parts = [int(part) for part in clock.groups() if part]
        seconds = sum(part * 60**k for k, part in enumerate(reversed(parts)))
        return Figure(Kind.FIGURE, 0, len(cell), cell, str(seconds), 0, "s")
    return figures[0] if len(figures) == 1 else None
