"""The `expected` fixture: the assignment's own model solution, called in the judge.

It is the author's code from end to end; nothing of a hand-in is executed here. With the edits of a misconception put
in, the same files say what a student who holds it would have got, which is how a mistake is named.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import torch

from grader.assignment import read_document
from grader.bank import Edit, Misconception
from grader.errors import AssignmentError, UnknownName
from grader.model import Assignment


@dataclass
class Solution:
    """The Python files of the model solution as text, and where each name is defined."""

    folder: Path
    sources: dict[str, str] = field(default_factory=dict)
    """By the file's name without its ending."""
    homes: dict[str, str] = field(default_factory=dict)
    """Top-level name -> the file that defines it."""

    @classmethod
    def of(cls, assignment: Assignment) -> Solution:
        """As `solution` in the table [verify] names it. Raises AssignmentError."""
        table = read_document(assignment.root).get("verify")
        named = table.get("solution") if isinstance(table, dict) else None
        folder = (assignment.root / named).resolve() if isinstance(named, str) else None
        if folder is None or not folder.is_dir():
            raise AssignmentError(
                f"{assignment.id} names no folder with a model solution, and a check asks for `expected`.",
                'Write solution = "solution" in the table [verify] of assignment.toml.',
            )
        found = cls(folder)
        for path in sorted(folder.glob("*.py")):
            found.sources[path.stem] = source = path.read_text(encoding="utf-8")
            try:
                found.homes |= dict.fromkeys(_names(ast.parse(source)), path.stem)
            except SyntaxError as error:
                raise AssignmentError(f"{path}, line {error.lineno}: {error.msg}.") from error
        return found


class Expected:
    """`expected.NAME` is the function, class or value NAME of the model solution, or of a mistaken version of it.

    Functions work on copies of their arguments, so that a solution that changes its input spoils no check.
    """

    def __init__(self, solution: Solution, edits: Sequence[Edit] = ()) -> None:
        self._solution = solution
        self._edits = tuple(edits)
        self._modules: dict[str, ModuleType] = {}

    def __getattr__(self, name: str) -> Any:
        """Raises AssignmentError with the nearest name where the solution defines no such thing."""
        if name.startswith("__"):
            raise AttributeError(name)
        homes = self._solution.homes
        if name not in homes:
            unknown = UnknownName("definition", name, sorted(homes))
            raise AssignmentError(
                f"The model solution in {self._solution.folder} does not define {name!r}.", unknown.next_step
            )
        found = getattr(self._module(homes[name]), name)
        return _on_copies(found) if isinstance(found, FunctionType) else found

    def mistaken(self, misconception: Misconception) -> Expected:
        """The model solution of a student who holds `misconception`."""
        return Expected(self._solution, misconception.edits)

    def _module(self, stem: str) -> ModuleType:
        if stem not in self._modules:
            module = self._modules[stem] = ModuleType(stem)
            module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
            path = self._solution.folder / f"{stem}.py"
            exec(compile(self._source(stem), str(path), "exec"), module.__dict__)
        return self._modules[stem]

    def _import(self, name: str, *rest: Any) -> Any:
        """What a file of the solution imports of the solution is of this version too."""
        return self._module(name) if name in self._solution.sources else builtins.__import__(name, *rest)

    def _source(self, stem: str) -> str:
        source = self._solution.sources[stem]
        for edit in self._edits:
            if edit.file == f"{stem}.py":
                source = source.replace(edit.old, edit.new)
        return source


def _names(tree: ast.Module) -> list[str]:
    """Top-level definitions and values."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.append(node.target.id)
    return found


def _on_copies(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with torch.no_grad():
            return function(*_copied(args), **_copied(kwargs))

    return call


def _copied(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, list | tuple):
        return type(value)(_copied(item) for item in value)
    return {key: _copied(item) for key, item in value.items()} if isinstance(value, dict) else value
