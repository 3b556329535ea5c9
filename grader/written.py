"""What was read in a student's written report: answers, figures of runs, and what does not add up.

Found by `grader.intake.prose`, carried by the :class:`~grader.model.Submission`, and taken up where the files of a
hand-in are read: `read_answers`, `read_metrics` and `read_predictions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one PDF or Word file, drawn out of it in a sealed process."""

    path: str
    """Of the file, relative to the hand-in."""
    passages: tuple[tuple[str, str], ...] = ()
    """(line of text, place), for example ("Loss: 0.2877", "page 3"), in reading order."""
    notes: tuple[str, ...] = ()
    """What could not be read and why, a sentence each."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One place of a report where an answer stands."""

    value: str
    """As grader.numbers reads it: "12.3 GB", "[5, 6, 7, 8]"; of prose, the text."""
    place: str
    """For example "report.pdf, page 3"."""
    sentence: str
    """The sentence or the row of a table that it stands in, on one line."""


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """What a report says under one key."""

    readings: tuple[Reading, ...]
    """One: the answer. Several: they contradict each other or it cannot be told which of them is meant."""
    notes: tuple[str, ...] = ()
    """How it was read where that is not plain, and what does not add up; no mark depends on it."""
    sure: bool = True
    """False where a person has to say what is meant."""


@dataclass(frozen=True, slots=True)
class WrittenRun:
    """The accuracies of one training run by epoch, as a report states them."""

    epochs: tuple[Mapping[str, str], ...] = ()
    """By epoch: "train_acc" and "test_acc" as shares ("0.8906"), and where stated "train_loss" and "seconds"."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """n_train, n_test, batch_size, learning_rate, model: as stated, else as the assignment asks for."""
    place: str = ""
    """Where the first epoch stands."""
    unclear: str = ""
    """Why a person has to look at it, a sentence; empty where the figures agree."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """All that was read in the reports of one hand-in."""

    answers: Mapping[str, WrittenAnswer] = field(default_factory=dict)
    """By key of answers.toml."""
    runs: Mapping[str, WrittenRun] = field(default_factory=dict)
    """By the file of figures that each stands for: "results/distilbert.json"."""
    labels: Mapping[str, WrittenAnswer] = field(default_factory=dict)
    """By the file of predictions: the value of the one reading is the labels, one a line."""
    read: tuple[str, ...] = ()
    """The files that were read as reports."""
    notes: tuple[str, ...] = ()
    """What could not be read, and which files the answers come from."""
    flags: tuple[str, ...] = ()
    """What does not add up inside the report: for a person to look at, never a deduction."""
