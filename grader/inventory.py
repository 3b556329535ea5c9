"""`grade PATH --list`: who handed in, which files, what each was taken for, and what is missing. Nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.errors import GraderError
from grader.intake import ClassHandIns, HandIn, read_notebook
from grader.intake.found import megabytes
from grader.intake.lookup import find_file
from grader.intake.text import read_text
from grader.model import ArtifactKind, Assignment, Submission, SubmittedFile
from grader.text import one_line
from grader.worker.inside.cells import looks_exported

_SHOWN_FILES = 12
_TAKEN_FOR = {
    ArtifactKind.MODULE: "code",
    ArtifactKind.NOTEBOOK: "notebook",
    ArtifactKind.ANSWERS: "answers",
    ArtifactKind.METRICS: "figures",
    ArtifactKind.REPORT: "text",
    ArtifactKind.WEIGHTS: "weights",
    ArtifactKind.OTHER: "not used",
}
_HOLD_ANSWERS = {ArtifactKind.ANSWERS, ArtifactKind.REPORT, ArtifactKind.NOTEBOOK}


@dataclass(frozen=True, slots=True)
class Row:
    """One file of a hand-in."""

    path: str
    taken_for: str
    """In words, with the definitions found in it: "notebook, 12 cells: Net (cell 3)"."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What one student handed in."""

    rows: tuple[Row, ...] = ()
    missing: tuple[str, ...] = ()
    """What the assignment asks for and was not found, by looking at names alone."""
    notes: tuple[str, ...] = ()
    problem: str = ""
    """Why nothing can be read."""


def inventory(hand_in: HandIn, assignment: Assignment) -> Inventory:
    """Read one hand-in and say what is in it; what is wrong with it is its problem, never an exception."""
    try:
        submission = hand_in.read()
    except GraderError as error:
        return Inventory(notes=hand_in.notes, problem=str(error))
    names = [name for name in assignment.signatures if "." not in name]
    found: set[str] = set()
    rows = []
    for file in submission.files:
        what, defined = _taken_for(file, names)
        found |= set(defined)
        rows.append(Row(file.path, what))
    return Inventory(tuple(rows), tuple(_missing(submission, assignment, names, found)), submission.notes)


def print_inventory(console: Console, found: ClassHandIns, assignment: Assignment) -> None:
    """Print one block a student, as each is read."""
    count = len(found)
    told = found.layout if count == 1 else f"{found.layout}, {count} hand-ins"
    console.print(Text(f"{one_line(found.path.name) or '.'}: {told}", style="bold"))
    for note in found.notes:
        console.print(Text(one_line(note), style="dim"))
    unread = 0
    for hand_in in found:
        listed = inventory(hand_in, assignment)
        unread += bool(listed.problem)
        _print_one(console, hand_in, listed)
    if unread:
        console.print(Text(f"\n{unread} of {count} cannot be read.", style="bold"))


def _print_one(console: Console, hand_in: HandIn, listed: Inventory) -> None:
    head = Text("\n")
    head.append(one_line(hand_in.name), style="bold")
    facts = [] if hand_in.student == hand_in.name else [hand_in.student]
    facts += ["late"] if hand_in.late else []
    facts += [f"attempt {hand_in.attempt}"] if hand_in.attempt > 1 else []
    facts += [hand_in.submitted_at] if hand_in.submitted_at else []
    facts += [f"group of {len(hand_in.members)}"] if hand_in.members else []
    if facts:
        head.append(f"  {' · '.join(facts)}", style="dim")
    console.print(head)
    lines = Table.grid(padding=(0, 2, 0, 0))
    lines.add_column(max_width=40, overflow="fold")
    lines.add_column(overflow="fold")
    for row in listed.rows[:_SHOWN_FILES]:
        lines.add_row(Text(one_line(row.path)), Text(one_line(row.taken_for)))
    if len(listed.rows) > _SHOWN_FILES:
        lines.add_row("…", f"{len(listed.rows) - _SHOWN_FILES} more files")
    if listed.problem:
        lines.add_row(Text("problem", style="red"), Text(one_line(listed.problem), style="red"))
    if listed.missing:
        lines.add_row(
            Text("missing", style="yellow"), Text(one_line(", ".join(listed.missing)), style="yellow")
        )
    for note in listed.notes:
        lines.add_row(Text("note", style="dim"), Text(one_line(note), style="dim"))
    console.print(Padding(lines, (0, 0, 0, 2)))


def _taken_for(file: SubmittedFile, names: Sequence[str]) -> tuple[str, list[str]]:
    """In words, and the definitions of `names` in it, told by the look of their first lines."""
    what = _TAKEN_FOR[file.kind]
    if file.kind is ArtifactKind.WEIGHTS:
        return f"{what}, {megabytes(file.size)}", []
    if file.problem:
        return f"{what}, not read", []
    if file.kind is ArtifactKind.NOTEBOOK:
        return _notebook(file, names)
    if file.kind is ArtifactKind.MODULE:
        text = read_text(file).text or ""
        what = "code, exported from a notebook" if looks_exported(text) else what
        defined = list(dict.fromkeys(_defined(text, names)))
        return _with(what, defined), defined
    return what, []


def _notebook(file: SubmittedFile, names: Sequence[str]) -> tuple[str, list[str]]:
    notebook = read_notebook(file)
    if notebook.problem:
        return "notebook, not readable", []
    places = {name: cell.number for cell in notebook.code for name in _defined(cell.source, names)}
    listed = [f"{name} (cell {number})" for name, number in places.items()]
    return _with(f"notebook, {len(notebook.cells)} cells", listed), list(places)


def _with(what: str, defined: Sequence[str]) -> str:
    return f"{what}: {', '.join(defined)}" if defined else what


def _defined(source: str, names: Iterable[str]) -> Iterator[str]:
    """The names that a line of `source` begins to define; the code is looked at as text, as the judge always does."""
    for name in names:
        if re.search(rf"^(?:class|def|async\s+def)\s+{re.escape(name)}\b", source, re.MULTILINE):
            yield name


def _missing(
    submission: Submission, assignment: Assignment, names: Sequence[str], found: set[str]
) -> Iterator[str]:
    yield from (name for name in names if name not in found)
    yield from (path for path in assignment.expected_files if find_file(submission, path).file is None)
    asked = any(check.answers or check.number or check.review for check in assignment.checks)
    if asked and not {file.kind for file in submission.files} & _HOLD_ANSWERS:
        yield "answers.toml or a report"
