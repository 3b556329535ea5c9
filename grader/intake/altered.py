"""The handout's own test cells in a notebook, compared with the originals: for the instructor, never a deduction.

The student's code is not parsed, only taken apart into words, numbers and signs, so that layout, comments and other
names for variables make no difference. What is told is what changes the meaning of the printed errors: other expected
numbers, seeds, sizes or limits, and calls that switch dropout off.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

from grader.errors import AssignmentError
from grader.intake.found import shorten
from grader.intake.notebook import Notebook, notebooks_of
from grader.intake.text import read_text
from grader.model import ArtifactKind, Assignment, Submission
from grader.worker.inside.cells import Cell, looks_exported, script_cells

_TOKEN = re.compile(
    r"(?P<comment>#[^\n]*)"
    r"|(?P<text>\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|\"(?:\\.|[^\"\\\n])*+\"|'(?:\\.|[^'\\\n])*+')"
    r"|(?P<number>(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>[^\s\w])"
)
_SWITCHED_OFF = (
    (re.compile(r"\.\s*eval\s*\(\s*\)"), ".eval()"),
    (re.compile(r"\.\s*train\s*\(\s*(?:mode\s*=\s*)?False\s*\)"), ".train(False)"),
    (re.compile(r"\bdropout\w*\s*=\s*0(?:\.0*)?(?![\w.])"), "dropout=0"),
    (re.compile(r"\.\s*p\s*=\s*0(?:\.0*)?(?![\w.])"), ".p = 0"),
)
"""Calls and settings after which dropout draws nothing."""
_ALIKE = 0.65
"""Share of the original's own names or numbers that a cell must have to be taken for it."""
_PIECE = 0.1
"""The same for a cell that may be a piece of it."""
_FEW = 6
"""Fewer numbers than these tell nothing."""
_LONGEST = 20_000
"""Characters of a cell that are compared."""
_MOST_NUMBERS = 600


@dataclass(frozen=True, slots=True)
class Original:
    """A test cell as the handout has it."""

    title: str
    """In words, for the note: "attention"."""
    source: str


@dataclass(frozen=True, slots=True)
class _Number:
    value: Decimal
    shown: str
    line: int


def altered_cells(submission: Submission, originals: Sequence[Original]) -> tuple[str, ...]:
    """One sentence for each original that the hand-in has in altered form; none where all are as they were."""
    if not originals:
        return ()
    found = []
    for path, cells in _books(submission):
        for original in originals:
            others = [other for other in originals if other is not original]
            for test in _the_test(original, others, cells):
                changes = list(_changes(original, test))
                if changes:
                    found.append(_note(f"{path}, {test.place}", original.title, changes))
    return tuple(found)


def read_originals(assignment: Assignment) -> tuple[Original, ...]:
    """The test cells that the assignment declares; raises AssignmentError where a file of them cannot be read."""
    return tuple(
        _original(title, assignment.root / str(path)) for title, path in assignment.handout_cells.items()
    )


