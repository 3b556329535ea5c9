"""Cells of a notebook as data: their source, what they define, their source without the solution."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grader.errors import UsageError

STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
_MAGIC = re.compile(r"^(\s*)[%!?].*$", re.M)
_BEGIN = re.compile(r"^\s*#+\s*BEGIN SOLUTION(?: NO PROMPT)?\s*$", re.I)
_END = re.compile(r"^\s*#+\s*END SOLUTION\s*$", re.I)
_LINE = re.compile(r"#\s*SOLUTION(?: NO PROMPT)?\s*$")


@dataclass
class Cell:
    """One cell."""

    kind: str
    """code, markdown or raw."""
    source: str
    metadata: Mapping[str, Any]

    @property
    def nbgrader(self) -> Mapping[str, Any]:
        """What nbgrader keeps of it; empty where it keeps nothing."""
        found = self.metadata.get("nbgrader")
        return found if isinstance(found, dict) else {}

    @property
    def tree(self) -> ast.Module | None:
        """Of a code cell, magics left out; None where it is no Python."""
        try:
            return ast.parse(_MAGIC.sub(r"\1pass", self.source)) if self.kind == "code" else None
        except SyntaxError:
            return None


def read_cells(name: str, text: str) -> tuple[list[Cell], dict[str, Any]]:
    """The cells of a notebook of format 4, and the notebook itself. Raises UsageError."""
    try:
        notebook = json.loads(text)
        cells = [
            Cell(str(cell["cell_type"]), _source(cell["source"]), dict(cell.get("metadata") or {}))
            for cell in notebook["cells"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{name} is no notebook of format 4 ({type(error).__name__}: {error}).",
            "Open it in Jupyter and save it again.",
        ) from None
    return cells, notebook


def write_cells(notebook: Mapping[str, Any], cells: list[Cell]) -> str:
    """A notebook of `cells`, without outputs and without what other tools keep in it."""
    made = []
    for cell in cells:
        one: dict[str, Any] = {"cell_type": cell.kind, "metadata": {}, "source": cell.source}
        made.append(one | ({"execution_count": None, "outputs": []} if cell.kind == "code" else {}))
    kept = {
        k: v for k, v in dict(notebook.get("metadata") or {}).items() if k in ("kernelspec", "language_info")
    }
    document = {"cells": made, "metadata": kept, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def without_solution(source: str) -> str:
    """`source` with each marked solution replaced by a stub; unchanged where none is marked."""
    lines: list[str] = []
    inside = False
    for line in source.splitlines():
        if not inside and _BEGIN.match(line):
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + stub for stub in STUB]
        elif inside:
            inside = not _END.match(line)
        elif _LINE.search(line):
            lines += _without_value(line)
        else:
            lines.append(line)
    return "\n".join(lines)


def _without_value(line: str) -> Iterator[str]:
    """`x = 3 # SOLUTION` asks for `x = ...`; another line goes."""
    assigned = re.match(r"^(\s*[\w, ]+?)\s*=(?!=)", line)
    if assigned and "NO PROMPT" not in line:
        yield f"{assigned[1]} = ..."


def without_bodies(source: str, names: set[str]) -> str:
    """`source` with the bodies of the functions and methods `names` replaced by a stub; docstrings stay."""
    try:
        tree = ast.parse(_MAGIC.sub(r"\1pass", source))
    except SyntaxError:
        return source
    lines = source.splitlines()
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name in names]
    for node in sorted(functions, key=lambda n: n.lineno, reverse=True):
        first = node.body[0]
        head = lines[first.lineno - 1][: first.col_offset]
        if head.strip():  # `def f(x): return x`
            indent = " " * (node.col_offset + 4)
            lines[first.lineno - 1 : node.end_lineno] = [head.rstrip(), *(indent + stub for stub in STUB)]
        else:
            documented = ast.get_docstring(node, clean=False) is not None
            start = first.end_lineno if documented else first.lineno - 1
            lines[start : node.end_lineno] = [head + stub for stub in STUB]
    return "\n".join(lines)


def _source(value: Any) -> str:
    return value if isinstance(value, str) else "".join(value)
