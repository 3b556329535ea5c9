"""A notebook: with nbgrader's metadata, with otter-grader's tests in it, or with plain asserts.

Formats: https://nbgrader.readthedocs.io, "Creating and grading assignments", and https://otter-grader.readthedocs.io.
Nothing of it is executed.
"""

from __future__ import annotations

import ast
import builtins
import re
import textwrap
from dataclasses import replace
from fractions import Fraction
from pathlib import PurePath
from typing import Any

from grader.importing.cells import STUB, Cell, read_cells, without_bodies, without_solution, write_cells
from grader.importing.otter import ok_question, read_otter
from grader.importing.source import HALF, Question, Source, Test, imports_in, readable

_HIDDEN = re.compile(
    r"^[ \t]*#+\s*BEGIN HIDDEN TESTS?[^\n]*\n?(.*?)(?:^[ \t]*#+\s*END HIDDEN TESTS?[^\n]*\n?|\Z)",
    re.M | re.S | re.I,
)
_SCHEME = re.compile(r"^[ \t]*#*\s*BEGIN MARK SCHEME.*?END MARK SCHEME[^\n]*\n?", re.M | re.S | re.I)
_HEADING = re.compile(r"^#+\s+(.+?)\s*#*$", re.M)


def read_notebook(name: str, text: str) -> Source:
    """What a notebook asks and tests, its model solution, and the starter. Raises UsageError."""
    cells, notebook = read_cells(name, text)
    of_nbgrader = any(cell.nbgrader for cell in cells)
    found = Source(name, "nbgrader" if of_nbgrader else "a notebook", whole=True)
    tests = _nbgrader(cells, found) if of_nbgrader else _plain(cells, found)
    _otters_own(notebook, found)
    marked = of_nbgrader or any(without_solution(cell.source) != cell.source for cell in cells)
    _defined([cell for i, cell in enumerate(cells) if i not in tests], found, marked)
    tested = {name for q in found.questions for t in q.tests for name in _called(t.code)}
    shown = [replace(cell, source=_HIDDEN.sub("", cell.source).strip("\n")) for cell in cells]
    solution = [cell for cell in shown if cell.source or cell.kind != "code"]
    starter = [_starter(cell, of_nbgrader, marked, tested) for cell in solution]
    file = PurePath(name).name
    found.solution[file] = write_cells(notebook, solution)
    found.starter[file] = write_cells(notebook, starter)
    if found.solution == found.starter:
        found.notes.append(f"{file}: no solution is in it; write the model solution into solution/{file}")
    return found


# ---------------------------------------------------------------- nbgrader


def _nbgrader(cells: list[Cell], found: Source) -> set[int]:
    """Fills in the questions; the places of the cells that hold tests."""
    tests = set()
    for place, cell in enumerate(cells):
        kept = cell.nbgrader
        id, points = str(kept.get("grade_id") or f"cell {place + 1}"), _points(kept.get("points"))
        if kept.get("task") or (kept.get("grade") and kept.get("solution")):
            title, asks = _asked(cells, place, id)
            found.questions.append(Question(id, title, asks, by_person=points))
        elif kept.get("grade") and cell.kind == "code":
            tests.add(place)
            title, asks = _asked(cells, place, id)
            found.questions.append(Question(id, title, asks, _cut(id, cell.source, points, found)))
    return tests


def _cut(id: str, source: str, points: Fraction, found: Source) -> list[Test]:
    """One test of what students see and one of what is hidden; they share the points."""
    found_hidden = "\n".join(match[1].rstrip("\n") for match in _HIDDEN.finditer(source))
    hidden = textwrap.dedent(found_hidden)
    inside = ["its hidden lines stand inside of a block"] if hidden != found_hidden else []
    shown = _HIDDEN.sub("", source).strip("\n")
    if not hidden.strip():
        return [Test(id, shown, points)]
    if not _judges(shown):
        return [Test(id, hidden, points, True, reasons=inside, setup=_setup(shown))]
    found.notes.append(
        f"{id}: its visible and its hidden tests get half of the {float(points):g} points each"
    )
    return [
        Test(id, shown, points * HALF),
        Test(f"{id}-hidden", hidden, points * HALF, True, reasons=inside, setup=_setup(shown)),
    ]


def _judges(code: str) -> bool:
    tree = Cell("code", code, {}).tree
    return tree is None or any(isinstance(node, ast.Assert | ast.Call) for node in ast.walk(tree))


def _setup(code: str) -> str:
    """What the hidden statements may build upon: all but the asserts."""
    tree = Cell("code", code, {}).tree
    statements = tree.body if tree else []
    return "\n".join(
        ast.unparse(s) for s in statements if not isinstance(s, ast.Assert | ast.Expr | ast.Pass)
    )


# ---------------------------------------------------------------- plain asserts


