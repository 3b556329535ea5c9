"""results/*.json -> :class:`Metrics`: the figures of a student's own fine-tuning run, typed and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from grader.intake.fields import FORM, FieldReader
from grader.intake.found import Found, Problem, describe
from grader.intake.lookup import find_file
from grader.intake.safe_json import parse_json
from grader.intake.text import read_text
from grader.model import Submission
from grader.written import WrittenRun

_KEYS = ("model", "n_train", "n_test", "batch_size", "learning_rate", "epochs")
_EPOCH_KEYS = ("train_acc", "test_acc", "train_loss", "seconds")
_MOST_EPOCHS = 1_000


@dataclass(frozen=True, slots=True)
class Epoch:
    """The figures of one epoch; None where the field is absent or malformed."""

    train_acc: Decimal | None = None
    """0 to 1, with the digits as printed (0.8750 keeps its zero)."""
    test_acc: Decimal | None = None
    """0 to 1, with the digits as printed."""
    train_loss: Decimal | None = None
    """Mean cross-entropy in nats; optional."""
    seconds: Decimal | None = None
    """Wall-clock seconds; optional."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """One file of figures. Fields that could not be read are None and named in `problems`."""

    path: str
    """As it was found in the hand-in."""
    status: Found
    """Malformed as soon as there is one problem; what could be read is there all the same."""
    model: str | None = None
    n_train: int | None = None
    n_test: int | None = None
    batch_size: int | None = None
    learning_rate: Decimal | None = None
    epochs: tuple[Epoch, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Why the status is missing or malformed, one each."""
    notes: tuple[str, ...] = ()


def read_metrics(submission: Submission, path: str) -> Metrics:
    """Read the figures at `path`, for example "results/distilbert.json"; never raises."""
    found, document, status, problems, notes = load_object(submission, path)
    if status is Found.MISSING and submission.written and path in submission.written.runs:
        return _from_report(path, submission.written.runs[path])
    if document is None:
        return Metrics(found, status, problems=problems, notes=notes)
    reader = FieldReader(found, document)
    epochs = _epochs(reader, document)
    metrics = Metrics(
        path=found,
        status=Found.FOUND,
        model=reader.text("model"),
        n_train=reader.integer("n_train"),
        n_test=reader.integer("n_test"),
        batch_size=reader.integer("batch_size"),
        learning_rate=reader.number("learning_rate", above=Decimal(0), below=Decimal(10)),
        epochs=epochs or (),
    )
    reader.unknown(_KEYS)
    if epochs == ():
        problem = Problem(f"{found} has no epochs yet.", "Write the figures of your run into it.", found)
        return Metrics(found, Found.MISSING, problems=(problem,), notes=notes)
    return Metrics(
        metrics.path,
        Found.MALFORMED if reader.problems else Found.FOUND,
        metrics.model,
        metrics.n_train,
        metrics.n_test,
        metrics.batch_size,
        metrics.learning_rate,
        metrics.epochs,
        tuple(reader.problems),
        (*notes, *reader.notes),
    )


def _from_report(path: str, run: WrittenRun) -> Metrics:
    """The figures as a written report states them, where no file of figures was handed in."""

    def number(entry: Mapping[str, str], key: str) -> Decimal | None:
        return Decimal(entry[key]) if key in entry else None

    epochs = tuple(
        Epoch(
            number(entry, "train_acc"),
            number(entry, "test_acc"),
            number(entry, "train_loss"),
            number(entry, "seconds"),
        )
        for entry in run.epochs
    )
    settings = run.settings
    notes = (f"There is no {path}; the figures were read in {run.place}.", *run.notes)
    problem = Problem(run.unclear, "A person looks at it. Hand in the file of figures to be sure.", run.place)
    return Metrics(
        path=run.place,
        status=Found.UNCLEAR if run.unclear else Found.FOUND,
        model=settings.get("model"),
        n_train=_whole(settings.get("n_train")),
        n_test=_whole(settings.get("n_test")),
        batch_size=_whole(settings.get("batch_size")),
        learning_rate=Decimal(settings["learning_rate"]) if "learning_rate" in settings else None,
        epochs=epochs,
        problems=(problem,) if run.unclear else (),
        notes=notes,
    )


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def load_object(
    submission: Submission, path: str
) -> tuple[str, Mapping[str, Any] | None, Found, tuple[Problem, ...], tuple[str, ...]]:
    """Find, decode and parse one JSON file that should hold an object.

    Returns the path found, the object (None where there is none), the status then, its problems, and notes.
    """
    found = find_file(submission, path)
    if found.file is None:
        status = Found.MALFORMED if found.ambiguous else Found.MISSING
        return path, None, status, _one(found.problem), ()
    place = found.file.path
    text = read_text(found.file)
    if text.text is None:
        return place, None, Found.MALFORMED, _one(text.problem), found.notes
    parsed = parse_json(text.text, place)
    notes = found.notes + text.notes + parsed.notes
    if parsed.problem:
        status = Found.MISSING if not text.text.strip() else Found.MALFORMED
        return place, None, status, (parsed.problem,), notes
    if not isinstance(parsed.value, dict):
        problem = Problem(f"{place} is {describe(parsed.value)}, and an object {{…}} is due.", FORM, place)
        return place, None, Found.MALFORMED, (problem,), notes
    return place, parsed.value, Found.FOUND, (), notes


def _epochs(reader: FieldReader, document: Mapping[str, Any]) -> tuple[Epoch, ...] | None:
    """The epochs; an empty tuple where the list is still empty, None where it is not a list."""
    entries = document.get("epochs")
    if isinstance(entries, list) and len(entries) <= _MOST_EPOCHS:
        return tuple(_epoch(reader, i, entry) for i, entry in enumerate(entries))
    if entries is None:
        return ()
    reader.refuse("epochs", entries, f"a list of at most {_MOST_EPOCHS:,} epochs")
    return None


def _epoch(parent: FieldReader, index: int, entry: Any) -> Epoch:
    if not isinstance(entry, dict):
        parent.refuse(f"epochs[{index}]", entry, "an object with train_acc and test_acc")
        return Epoch()
    reader = FieldReader(parent.path, entry, f"epochs[{index}].")
    epoch = Epoch(
        train_acc=reader.accuracy("train_acc"),
        test_acc=reader.accuracy("test_acc"),
        train_loss=reader.number("train_loss", above=Decimal(-1), below=Decimal(10**6), required=False),
        seconds=reader.number("seconds", above=Decimal(-1), below=Decimal(10**9), required=False),
    )
    reader.unknown(_EPOCH_KEYS)
    parent.problems.extend(reader.problems)
    parent.notes.extend(reader.notes)
    return epoch


def _one(problem: Problem | None) -> tuple[Problem, ...]:
    return (problem,) if problem else ()
