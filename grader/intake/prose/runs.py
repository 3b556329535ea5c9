"""Accuracies by epoch -> the figures of each run, as a file of figures would hold them; what disagrees is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from grader.intake.grim import explain_impossible, possible_accuracy
from grader.intake.prose.accuracies import Mark, read_marks
from grader.intake.prose.figures import Figure, Kind, scan
from grader.intake.prose.outline import path_of
from grader.intake.prose.questions import RunWords
from grader.intake.prose.statements import Statement, Table
from grader.intake.prose.words import contains, words_of
from grader.written import WrittenRun

_SETTINGS = {
    "batch_size": (("batch size", "batches of", "batch size of", "batchsize"), 1),
    "learning_rate": (("learning rate", "=lr"), 1),
}
_NEAR = 6
"""Tokens between the name of a setting and its number."""


def read_runs(
    runs: Sequence[RunWords], said: Sequence[Statement | Table]
) -> tuple[dict[str, WrittenRun], list[str]]:
    """By file of figures; and a sentence for each figure that cannot be true or contradicts another."""
    marks = read_marks(runs, said)
    out: dict[str, WrittenRun] = {}
    flags: list[str] = []
    for run in runs:
        own = [mark for mark in marks if mark.results == run.results]
        found, odd = _run(run, own, said)
        flags += odd
        if found is not None:
            out[run.results] = found
    return out, flags


def _run(
    run: RunWords, marks: Sequence[Mark], said: Sequence[Statement | Table]
) -> tuple[WrittenRun | None, list[str]]:
    epochs = sorted({mark.epoch for mark in marks if mark.epoch and mark.kind.endswith("_acc")})
    if not epochs:
        return None, []
    settings, notes = _settings(run, said)
    clashes = _clashes(marks)
    rows: list[Mapping[str, str]] = []
    for epoch in epochs:
        here = [mark for mark in marks if mark.epoch == epoch]
        rows.append({mark.kind: str(_finest(here, mark.kind)) for mark in here})
    first = next(mark for mark in marks if mark.epoch)
    unclear = clashes[0] if clashes else _gap(rows, epochs)
    flags = [*clashes, *_impossible(run, marks, settings), *_final(run, marks, epochs[-1])]
    place = f"{first.place}: “{first.sentence}”"
    return WrittenRun(tuple(rows), settings, place, unclear, tuple(notes)), flags


def _gap(rows: Sequence[Mapping[str, str]], epochs: Sequence[int]) -> str:
    """A sentence on the first accuracy that was not found; empty where all are there."""
    if epochs[0] > 1:
        return f"The accuracies of epoch {epochs[0]} were found, and none of an earlier one."
    by_epoch = dict(zip(epochs, rows, strict=True))
    for kind, name in (("test_acc", "test"), ("train_acc", "training")):
        if not any(kind in row for row in rows):
            return f"No {name} accuracy was found beside the others."
        for epoch in range(epochs[0], epochs[-1] + 1):
            if kind not in by_epoch.get(epoch, {}):
                return (
                    f"The {name} accuracy of epoch {epoch} was not found between those of the other epochs."
                )
    return ""


def _finest(marks: Sequence[Mark], kind: str) -> Decimal:
    """Of one figure stated more than once, the one with most digits."""
    values = [mark.value for mark in marks if mark.kind == kind]
    return min(values, key=lambda value: int(value.as_tuple().exponent))


def _clashes(marks: Sequence[Mark]) -> list[str]:
    """A sentence for each figure of an epoch that is stated in two ways that do not agree."""
    seen: dict[tuple[int, str], Mark] = {}
    out: list[str] = []
    for mark in marks:
        if not mark.epoch:
            continue
        before = seen.setdefault((mark.epoch, mark.kind), mark)
        if mark.kind.endswith("_acc") and not _agree(before.value, mark.value):
            out.append(
                f"{_named(mark)} of epoch {mark.epoch} is {before.value} in {before.place} and {mark.value} in "
                f"{mark.place}."
            )
    return out


def _impossible(run: RunWords, marks: Sequence[Mark], settings: Mapping[str, str]) -> list[str]:
    """Accuracies that no whole number of texts gives."""
    out: list[str] = []
    for mark in marks:
        size = settings.get("n_train" if mark.kind == "train_acc" else "n_test", "")
        if not mark.kind.endswith("_acc") or not size.isdigit():
            continue
        if not possible_accuracy(mark.value, int(size)):
            out.append(f"{mark.place}: {explain_impossible(mark.value, int(size))}")
    return list(dict.fromkeys(out))


def _final(run: RunWords, marks: Sequence[Mark], last: int) -> list[str]:
    """What is said of the end of a run, against its last epoch."""
    out: list[str] = []
    for mark in marks:
        table = [m for m in marks if m.epoch == last and m.kind == mark.kind]
        if mark.epoch or not table or not mark.kind.endswith("_acc"):
            continue
        if contains(mark.sentence, ("final", "last", "end", "finish", "finally")) and not any(
            _agree(m.value, mark.value) for m in table
        ):
            out.append(
                f"{mark.place} gives {_named(mark).lower()} at the end as {mark.value}, and {table[-1].place} gives "
                f"{table[-1].value} for the last epoch: “{mark.sentence}”"
            )
    return out


def _named(mark: Mark) -> str:
    return "The training accuracy" if mark.kind == "train_acc" else "The test accuracy"


def _agree(a: Decimal, b: Decimal) -> bool:
    """Equal to the digits of the coarser, rounded or cut off."""
    fine, coarse = sorted((a, b), key=lambda value: int(value.as_tuple().exponent))
    place = Decimal(1).scaleb(int(coarse.as_tuple().exponent))
    return abs(fine - coarse) <= place / 2 or 0 < fine - coarse < place


# ---------------------------------------------------------------- settings


def _settings(run: RunWords, said: Sequence[Statement | Table]) -> tuple[dict[str, str], list[str]]:
    """As stated for this run, else for any run, else as asked for, with a note on the last."""
    section = path_of(run.part)[:1]
    own: dict[str, str] = {}
    common: dict[str, str] = {}
    for item in said:
        if not isinstance(item, Statement) or (item.path and item.path[:1] != section):
            continue
        target = own if item.path == path_of(run.part) or contains(item.text, run.names) else common
        for name, value in _stated(item.text).items():
            target.setdefault(name, value)
    stated = common | own
    assumed = [name for name in ("n_train", "n_test", "batch_size", "learning_rate") if name not in stated]
    notes = []
    if assumed:
        names = ", ".join(f"{name} = {run.settings[name]}" for name in assumed if name in run.settings)
        notes.append(f"The report does not say {names}; that is what was asked for.")
    return {**run.settings, **stated}, notes


def _stated(text: str) -> dict[str, str]:
    """Settings that a sentence states."""
    if not contains(text, ("batch", "learning rate", "=lr", "train", "test")):
        return {}
    tokens = scan(text)
    out: dict[str, str] = {}
    for name, (phrases, _) in _SETTINGS.items():
        for i, token in enumerate(tokens):
            head = text[token.start : token.start + 16]
            if (
                token.kind is Kind.WORD
                and contains(head, phrases)
                and words_of(head)[0] in ("batch", "batches", "batchsize", "learning", "lr")
            ):
                found = next(
                    (t for t in tokens[i + 1 : i + 1 + _NEAR] if isinstance(t, Figure) and not t.unit), None
                )
                if found is not None and name not in out:
                    out[name] = str(Decimal(found.digits.replace(",", "")).scaleb(found.exponent))
    for i, token in enumerate(tokens):
        if not isinstance(token, Figure) or token.unit or not token.digits.replace(",", "").isdigit():
            continue
        behind = [t.text.lower() for t in tokens[i + 1 : i + 3] if t.kind is Kind.WORD]
        for name, word in (("n_train", "train"), ("n_test", "test")):
            if any(w.startswith(word) for w in behind[:1]) and name not in out and token.plain >= 16:
                out[name] = token.digits.replace(",", "")
    return out
