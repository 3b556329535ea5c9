"""answers.toml and written reports -> :class:`Answers`: what the student wrote under each key, and where.

What stands in answers.toml counts. A report answers what is missing there; where it says something else, that is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from grader.errors import did_you_mean
from grader.intake.found import Found, Problem, describe, shorten
from grader.intake.lookup import find_file
from grader.intake.text import read_text
from grader.intake.toml_lines import key_lines
from grader.intake.toml_text import parse_toml
from grader.model import Submission
from grader.written import Reading, Written, WrittenAnswer

_PLACEHOLDERS = {
    "",
    "?",
    "??",
    "???",
    "-",
    "--",
    "...",
    "…",
    "todo",
    "tbd",
    "n/a",
    "na",
    "none",
    "your answer",
}
_FILE = "answers.toml"


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands under one key."""

    key: str
    """The key that was asked for, for example "5a.size"."""
    status: Found
    value: Any = None
    """int, Decimal (with the digits as written), str or list; None unless found."""
    location: str | None = None
    """For example "answers.toml, line 12"."""
    problem: Problem | None = None
    """Set where the status is missing, malformed or unclear."""
    notes: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    """Where the status is unclear: what a report says, each with its place, for a person to choose from."""


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers of one hand-in."""

    values: Mapping[str, Any] = field(default_factory=dict)
    """Dotted key -> value, as written."""
    source: str = ""
    """What was parsed: places are looked up in it when one is asked for."""
    unreadable: Mapping[str, Problem] = field(default_factory=dict)
    """Dotted key -> why its entry is not TOML; the rest of the file was read."""
    path: str = _FILE
    status: Found = Found.FOUND
    problem: Problem | None = None
    """Why nothing could be read; set where the status is missing or malformed."""
    notes: tuple[str, ...] = ()
    written: Written | None = None
    """What the reports of the hand-in say."""

    def get(self, key: str) -> Answer:
        """The answer under `key`; never raises. Case, dots and spaces of the key as written do not matter."""
        own = self._own(key)
        found = self.written.answers.get(key) if self.written else None
        if found is None:
            return self._found_nowhere(own)
        if own.status is Found.MISSING:
            return _from_report(key, found)
        return replace(own, notes=(*own.notes, *_contradiction(own, found)))

    def _found_nowhere(self, own: Answer) -> Answer:
        """Where only reports were handed in, say that they were read."""
        if own.status is not Found.MISSING or self.status is not Found.MISSING:
            return own
        if self.written is None or not self.written.read:
            return own
        read = ", ".join(self.written.read[:4])
        message = f"{own.key} was not found in {read}, and there is no {self.path}."
        step = "Write it under the number of its question, with its unit and a word that says what it is."
        return replace(own, problem=Problem(message, step))

    def _own(self, key: str) -> Answer:
        """What answers.toml says."""
        if self.problem:
            return Answer(key, self.status, location=self.problem.location, problem=self.problem)
        bad = next((problem for k, problem in self.unreadable.items() if _bare(k) == _bare(key)), None)
        if bad:
            return Answer(key, Found.MALFORMED, location=bad.location, problem=bad)
        written = key if key in self.values else self._lenient(key)
        if written is None:
            return Answer(key, Found.MISSING, problem=self._not_there(key))
        value, location = self.values[written], self._location(written)
        if is_placeholder(value):
            problem = Problem(f"{key} is not answered yet.", f"Write the answer in {location}.", location)
            return Answer(key, Found.MISSING, location=location, problem=problem)
        notes = () if written == key else (f"The key is written {written!r}; it was read as {key!r}.",)
        if isinstance(value, dict):
            problem = Problem(
                f"{key} is a section with entries ({shorten(', '.join(value), 40)}), and one value is due.",
                f"Write {key.rpartition('.')[2]} = … under [{key.rpartition('.')[0]}].",
                location,
            )
            return Answer(key, Found.MALFORMED, location=location, problem=problem, notes=notes)
        return Answer(key, Found.FOUND, value, location, notes=notes)

    def text(self, key: str) -> Answer:
        """The same for a prose answer: a list of lines is joined, any other kind of value is malformed."""
        answer = self.get(key)
        value = answer.value
        if answer.status is not Found.FOUND or isinstance(value, str):
            return answer
        if isinstance(value, list) and all(isinstance(line, str) for line in value):
            return Answer(key, Found.FOUND, "\n".join(value), answer.location, notes=answer.notes)
        problem = Problem(
            f"{key} is {describe(value)}, and a text is due.",
            f'Write {key.rpartition(".")[2]} = """…""" with your sentences between the quotes.',
            answer.location,
        )
        return Answer(key, Found.MALFORMED, location=answer.location, problem=problem, notes=answer.notes)

    def _location(self, written: str) -> str:
        line = _lines(self.source).get(written)
        return f"{self.path}, line {line}" if line else self.path

    def _lenient(self, key: str) -> str | None:
        """The one key that differs in case, dots, dashes or spaces only."""
        matches = [k for k in self.values if _bare(k) == _bare(key)]
        return matches[0] if len(matches) == 1 else None

    def _not_there(self, key: str) -> Problem:
        section, _, name = key.rpartition(".")
        message = f"{key} is not in {self.path}."
        top = next((k for k in self.values if _bare(k) == _bare(name)), None)
        if top is not None:
            step = f"{self._location(top)} has {top!r} outside of any section: move it below [{section}]."
            return Problem(message, step)
        near = did_you_mean(key, self.values)
        if near and near.rpartition(".")[0].casefold() == section.casefold():
            return Problem(message, f"{self._location(near)} has {near!r}: is {key!r} meant?")
        return Problem(message, f"Write {name} = … below the line [{section}].")


def read_answers(submission: Submission, known: Iterable[str] = ()) -> Answers:
    """Read answers.toml, and take up what the reports say. Entries there that are not `known` keys get a note."""
    answers = _read_file(submission, known)
    written = submission.written
    if written is None:
        return answers
    return replace(answers, written=written, notes=(*answers.notes, *written.notes, *written.flags))


def _read_file(submission: Submission, known: Iterable[str]) -> Answers:
    found = find_file(submission, _FILE)
    if found.file is None:
        status = Found.MALFORMED if found.ambiguous else Found.MISSING
        return Answers(status=status, problem=found.problem)
    path = found.file.path
    decoded = read_text(found.file)
    if decoded.text is None:
        return Answers(path=path, status=Found.MALFORMED, problem=decoded.problem, notes=found.notes)
    parsed = parse_toml(decoded.text, path)
    if parsed.problem:
        return Answers(path=path, status=Found.MALFORMED, problem=parsed.problem, notes=found.notes)
    answers = Answers(
        values=dict(_flatten(parsed.document)),
        source=parsed.text,
        unreadable=parsed.unreadable,
        path=path,
        notes=(*found.notes, *decoded.notes, *parsed.notes),
    )
    return replace(answers, notes=(*answers.notes, *_unknown(answers, known)))


def _from_report(key: str, found: WrittenAnswer) -> Answer:
    """The one reading, or the candidates for a person."""
    first = found.readings[0]
    if found.sure:
        prose = "\n" in first.value or len(first.value) > len(first.sentence)
        quoted = () if prose else (f"Read in {_quoted(first)}.",)
        return Answer(key, Found.FOUND, _plain(first.value), first.place, notes=(*quoted, *found.notes))
    shown = tuple(f"{reading.value} in {_quoted(reading)}" for reading in found.readings)
    message = f"{key}: the report does not say plainly what the answer is. {' '.join(found.notes)}".strip()
    problem = Problem(
        message, "A person decides. Write the answer into answers.toml to be sure.", first.place
    )
    return Answer(key, Found.UNCLEAR, location=first.place, problem=problem, candidates=shown)


def _plain(value: str) -> Any:
    """A whole number or a shape as answers.toml would hold it; any other text as it is."""
    return int(value) if re.fullmatch("[0-9]{1,40}", value) else value


def _quoted(reading: Reading) -> str:
    return f"{reading.place}: “{reading.sentence}”"


def _contradiction(own: Answer, found: WrittenAnswer) -> tuple[str, ...]:
    """A note where the report has another number than answers.toml."""
    from grader.intake.prose.amounts import (
        agree_as_answers,
    )  # a later stage, which reads numbers with their units

    first = found.readings[0]
    if (
        not found.sure
        or own.status is not Found.FOUND
        or agree_as_answers(own.value, first.value) is not False
    ):
        return ()
    return (f"The report says {first.value} ({_quoted(first)}); {own.location} counts.",)


def is_placeholder(value: Any) -> bool:
    """True for what the starter kit writes and for the usual marks of an answer still to come."""
    if isinstance(value, str):
        return value.strip().strip("<>[]_").casefold() in _PLACEHOLDERS
    return value in ([], {})


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys; a table is listed itself too, so that one in the place of a value is seen."""
    for key, value in table.items():
        dotted = f"{prefix}.{key}" if prefix else key
        if isinstance(value, dict):
            if prefix:
                yield dotted, value
            yield from _flatten(value, dotted)
        else:
            yield dotted, value


def _unknown(answers: Answers, known: Iterable[str]) -> Iterator[str]:
    """Notes on entries that no question asks for."""
    keys = list(known)
    asked = {_bare(k) for k in keys}
    for written, value in answers.values.items():
        if not keys or isinstance(value, dict) or is_placeholder(value) or _bare(written) in asked:
            continue
        near = did_you_mean(written, keys)
        where = answers._location(written)
        yield f"{where}: no question asks for {shorten(written)!r}" + (
            f"; is {near!r} meant?" if near else "."
        )


@lru_cache(maxsize=2)
def _lines(text: str) -> Mapping[str, int]:
    """Dotted key -> line, counted from 1."""
    return key_lines(text)


@lru_cache(maxsize=1024)  # the keys of an assignment are asked for hand-in after hand-in
def _bare(key: str) -> str:
    return re.sub(r"[\W_]+", "", key).casefold()