@cache
def _original(title: str, path: Path) -> Original:
    try:
        return Original(title, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise AssignmentError(
            f"assignment.toml: the test cell {title!r} cannot be read: {error}.",
            "Correct [handout_cells].",
        ) from error


def _note(place: str, title: str, changes: Sequence[str]) -> str:
    return (
        f"For the instructor: {place}: the handout's own test of {title} was changed: {'; '.join(changes)}. "
        "Nothing was deducted for that."
    )


def _books(submission: Submission) -> Iterator[tuple[str, list[Cell]]]:
    """Notebooks, and .py files exported from one, as cells."""
    notebooks: tuple[Notebook, ...] = notebooks_of(submission)
    for notebook in notebooks:
        yield notebook.path, list(notebook.code)
    for file in submission.files:
        text = read_text(file).text if file.kind is ArtifactKind.MODULE else None
        if text and looks_exported(text):
            cells = enumerate(script_cells(text), 1)
            yield file.path, [Cell(at, "code", source, {}) for at, (_, source) in cells]


def _the_test(original: Original, others: Sequence[Original], cells: Sequence[Cell]) -> list[_Test]:
    """The cell that is most like the original, else those that hold it in pieces, joined; none where there is none."""
    own = _Marks.of(original.source).without([_Marks.of(other.source) for other in others])
    likeness = [(own.found_in(_Marks.of(cell.source[:_LONGEST])), cell) for cell in cells]
    best = max(likeness, key=lambda pair: pair[0], default=(_PIECE, None))
    if best[1] is not None and best[0] >= _ALIKE:
        return [_Test(f"cell {best[1].number}", best[1].source[:_LONGEST])]
    pieces = [cell for share, cell in likeness if share >= _PIECE]
    joined = "\n".join(cell.source for cell in pieces)[:_LONGEST]
    if own.found_in(_Marks.of(joined)) < _ALIKE:
        return []
    return [_Test(f"cells {pieces[0].number} to {pieces[-1].number}", joined, whole=False)]


@dataclass(frozen=True, slots=True)
class _Test:
    """What a notebook has of an original."""

    place: str
    source: str
    whole: bool = True
    """One cell, so that its lines can be counted."""

    def at(self, line: int) -> str:
        return f"line {line} " if self.whole else ""


@dataclass(frozen=True, slots=True)
class _Marks:
    """What a test is known by: its names, or else its numbers."""

    names: Counter[str]
    numbers: Counter[Decimal]

    @classmethod
    def of(cls, source: str) -> _Marks:
        names = Counter(token[0] for token in _TOKEN.finditer(source) if token.lastgroup == "name")
        return cls(names, Counter(number.value for number in _numbers(source)))

    def without(self, others: Sequence[_Marks]) -> _Marks:
        """Those that no other test has."""
        names = {
            name: n for name, n in self.names.items() if all(name not in other.names for other in others)
        }
        numbers = {v: n for v, n in self.numbers.items() if all(v not in other.numbers for other in others)}
        return _Marks(Counter(names), Counter(numbers))

    def found_in(self, other: _Marks) -> float:
        """The share of the names, or of the numbers where that is larger, that the other has too."""
        names = (self.names & other.names).total() / max(self.names.total(), 1)
        if self.numbers.total() < _FEW:
            return names
        return max(names, (self.numbers & other.numbers).total() / self.numbers.total())


def _changes(original: Original, test: _Test) -> Iterator[str]:
    code, due = _code(test.source), _code(original.source)
    for pattern, shown in _SWITCHED_OFF:
        added = list(pattern.finditer(code))
        if len(added) > len(pattern.findall(due)):
            yield f"{test.at(code.count(chr(10), 0, added[-1].start()) + 1)}adds {shown}"
    replaced, missing = _numbers_changed(list(_numbers(original.source)), list(_numbers(test.source)))
    for group in _groups(replaced):
        (before, after), more = group[0], len(group) - 1
        rest = f", and {more} more number{'' if more == 1 else 's'} with it" if more else ""
        yield f"{test.at(after.line)}has {after.shown} where the original has {before.shown}{rest}"
    if missing and test.whole:
        numbers = "a number is" if missing == 1 else f"{missing} numbers are"
        yield f"{numbers} missing from it"


def _groups(replaced: Sequence[tuple[_Number, _Number]]) -> list[list[tuple[_Number, _Number]]]:
    """Whole numbers one by one (a seed, a size); those with a point, of which arrays are made, together."""
    whole = [[pair] for pair in replaced if "." not in pair[0].shown]
    pointed = [pair for pair in replaced if "." in pair[0].shown]
    return whole[:5] + ([pointed] if pointed else [])


def _numbers_changed(
    due: Sequence[_Number], have: Sequence[_Number]
) -> tuple[list[tuple[_Number, _Number]], int]:
    """(original, what stands in its place) for each number exchanged, and how many have nothing in their place.

    Numbers that were added are left alone: a test may well be made longer.
    """
    due, have = due[:_MOST_NUMBERS], have[:_MOST_NUMBERS]
    matcher = SequenceMatcher(None, [n.value for n in due], [n.value for n in have], autojunk=False)
    replaced: list[tuple[_Number, _Number]] = []
    missing = 0
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "replace":
            replaced += zip(due[a:b], have[c:d], strict=False)
        if kind in ("replace", "delete"):
            missing += max(0, (b - a) - (d - c))
    return replaced, missing


def _numbers(source: str) -> Iterator[_Number]:
    """The numbers of the code in order, with their signs where these are no subtraction."""
    before, line_at, line = "", 0, 1
    for token in _TOKEN.finditer(source):
        if token.lastgroup == "number":
            line += source.count("\n", line_at, token.start())
            line_at = token.start()
            sign = before[-1:] if before in ("[-", "(-", ",-", "=-") else ""
            text = token[0]
            if len(text) <= 40 and not re.search(r"[eE][+-]?\d{4}", text):
                yield _Number(Decimal(f"{sign}{text}"), shorten(f"{sign}{text}", 24), line)
        if token.lastgroup != "comment":
            before = (before + token[0])[-2:] if token.lastgroup == "sign" else ""


def _code(source: str) -> str:
    """Without comments and texts, line for line."""

    def blank(token: re.Match[str]) -> str:
        return "\n" * token[0].count("\n") if token.lastgroup in ("comment", "text") else token[0]

    return _TOKEN.sub(blank, source)