def _plain(cells: list[Cell], found: Source) -> set[int]:
    """A cell with asserts is a test; of one that defines something, too, the asserts are."""
    tests = set()
    for place, cell in enumerate(cells):
        tree = cell.tree
        asserts = [s for s in tree.body if _holds_assert(s)] if tree else []
        if tree is None or not asserts:
            continue
        title, asks = _asked(cells, place, f"cell {place + 1}")
        defined = [s for s in tree.body if isinstance(s, ast.FunctionDef | ast.ClassDef)]
        if defined:
            code = "\n".join(ast.unparse(s) for s in asserts)
        else:
            code = cell.source
            tests.add(place)
        found.questions.append(Question(title, title, asks, [Test(_word(code, place), code)]))
    if found.questions:
        found.notes.append("plain asserts have no points: each test has got 1")
    return tests


def _holds_assert(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return False
    calls = [n.func for n in ast.walk(statement) if isinstance(n, ast.Call)]
    return any(isinstance(n, ast.Assert) for n in ast.walk(statement)) or any(
        "assert" in (getattr(f, "attr", "") or getattr(f, "id", "")) for f in calls
    )


def _word(code: str, place: int) -> str:
    """A test is named after the first function that it calls."""
    return next(iter(_called(code)), f"cell {place + 1}")


def _called(code: str) -> list[str]:
    """Names that are called in it, in order."""
    tree = Cell("code", code, {}).tree
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)] if tree else []
    calls.sort(key=lambda n: (n.lineno, n.col_offset))
    names = [n.func.id for n in calls if isinstance(n.func, ast.Name)]
    return [name for name in dict.fromkeys(names) if not hasattr(builtins, name)]


# ---------------------------------------------------------------- what both have


def _otters_own(notebook: Any, found: Source) -> None:
    """Tests that otter-grader keeps in the notebook's metadata."""
    kept = dict(notebook.get("metadata") or {}).get("otter")
    tests = kept.get("tests") if isinstance(kept, dict) else None
    for name, test in tests.items() if isinstance(tests, dict) else ():
        found.format = "otter-grader"
        if isinstance(test, str):
            read = read_otter(f"{found.name}, test {name}", test, name)
            found.questions += read.questions
            found.helpers += read.helpers
            found.imports |= read.imports
        else:
            found.questions.append(ok_question(test, name))


def _defined(cells: list[Cell], found: Source, marked: bool) -> None:
    """What the notebook defines and imports; where solutions are marked, the other functions are given."""
    for cell in cells:
        tree = cell.tree
        if tree is None:
            if cell.kind == "code":
                found.notes.append(f"a cell is no Python: {cell.source.strip().splitlines()[0]!r}")
            continue
        found.imports.update(imports_in(tree))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                text = "\n".join(
                    cell.source.splitlines()[first - 1 : node.end_lineno]
                )  # with its last comment
                of_students = cell.nbgrader.get("solution") or without_solution(text) != text
                if marked and not of_students:
                    found.given[node.name] = text
                else:
                    found.functions[node.name] = f"({ast.unparse(node.args)})"
            elif isinstance(node, ast.ClassDef):
                found.others[node.name] = "class"
            else:
                names = [
                    n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
                ]
                mine = cell.nbgrader.get("solution") or without_solution(cell.source) != cell.source
                found.others.update(dict.fromkeys(names, "variable" if mine or not marked else "given"))


def _asked(cells: list[Cell], place: int, name: str) -> tuple[str, str]:
    """(title, text): of the last text cell before it that has a heading, else made of the name."""
    for cell in reversed(cells[: place + 1]):
        text = cell.source.strip()
        if cell.kind == "markdown" and (heading := _HEADING.search(text)):
            asks = " ".join(_HEADING.sub("", text).split())
            return heading[1], asks[:400] or heading[1]
    return readable(name), readable(name)


def _starter(cell: Cell, of_nbgrader: bool, marked: bool, tested: set[str]) -> Cell:
    """The cell as students get it."""
    source = _SCHEME.sub("", cell.source)
    stripped = without_solution(source)
    kept = cell.nbgrader
    if of_nbgrader and kept.get("solution") and stripped == source and "YOUR " not in source:
        defined = {
            n.name for n in ast.walk(cell.tree or ast.Module([], [])) if isinstance(n, ast.FunctionDef)
        }
        whole = "\n".join(STUB) if cell.kind == "code" else "YOUR ANSWER HERE"
        stripped = without_bodies(source, defined) if defined else whole
    elif not marked and cell.kind == "code":
        stripped = without_bodies(source, tested)
    return replace(cell, source=stripped)


def _points(value: Any) -> Fraction:
    return (
        Fraction(str(value))
        if isinstance(value, int | float) and not isinstance(value, bool)
        else Fraction(0)
    )
