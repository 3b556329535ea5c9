"""Accuracies by model, epoch and split, wherever a report states them: in tables either way round, logs, sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.intake.prose.amounts import TIMES
from grader.intake.prose.claims import one_line
from grader.intake.prose.figures import Figure, Kind, Token, scan
from grader.intake.prose.outline import Path, path_of
from grader.intake.prose.questions import RunWords
from grader.intake.prose.rows import unit_of_heading
from grader.intake.prose.statements import Statement, Table
from grader.intake.prose.words import contains, words_of

_TRAIN, _TEST = ("train",), ("test", "valid", "=val", "eval", "=dev", "held out")
_ACCURACY = ("acc", "correct")
_OTHER = ("loss", "f 1", "=f", "precision", "recall", "perplexity")
_TIME = ("time", "second", "=sec", "minute", "=min", "duration", "=s", "hour")
_EPOCH = ("epoch", "=ep")
_PERCENT = ("percent", "per cent", "%")
_OWN_WORDS = re.compile(
    r"\s?(?:[(\[][^()\[\]]{1,40}[)\]]|(?:on|for|in) (?:the |my |our |all |its )?(?:train|test|valid|eval)\w*)"
)
"""What says behind a figure what it is, whatever stands in front of it."""
MOST_EPOCHS = 50
_NONE = -1
"""No epoch is named; 0 is the first where a report counts from 0."""


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
    found: list[_Found] = []
    for item in said:
        found += _of_table(runs, item) if isinstance(item, Table) else _of_text(runs, item)
    from_zero = {results for results, epoch, *_ in found if epoch == 0}
    return [
        Mark(
            results,
            0 if epoch == _NONE else epoch + (results in from_zero),
            kind,
            value,
            place,
            sentence,
            order,
        )
        for order, (results, epoch, kind, value, place, sentence) in enumerate(found)
    ]


_Found = tuple[str, int, str, Decimal, str, str]


# ---------------------------------------------------------------- tables


def _of_table(runs: Sequence[RunWords], table: Table) -> Iterator[_Found]:
    percent = contains(table.lead, _PERCENT)
    by_row = any(_kind(head) for head in table.header)
    above = _run_of(runs, table.title) or _run_of(runs, table.lead)
    for cells, place in zip(table.rows, table.places, strict=True):
        sentence = one_line(" | ".join(cells))
        here = next((run for cell in cells if (run := _run_of(runs, cell))), None)
        for column, cell in enumerate(cells):
            head = table.header[column] if column < len(table.header) else ""
            label = cells[0] if column else ""
            kind = _kind(head) if by_row else _kind(label)
            run = _run_of(runs, head) or _run_of(runs, label) or here or above or _run_at(runs, table.path)
            epoch = _epoch_of_row(table.header, cells) if by_row else _epoch(head)
            figure = _only_figure(cell)
            if not kind or run is None or figure is None or not 0 <= epoch <= MOST_EPOCHS:
                continue
            named = f"{head} {label}"
            unit = unit_of_heading(head) or unit_of_heading(label)
            value = _value(figure, kind, unit or ("%" if percent or "%" in named else ""))
            if value is not None:
                yield run.results, epoch, kind, value, place, sentence


def _kind(head: str) -> str:
    """What the figures below (or beside) this are; "" where it is no figure of a run."""
    if contains(head, _EPOCH) and not contains(head, (*_ACCURACY, *_TIME)):
        return ""
    if contains(head, ("loss",)):
        return "train_loss" if not contains(head, _TEST) else ""
    if contains(head, _OTHER):
        return ""
    if contains(head, _TIME):
        return "seconds"
    train, test = contains(head, _TRAIN), contains(head, _TEST)
    return "" if train == test else "train_acc" if train else "test_acc"


def _epoch_of_row(header: Sequence[str], cells: Sequence[str]) -> int:
    """The epoch of a row: in the column that is headed so, or in its first cell ("Epoch 1")."""
    for column, head in enumerate(header):
        if contains(head, _EPOCH) and column < len(cells):
            return max(_epoch(cells[column]), _number(cells[column]))
    named = next((epoch for cell in cells if (epoch := _epoch(cell)) != _NONE), _NONE)
    return named if named != _NONE else _number(cells[0])


def _epoch(text: str) -> int:
    """3 for "Epoch 3" and "after 3 epochs"; -1 for anything else."""
    words = words_of(text)
    for i, word in enumerate(words):
        if word.startswith("epoch") or word == "ep":
            for near in (words[i + 1 : i + 2], words[max(0, i - 1) : i]):
                if near and near[0].isdigit() and len(near[0]) <= 2:
                    return int(near[0])
    return _NONE


def _number(text: str) -> int:
    found = re.fullmatch(r"\W*([0-9]{1,2})(?:\s*/\s*[0-9]{1,2})?\W*", text)
    return int(found[1]) if found else _NONE


def _only_figure(cell: str) -> Figure | None:
    figures = [t for t in scan(cell) if isinstance(t, Figure)]
    clock = re.fullmatch(r"\s*([0-9]{1,3}):([0-9]{2})(?::([0-9]{2}))?\s*(?:min|h|s)?\s*", cell)
    if clock:  # "6:41" are minutes and seconds, "1:02:03" hours too
        parts = [int(part) for part in clock.groups() if part]
        seconds = sum(part * 60**k for k, part in enumerate(reversed(parts)))
        return Figure(Kind.FIGURE, 0, len(cell), cell, str(seconds), 0, "s")
    return figures[0] if len(figures) == 1 else None


# ---------------------------------------------------------------- sentences


@dataclass(frozen=True, slots=True)
class _Group:
    """Figures side by side: "0.72, 0.92 and 0.97"."""

    figures: tuple[Figure, ...]
    strokes: tuple[bool, ...]
    """Of each but the first: whether a stroke joins it to the one before, "0.72/0.86"."""
    start: int
    end: int


def _of_text(runs: Sequence[RunWords], statement: Statement) -> Iterator[_Found]:
    for line in _split_lines(statement):
        yield from _of_line(runs, *line)


def _split_lines(statement: Statement) -> Iterator[tuple[str, Statement, int]]:
    at = 0
    for line in statement.text.split("\n"):
        yield line, statement, at
        at += len(line) + 1


def _of_line(runs: Sequence[RunWords], text: str, statement: Statement, offset: int) -> Iterator[_Found]:
    if not contains(f"{statement.text} {statement.lead}", (*_TRAIN, *_TEST, *_ACCURACY)):
        return
    groups = _groups(scan(text), percent=contains(f"{text} {statement.lead}", _PERCENT))
    if not groups:
        return
    run = _run_at(runs, statement.path) or _run_of(runs, statement.title) or _run_of(runs, statement.lead)
    ahead, labels = _labels(text, groups)
    usual = _pair_of(f"{text} {statement.lead}") or _pair_of(statement.text)
    epoch, pattern = _NONE, list[str]()
    if len(set(_epochs(text))) == 1:
        epoch = _epochs(text)[0]  # "0.71 on the training texts in epoch 1"
    for group, before, label in zip(groups, ahead, labels, strict=True):
        run = _last_run(runs, before) or run
        epoch = _epochs(before)[-1] if _epochs(before) else epoch
        if run is None or (contains(label, _OTHER) and not contains(label, _ACCURACY)):
            continue
        place = statement.place(offset + group.start)
        rows = _assigned(group, _splits(label), epoch, pattern or usual)
        for number, kind, figure in rows:
            value = _value(figure, kind, "")
            if value is not None:
                yield run.results, number, kind, value, place, one_line(text)
        if epoch != _NONE and rows and len(group.figures) == 1:
            pattern.append(rows[0][1])


def _labels(text: str, groups: Sequence[_Group]) -> tuple[list[str], list[str]]:
    """What stands in front of each group, and the words that say what it is: those in front of it, or behind it.

    "loss 0.84, train accuracy 0.71" names what follows, "0.71 train, 0.86 test" what came before. A bracket right
    behind a figure, "0.71 (train)" or "0.71 on the training set", belongs to it in either case.
    """
    starts = [0, *(g.end for g in groups)]
    ends = [*(g.start for g in groups), len(text)]
    gaps = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    brackets = [_OWN_WORDS.match(gap) for gap in gaps[1:]]
    own = [found[0] if found and _splits(found[0]) else "" for found in brackets]
    before = [gaps[0], *(gap[len(mark) :] for gap, mark in zip(gaps[1:-1], own[:-1], strict=True))]
    names_next = bool(_splits(gaps[0])) or contains(gaps[0], _OTHER) or not _splits(gaps[-1])
    labels = []
    for k, mark in enumerate(own):
        label = before[k] if names_next else gaps[k + 1]
        if k == len(groups) - 1 and not _splits(label):
            label = label if _splits(before[k]) else gaps[-1]  # "…, and 0.96 on the training texts"
        labels.append(mark or label)
    return before, labels


def _pair_of(text: str) -> list[str]:
    """The order in which pairs are written where a line says it once: "(train / test)"."""
    splits = _splits(text)
    return splits if len(splits) == 2 else []


def _assigned(
    group: _Group, splits: list[str], epoch: int, usual: Sequence[str]
) -> list[tuple[int, str, Figure]]:
    """(epoch, kind, figure) of a group: one figure; a pair of train and test; or figures over the epochs."""
    figures = group.figures
    if len(figures) == 1 and len(set(splits)) == 1:
        return [(epoch, splits[0], figures[0])]
    pair = splits or list(usual[:2])
    if sorted(pair) == ["test_acc", "train_acc"]:
        if len(figures) == 2 and epoch != _NONE:
            return [(epoch, kind, figure) for kind, figure in zip(pair, figures, strict=True)]
        alternate = group.strokes == tuple(k % 2 == 0 for k in range(len(figures) - 1))
        if len(figures) > 2 and epoch == _NONE and alternate and len(figures) % 2 == 0:
            return [(k // 2 + 1, pair[k % 2], figure) for k, figure in enumerate(figures)]
    if len(figures) > 1 and epoch == _NONE and len(set(splits)) == 1 and not any(group.strokes):
        return [(n, splits[0], figure) for n, figure in enumerate(figures, 1)]
    return []


def _groups(tokens: Sequence[Token], *, percent: bool) -> list[_Group]:
    """Shares of a line, those that are joined by commas, strokes and "and" together.

    percent: the line says that its figures are in percent.
    """
    out: list[_Group] = []
    last = -1
    for i, token in enumerate(tokens):
        if not isinstance(token, Figure) or not _may_be_share(token, percent):
            continue
        between = tokens[last + 1 : i] if last >= 0 else ()
        if between and all(t.kind is Kind.COMMA or t.text.lower() in ("and", "/", "then") for t in between):
            stroke = any(t.text == "/" for t in between)
            above = out[-1]
            out[-1] = _Group((*above.figures, token), (*above.strokes, stroke), above.start, token.end)
        else:
            out.append(_Group((token,), (), token.start, token.end))
        last = i
    return out


def _may_be_share(figure: Figure, percent: bool) -> bool:
    if figure.exponent or not figure.sure:
        return False
    if figure.unit == "%":
        return figure.plain <= 100
    return not figure.unit and "." in figure.digits and figure.plain <= (100 if percent else 1)


def _splits(text: str) -> list[str]:
    """ "train_acc" and "test_acc" in the order in which the words stand."""
    out: list[str] = []
    for word in words_of(text):
        if word.startswith("train"):
            out.append("train_acc")
        elif word.startswith(("test", "valid", "eval")) or word in ("val", "dev"):
            out.append("test_acc")
    return [kind for i, kind in enumerate(out) if not i or out[i - 1] != kind]


def _epochs(text: str) -> list[int]:
    """The epochs that a text names, in their order: "epoch 2", "the second epoch", "the second one"."""
    return [int(n[1]) if n[1] else _ORDINALS.index(n[2].lower()) + 1 for n in _NAMED_EPOCH.finditer(text)]


_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_NAMED_EPOCH = re.compile(
    rf"\bepochs?\W{{0,3}}([0-9]{{1,2}})\b|\b({'|'.join(_ORDINALS)})\s+(?:epoch|one\b)", re.IGNORECASE
)


# ---------------------------------------------------------------- both


def _value(figure: Figure, kind: str, unit: str) -> Decimal | None:
    """The figure as a share, a loss or seconds; None where it cannot be one."""
    exact = Decimal(figure.digits.replace(",", "")).scaleb(figure.exponent)
    if kind == "seconds":
        factor = TIMES.get(figure.unit or unit, 1)
        return exact * factor
    if kind == "train_loss":
        return exact if not figure.unit else None
    if (figure.unit or unit) == "%" or (not figure.unit and 1 < exact <= 100):
        return exact.scaleb(-2) if exact <= 100 else None
    return exact if not figure.unit and 0 <= exact <= 1 else None


def _run_of(runs: Sequence[RunWords], text: str) -> RunWords | None:
    """The one run whose model is named in the text; None where none is, or more than one."""
    named = [run for run in runs if contains(text, run.names)]
    return named[0] if len(named) == 1 else None


def _last_run(runs: Sequence[RunWords], text: str) -> RunWords | None:
    """The run named last."""
    for piece in reversed(re.split(r"[\s,;:()]+", text)):
        if run := _run_of(runs, piece):
            return run
    return None


def _run_at(runs: Sequence[RunWords], path: Path) -> RunWords | None:
    return next((run for run in runs if path and path[: len(path_of(run.part))] == path_of(run.part)), None)
