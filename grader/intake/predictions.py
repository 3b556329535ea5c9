"""results/predictions.json -> :class:`Predictions`: the labels a student's model gave to the texts of 3c."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from grader.intake.answers import is_placeholder
from grader.intake.fields import FieldReader
from grader.intake.found import Found, Problem
from grader.intake.metrics import load_object
from grader.model import Submission
from grader.written import WrittenAnswer

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Prediction:
    """One text and the label given to it."""

    text: str
    label: str
    """As written; see :func:`label_name`. Empty where it was not filled in."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """All predictions of one file, in its order."""

    path: str
    status: Found
    model: str | None = None
    predictions: tuple[Prediction, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def read_predictions(submission: Submission, path: str = "results/predictions.json") -> Predictions:
    """Read the predictions; never raises. Labels that are still empty make the file missing, not wrong."""
    found, document, status, problems, notes = load_object(submission, path)
    if status is Found.MISSING and submission.written and path in submission.written.labels:
        return _from_report(path, submission.written.labels[path])
    if document is None:
        return Predictions(found, status, problems=problems, notes=notes)
    reader = FieldReader(found, document)
    entries = document.get("predictions")
    if entries is not None and (not isinstance(entries, list) or len(entries) > _MOST):
        reader.refuse("predictions", entries, "a list of {text, label}")
        entries = []
    predictions = tuple(p for i, entry in enumerate(entries or []) if (p := _prediction(reader, i, entry)))
    if not reader.problems and all(is_placeholder(p.label) for p in predictions):
        problem = Problem(
            f"{found} has no labels yet.", "Write the label that your model gives to each text.", found
        )
        return Predictions(found, Found.MISSING, None, predictions, (problem,), notes)
    model = document.get("model")
    return Predictions(
        path=found,
        status=Found.MALFORMED if reader.problems else Found.FOUND,
        model=model if isinstance(model, str) else None,
        predictions=predictions,
        problems=tuple(reader.problems),
        notes=(*notes, *reader.notes),
    )


def _from_report(path: str, found: WrittenAnswer) -> Predictions:
    """The labels as a written report names them, in its order."""
    reading = found.readings[0]
    predictions = tuple(Prediction("", label) for label in reading.value.split("\n"))
    notes = (f"There is no {path}; the labels were read in {reading.place}: “{reading.sentence}”.",)
    if found.sure:
        return Predictions(reading.place, Found.FOUND, None, predictions, notes=notes)
    problem = Problem(" ".join(found.notes), "A person looks at it.", reading.place)
    return Predictions(reading.place, Found.UNCLEAR, None, predictions, (problem,), notes)


def label_name(label: str, names: Sequence[str]) -> str | None:
    """The one of `names` that `label` stands for: case, punctuation and "LABEL_1" or "1" do not matter."""
    bare = {re.sub(r"\W+", "", name).casefold(): name for name in names}
    given = re.sub(r"\W+", "", label).casefold()
    if given in bare:
        return bare[given]
    index = re.fullmatch(r"(?:label_?)?(\d{1,4})", given, re.ASCII)
    return names[int(index[1])] if index and int(index[1]) < len(names) else None


def _prediction(reader: FieldReader, index: int, entry: object) -> Prediction | None:
    place = f"predictions[{index}]"
    if not isinstance(entry, dict):
        reader.refuse(place, entry, "an object with text and label")
        return None
    text, label = entry.get("text"), entry.get("label")
    if isinstance(label, int) and not isinstance(label, bool):
        label = str(label)
    if not isinstance(text, str):
        reader.refuse(f"{place}.text", text, "a text")
        return None
    if label is not None and not isinstance(label, str):
        reader.refuse(f"{place}.label", label, "the name of a label")
        return None
    return Prediction(text, label or "")
