"""The student's definitions, wherever they are: in files, in notebooks, in the kernel of a running notebook."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from grader.worker.inside.handin import HandIn, library_names
from grader.worker.inside.problems import StudentProblem, frames_of

_PACKAGES = "site-packages"
_SKIPPED = {"__pycache__", "__MACOSX", "node_modules", "reports", "checkpoints", "venv", _PACKAGES}
_LARGEST = 20_000_000
"""Bytes of a file beyond which it is no source: the limit of a hand-in."""


class Student:
    """`student.MultiHeadAttention` is the student's class of that name."""

    def __init__(self, hand_in: HandIn, live: Mapping[str, Any] | None = None) -> None:
        self._hand_in = hand_in
        self._live = live or {}
        self.used: set[str] = set()
        """Files of what was asked for, and of what these import."""

    def __getattr__(self, name: str) -> Any:
        """Raises StudentProblem where it is nowhere defined, or where its file cannot be imported."""
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._live:
            return self._live[name]
        try:
            value = self._hand_in.find(name)
        except StudentProblem as problem:
            self.used |= {str(frame[0]).partition(", cell ")[0] for frame in problem.frames}
            raise
        module = sys.modules.get(getattr(value, "__module__", None) or "")
        self.used |= files_of(module, self._hand_in.folder)
        return value

    def where(self, error: BaseException) -> str:
        """The student's own line that raised; empty where none did."""
        frames = [
            frame
            for frame in frames_of(error, self._hand_in.folder, self._hand_in.sources)
            if _PACKAGES not in Path(frame[0]).parts  # of an environment in the folder, with this tool in it
        ]
        if not frames:
            return ""
        file, line, function, code = frames[-1]
        return f"{file}, line {line}, in {function}: {code}"


def files_of(module: ModuleType | None, folder: str) -> set[str]:
    """Files below `folder` that a module is made of: its own, and those of the modules whose objects it holds."""
    found: set[str] = set()
    left = [module]
    while left:
        module = left.pop()
        path = _below(module, folder)
        if module is None or path is None or path in found:
            continue
        found.add(path)
        for value in list(vars(module).values()):
            origin = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            left.append(sys.modules.get(origin) if isinstance(origin, str) else None)
    return found


def _below(module: ModuleType | None, folder: str) -> str | None:
    if module is None:
        return None
    path = getattr(module, "__file__", None)
    if path is None and module.__name__.startswith("_notebook_"):
        return next((p for p in sources(Path(folder)) if module.__name__.endswith(_as_name(p))), None)
    if not isinstance(path, str) or not path.startswith(folder + os.sep):
        return None
    return path[len(folder) + 1 :].replace(os.sep, "/")


def _as_name(path: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in path)


def sources(work: Path) -> dict[str, Path]:
    """Python files and notebooks of the work, by POSIX path.

    Hidden folders, caches, reports and virtual environments of any name are left out.
    """
    found: dict[str, Path] = {}
    for folder, below, names in os.walk(work):
        if "pyvenv.cfg" in names and Path(folder) != work:
            below.clear()
            continue
        below[:] = sorted(n for n in below if n not in _SKIPPED and not n.startswith("."))
        for name in sorted(names):
            file = Path(folder) / name
            if name.endswith((".py", ".ipynb")) and not name.startswith(".") and not file.is_symlink():
                found[file.relative_to(work).as_posix()] = file
    return found


@contextmanager
def loaded(work: Path, live: Mapping[str, Any] | None = None) -> Iterator[Student]:
    """The student of `work`; what was imported from there is forgotten in the end, so that the next one reads anew.

    live: names that are defined already, as in a notebook's kernel; they come first.
    """
    folder = str(work.resolve())
    path, finders = list(sys.path), list(sys.meta_path)
    files = {
        name: file.read_bytes() for name, file in sources(work).items() if file.stat().st_size < _LARGEST
    }
    before = set(sys.modules)
    try:
        yield Student(HandIn(folder, files, library_names(path)), live)
    finally:
        sys.path[:], sys.meta_path[:] = path, finders
        for name in set(sys.modules) - before:
            module = sys.modules[name]
            if name.startswith(("_notebook_", "_student_")) or _below(module, folder) is not None:
                del sys.modules[name]
