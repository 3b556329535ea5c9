"""[written] of assignment.toml: by which words the answers of an assignment are known in a report.

This is all that the reader of reports knows of a coursework; docs/written-reports.md explains every key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from grader import entries
from grader.errors import AssignmentError
from grader.model import Assignment, Check
from grader.numbers import Unit, UnitError, unit_named

_TOP = {"heading", "answer", "run", "labels", "given"}
_HEADING = {"part", "words"}
_ANSWER = {"key", "kind", "part", "needs", "words", "about", "not", "alone", "share", "whole", "from"}
_RUN = {"results", "part", "names", "settings", "train", "test"}
_LABELS = {"results", "part", "names", "count"}
_GIVEN = {"part", "numbers"}
_KINDS = ("number", "shape", "text")


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """How one answer is recognised."""

    key: str
    """Of answers.toml."""
    part: str
    kind: str
    """"number", "shape" or "text"."""
    unit: Unit
    """The unit due."""
    needs: tuple[str, ...] = ()
    """Phrases of which one has to stand with the number; none: the unit and the question are enough."""
    words: tuple[str, ...] = ()
    """Phrases that speak for it."""
    about: tuple[str, ...] = ()
    """Phrases of which one has to stand in the sentence where no heading says which question it belongs to."""
    never: tuple[str, ...] = ()
    """Phrases that rule it out where they stand with the number."""
    alone: bool = False
    """It is the one answer of its question: the last result of the derivation is it."""
    share: bool = False
    """It may be written in percent."""
    whole: bool = False
    """It is a count: a number with decimals and without a multiplier, "302.021", is not clear."""
    comes_from: tuple[str, ...] = ()
    """Keys of earlier answers from which it is computed."""


@dataclass(frozen=True, slots=True)
class RunWords:
    """How the figures of one training run are recognised."""

    results: str
    """The file of figures that they stand for."""
    part: str
    names: tuple[str, ...]
    """Phrases for the model, in headings, rows and sentences."""
    settings: Mapping[str, str]
    """What was asked for, taken where the report does not say: n_train, n_test, batch_size, learning_rate, model."""


@dataclass(frozen=True, slots=True)
class LabelWords:
    """How the labels of the texts to predict are recognised."""

    results: str
    part: str
    names: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Questions:
    """All that is declared."""

    parts: tuple[str, ...]
    titles: Mapping[str, tuple[str, ...]]
    """Phrases of headings, by part or section."""
    answers: tuple[AnswerWords, ...]
    runs: tuple[RunWords, ...]
    labels: tuple[LabelWords, ...]
    given: Mapping[str, frozenset[Fraction]]
    """By part or section: numbers of the question itself, which are no answers."""


def read_questions(assignment: Assignment) -> Questions | None:
    """None where the assignment declares nothing. Raises AssignmentError where the declaration is wrong."""
    declared = assignment.written
    if not declared:
        return None
    entries.known_keys(declared, _TOP, "written")
    parts = tuple(part.id for part in assignment.parts)
    sections = {*parts, *(part[:n] for part in parts for n in range(1, len(part)))}
    titles: dict[str, tuple[str, ...]] = {}
    for entry in _tables(declared, "heading"):
        entries.known_keys(entry, _HEADING, "written.heading")
        titles[_part(entry, sections, "written.heading")] = entries.texts(entry, "words", "written.heading")
    given: dict[str, frozenset[Fraction]] = {}
    for entry in _tables(declared, "given"):
        entries.known_keys(entry, _GIVEN, "written.given")
        given[_part(entry, sections, "written.given")] = _numbers(entry)
    answers = tuple(_answer(entry, assignment.checks, sections) for entry in _tables(declared, "answer"))
    keys = {answer.key for answer in answers}
    for answer in answers:
        if unknown := sorted(set(answer.comes_from) - keys):
            raise AssignmentError(
                f"written.answer {answer.key!r} comes from {unknown[0]!r}, which is not declared."
            )
    return Questions(
        parts,
        titles,
        answers,
        tuple(_run(entry, sections) for entry in _tables(declared, "run")),
        tuple(_labels(entry, sections) for entry in _tables(declared, "labels")),
        given,
    )


def _answer(entry: Mapping[str, Any], checks: tuple[Check, ...], sections: set[str]) -> AnswerWords:
    key = entries.text(entry, "key", "written.answer")
    where = f"written.answer {key!r}"
    entries.known_keys(entry, _ANSWER, where)
    kind = str(entry.get("kind", "number"))
    if kind not in _KINDS:
        raise AssignmentError(f"{where}: kind is {kind!r}.", f"Write one of {', '.join(_KINDS)}.")
    declared = next((c.number for c in checks if c.number and c.number.get("answer") == key), None) or {}
    try:
        unit = unit_named(str(declared.get("unit", "")))
    except UnitError as error:
        raise AssignmentError(f"{where}: {error.message}", error.next_step) from error
    part = str(entry.get("part", key.partition(".")[0]))
    if part not in sections:
        raise AssignmentError(f"{where} belongs to no declared part.", 'Write part = "…".')
    return AnswerWords(
        key=key,
        part=part,
        kind=kind,
        unit=unit,
        needs=entries.texts(entry, "needs", where),
        words=entries.texts(entry, "words", where),
        about=entries.texts(entry, "about", where),
        never=entries.texts(entry, "not", where),
        alone=entry.get("alone", False) is True,
        share=entry.get("share", False) is True,
        whole=entry.get("whole", False) is True,
        comes_from=entries.texts(entry, "from", where),
    )


def _run(entry: Mapping[str, Any], sections: set[str]) -> RunWords:
    where = "written.run"
    entries.known_keys(entry, _RUN, where)
    settings = {key: str(value) for key, value in entries.table(entry, "settings", where).items()}
    return RunWords(
        entries.text(entry, "results", where),
        _part(entry, sections, where),
        entries.texts(entry, "names", where),
        settings,
    )


def _labels(entry: Mapping[str, Any], sections: set[str]) -> LabelWords:
    where = "written.labels"
    entries.known_keys(entry, _LABELS, where)
    return LabelWords(
        entries.text(entry, "results", where),
        _part(entry, sections, where),
        entries.texts(entry, "names", where),
        entries.whole(entry, "count", where, 1),
    )


def _part(entry: Mapping[str, Any], sections: set[str], where: str) -> str:
    part = entries.text(entry, "part", where)
    if part not in sections:
        raise AssignmentError(f"{where}: there is no part {part!r}.", "Declare the part first.")
    return part


def _numbers(entry: Mapping[str, Any]) -> frozenset[Fraction]:
    values = entry.get("numbers", [])
    if not isinstance(values, list) or not all(
        isinstance(v, (int, float)) and not isinstance(v, bool) for v in values
    ):
        raise AssignmentError(
            "written.given: 'numbers' must be a list of numbers.", "Write numbers = [48, 0.5]."
        )
    return frozenset(Fraction(repr(value)) for value in values)


def _tables(declared: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = declared.get(key, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise AssignmentError(f"written.{key} must be a list of tables.", f"Write [[written.{key}]].")
    return found
