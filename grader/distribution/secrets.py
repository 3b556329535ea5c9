"""What students must not get of an assignment, and the search for it in what they do get.

Secret is all that the assignment and its reference hold, but for what the author gives away: the public checks, the
modules that they import, the handout's own cells, and the starter kit. Of that,

lines     of code and text, from 24 characters on
phrases   eight words in a row of any text in them: hints, titles, descriptions
texts     of each misconception, however short
ids       of hidden checks, and of misconceptions
numbers   the right answers, exact and as the model solution prints them, to four significant digits, in any notation

The search reads archives inside of archives. What the tool itself says, which is the same for every assignment, is no
secret of this one.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from grader.beside import load_bank, load_quantities
from grader.distribution.archive import members
from grader.model import Assignment, Visibility
from grader.numbers.book import evaluate
from grader.paths import PACKAGE
from grader.selfcheck.kit import read_kit
from grader.verify.imports import imports_of
from grader.verify.settings import read_settings

_SHORTEST = 24
"""Characters of a line below which it says too little: `return output`."""
_WORDS = 8
_TEXT = {".py", ".toml", ".json", ".jsonl", ".md", ".txt", ".ipynb"}
_TOKEN = re.compile(r"(?<![\w.])[0-9][0-9,_']*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w])")
_COMMON = re.compile(r"(?:from|import) [\w.]+|@pytest\.mark\.|@dataclass|def (?:test_)?\w+\(\w*\)")
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Leak:
    """One secret in one file."""

    member: str
    kind: str
    what: str

    @property
    def sentence(self) -> str:
        return f"{self.member}: {self.kind} {self.what[:100]!r}"


@dataclass(frozen=True)
class Secrets:
    """What is searched for."""

    lines: frozenset[str]
    phrases: frozenset[str]
    """Words in lower case, a space between them."""
    texts: frozenset[str]
    """The same."""
    ids: frozenset[str]
    numbers: Mapping[str, str]
    """Leading digits -> which number they are of."""

    @cached_property
    def _id(self) -> re.Pattern[str]:
        return re.compile(r"(?<![\w.-])(?:" + "|".join(map(re.escape, sorted(self.ids))) + r")(?![\w-])")

    def leaks(self, files: Mapping[str, bytes]) -> list[Leak]:
        """Every secret in `files`, POSIX path -> content."""
        return [leak for path, content in members(files) for leak in self._in(path, content)]

    def _in(self, path: str, content: bytes) -> Iterator[Leak]:
        for text in (content.decode("utf-8", "replace"), *_utf16(content)):
            yield from (Leak(path, "a line", line) for line in sorted(_lines(text) & self.lines))
            yield from (Leak(path, "the words", words) for words in sorted(_phrases(text) & self.phrases))
            words = f" {' '.join(_words(text))} "
            yield from (Leak(path, "the text", said) for said in sorted(self.texts) if f" {said} " in words)
            if self.ids:
                yield from (Leak(path, "the id", id) for id in sorted(set(self._id.findall(text))))
            for digits, token in sorted(_leading("" if path.endswith("/RECORD") else text).items()):
                if digits in self.numbers:
                    yield Leak(path, f"the answer to {self.numbers[digits]}", token)


def secrets_of(assignment: Assignment) -> Secrets:
    """What `assignment` has to keep to itself. Raises AssignmentError where its files are wrong."""
    settings = read_settings(assignment, assignment.checks)
    public = assignment.root / "public"
    handout = [*read_kit(public, None).files.values()]
    handout += [assignment.root / str(name) for name in assignment.handout_cells.values()]
    handout += [settings.starter] if settings.starter else []
    reference = assignment.root.parent.parent / "reference" / assignment.id
    given = {file for place in (public, *handout) for file in _files(place)}
    kept = [file for folder in (assignment.root, reference, settings.solution) for file in _files(folder)]
    # What the public checks say is searched like all else: they may share nothing with what is kept.
    said = [_read(file) for place in handout for file in _files(place)]  # to students, by the handout
    said += [c.title for c in assignment.checks if c.visibility is Visibility.PUBLIC]
    said += [f"{part.title}\n{part.asks}" for part in assignment.parts] + [f'title = "{assignment.title}"']
    free = said + [_read(file) for file in _files(PACKAGE)]
    lines, phrases = set[str](), set[str]()
    for file in set(kept) - given:
        lines |= _lines(_read(file))
        phrases |= _said(file)
    with imports_of(assignment):
        bank = load_bank(assignment, settings.bank)
        exact = load_quantities(assignment, settings.quantities)
        numbers = {name: float(evaluate(exact, name)) for name in exact}
    hidden = {check.id for check in assignment.checks if check.visibility is Visibility.HIDDEN}
    known = _leading("\n".join(said)).keys()
    return Secrets(
        lines=frozenset(lines.difference(*map(_lines, free))),
        phrases=frozenset(phrases.difference(*map(_phrases, free))),
        texts=frozenset(" ".join(_words(said)) for m in bank for said in (m.title, m.belief, m.hint)),
        ids=frozenset(hidden | {m.id for m in bank if "-" in m.id or "." in m.id}),
        numbers={
            digits: name
            for digits, name in _answers(numbers, settings.solution).items()
            if digits not in known
        },
    )


def _files(place: Path) -> list[Path]:
    """The text files in a folder, or the one file that is given."""
    found = place.rglob("*") if place.is_dir() else [place]
    return sorted(
        file.resolve() for file in found if file.suffix in _TEXT and "__pycache__" not in file.parts
    )


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _utf16(content: bytes) -> list[str]:
    return [content.decode("utf-16", "replace")] if content[:2] in (b"\xff\xfe", b"\xfe\xff") else []


def _lines(text: str) -> set[str]:
    """Lines that say something: long enough, no import, no mark of a test."""
    stripped = {" ".join(line.split()).strip("[](){},:=\"' ") for line in text.splitlines()}
    return {line for line in stripped if len(line) >= _SHORTEST and not _COMMON.match(line)}


def _said(file: Path) -> set[str]:
    """Phrases of the texts in a file: all of it, or of Python what stands between quotes."""
    text = _read(file)
    if file.suffix != ".py":
        return _phrases(text)
    constants = (node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
    return {words for value in constants if isinstance(value, str) for words in _phrases(value)}


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def _phrases(text: str) -> set[str]:
    words = _words(text)
    return {" ".join(words[i : i + _WORDS]) for i in range(len(words) - _WORDS + 1)}


def _leading(text: str) -> dict[str, str]:
    """Leading digits of each number in `text` that has enough of them -> the number as written."""
    found = {}
    for token in _TOKEN.findall(text):
        mantissa = re.split("[eE]", re.sub("[,_']", "", token))[0]
        digits = mantissa.replace(".", "").lstrip("0")
        if len(digits.rstrip("0")) >= _DIGITS:
            found[_rounded(float(f"0.{digits}"))] = token
        elif len(digits) >= _DIGITS and "." in mantissa:
            found[mantissa] = token  # 0.7500 is told from 7500 only as it is written
    return found


def _rounded(value: float) -> str:
    """The leading digits of a number, rounded: 2577 for 25.769803776."""
    return f"{value:.{_DIGITS - 1}e}".split("e")[0].replace(".", "")


def _answers(numbers: Mapping[str, float], solution: Path) -> dict[str, str]:
    """Leading digits -> answer: of each exact value, in bytes, bits and multiples of 1,024, and as the model solution
    prints it."""
    found = {}
    for name, value in numbers.items():
        for factor in (1, 8, 1.024, 1.024**2, 1.024**3):
            found[_rounded(value / factor)] = name
        found[_rounded(8 * value)] = name
    file = solution / "answers.toml"
    if file.is_file():
        for section, answers in tomllib.loads(_read(file)).items():
            for key, value in answers.items() if isinstance(answers, dict) else ():
                if len(str(value)) < 40:
                    found |= dict.fromkeys(_leading(str(value)), f"{section}.{key}")
    return {digits: name for digits, name in found.items() if digits.strip("0.")}
