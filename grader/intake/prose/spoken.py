"""Accuracies in sentences and in the lines of logs: which words belong to which figure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.intake.prose.claims import one_line
from grader.intake.prose.figures import Figure, Kind, Token, scan
from grader.intake.prose.marks import (
    ACCURACY,
    NONE,
    OTHER,
    PERCENT,
    TEST,
    TRAIN,
    Found,
    last_run,
    run_at,
    run_of,
    value_of,
)
from grader.intake.prose.questions import RunWords
from grader.intake.prose.statements import Statement
from grader.intake.prose.words import contains, words_of

_OWN_WORDS = re.compile(
    r"\s?(?:[(\[][^()\[\]]{1,40}[)\]]|(?:on|for|in) (?:the |my |our |all |its )?(?:train|test|valid|eval)\w*)"
)
"""What says behind a figure what it is, whatever stands in front of it."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Figures side by side: "0.72, 0.92 and 0.97"."""

    figures: tuple[Figure, ...]
    strokes: tuple[bool, ...]
    """Of each but the first: whether a stroke joins it to the one before, "0.72/0.86"."""
    start: int
    end: int


def of_text(runs: Sequence[RunWords], statement: Statement) -> Iterator[Found]:
    """What one sentence, or the lines of a log, say of the runs."""
    for line in _split_lines(statement):
        yield from _of_line(runs, *line)


def _split_lines(statement: Statement) -> Iterator[tuple[str, Statement, int]]:
    at = 0
    for line in statement.text.split("\n"):
        yield line, statement, at
        at += len(line) + 1


def _of_line(runs: Sequence[RunWords], text: str, statement: Statement, offset: int) -> Iterator[Found]:
    if not contains(f"{statement.text} {statement.lead}", (*TRAIN, *TEST, *ACCURACY)):
        return
    groups = _groups(scan(text), percent=contains(f"{text} {statement.lead}", PERCENT))
    if not groups:
        return
    run = run_at(runs, statement.path) or run_of(runs, statement.title) or run_of(runs, statement.lead)
    ahead, labels = _labels(text, groups)
    usual = _pair_of(f"{text} {statement.lead}") or _pair_of(statement.text)
    epoch, pattern = NONE, list[str]()
    if len(set(_epochs(text))) == 1:
        epoch = _epochs(text)[0]  # "0.71 on the training texts in epoch 1"
    for group, before, label in zip(groups, ahead, labels, strict=True):
        run = last_run(runs, before) or run
        epoch = _epochs(before)[-1] if _epochs(before) else epoch
        if run is None or (contains(label, OTHER) and not contains(label, ACCURACY)):
            continue
        place = statement.place(offset + group.start)
        rows = _assigned(group, _splits(label), epoch, pattern or usual)
        for number, kind, figure in rows:
            value = value_of(figure, kind, "")
            if value is not None:
                yield run.results, number, kind, value, place, one_line(text)
        if epoch != NONE and rows and len(group.figures) == 1:
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
    names_next = bool(_splits(gaps[0])) or contains(gaps[0], OTHER) or not _splits(gaps[-1])
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
        if len(figures) == 2 and epoch != NONE:
            return [(epoch, kind, figure) for kind, figure in zip(pair, figures, strict=True)]
        alternate = group.strokes == tuple(k % 2 == 0 for k in range(len(figures) - 1))
        if len(figures) > 2 and epoch == NONE and alternate and len(figures) % 2 == 0:
            return [(k // 2 + 1, pair[k % 2], figure) for k, figure in enumerate(figures)]
    if len(figures) > 1 and epoch == NONE and len(set(splits)) == 1 and not any(group.strokes):
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
