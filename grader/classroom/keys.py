"""What each check consists of, as a hash: a check whose key has not changed need not be run again.

In the key of a check are its declaration, the test file that holds it, every module of the reference that this file
imports, directly or not, the worker's side of the assignment where the part runs student code, the keys of the checks
it depends on, and the version of the grader. Imports are read from the source; nothing is executed.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from grader import __version__
from grader.model import Assignment, Check
from grader.paths import data_root

_SHARED: Mapping[str, Callable[[Check], bool]] = {
    "number": lambda check: check.number is not None,
    "prose_check": lambda check: check.review,
}
"""Arguments of a test that judges every check of a kind."""


def check_keys(assignment: Assignment) -> dict[str, str]:
    """Key by check id."""
    files = {path: _File.read(path) for path in sorted(assignment.root.glob("test_*.py"))}
    worker = _digest(_worker_side(assignment))
    in_worker = {part.id for part in assignment.parts if part.worker}
    keys: dict[str, str] = {}
    for check in assignment.checks:
        holding = [file for file in files.values() if file.judges(check)] or list(files.values())
        sources = {source for file in holding for source in file.sources}
        parts = [__version__, repr(check), _digest(sources), worker if check.part in in_worker else ""]
        parts += [keys[dependency] for dependency in check.depends_on]
        keys[check.id] = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return keys


def with_dependencies(assignment: Assignment, wanted: Iterable[Check]) -> tuple[Check, ...]:
    """`wanted` and every check that one of them depends on, directly or not, in the order of the assignment."""
    checks = {check.id: check for check in assignment.checks}
    found: set[str] = set()
    pending = [check.id for check in wanted]
    while pending:
        identifier = pending.pop()
        if identifier not in found:
            found.add(identifier)
            pending.extend(checks[identifier].depends_on)
    return tuple(check for check in assignment.checks if check.id in found)


def reference_modules(assignment: Assignment, wanted: Iterable[Check]) -> tuple[str, ...]:
    """Names of all modules of the reference that the test files of `wanted` import, wherever in them."""
    chosen = list(wanted)
    files = [_File.read(path) for path in sorted(assignment.root.glob("test_*.py"))]
    sources = {s for file in files if any(file.judges(check) for check in chosen) for s in file.sources}
    below = (source.relative_to(data_root()) for source in sources if source.is_relative_to(data_root()))
    modules = (path.with_suffix("").parts for path in below if path.parts[0] == "reference")
    return tuple(sorted(".".join(p[:-1] if p[-1] == "__init__" else p) for p in modules))


class _File:
    """One test file: which checks it judges, and which sources it is made of."""

    def __init__(self, ids: set[str], arguments: set[str], sources: frozenset[Path]) -> None:
        self._ids, self._arguments = ids, arguments
        self.sources = sources

    @classmethod
    def read(cls, path: Path) -> _File:
        tree = ast.parse(path.read_bytes())
        marks = (
            node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) == "check"
        )
        ids = {arg.value for mark in marks for arg in mark.args if isinstance(arg, ast.Constant)}
        functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
        arguments = {arg.arg for function in functions for arg in function.args.args}
        return cls({str(id) for id in ids}, arguments, frozenset({path, *_imported(path, set())}))

    def judges(self, check: Check) -> bool:
        return check.id in self._ids or any(
            name in self._arguments and belongs(check) for name, belongs in _SHARED.items()
        )


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _imported(path: Path, seen: set[Path]) -> set[Path]:
    """Every module of the reference that `path` imports, wherever in it, directly or through another."""
    for name in _imports(path.read_bytes()):
        parts = name.split(".")
        if parts[0] != "reference":
            continue
        for end in range(len(parts), 0, -1):
            stem = data_root().joinpath(*parts[:end])
            for module in (stem.with_suffix(".py"), stem / "__init__.py"):
                if module.is_file() and module not in seen:
                    seen.add(module)
                    _imported(module, seen)
    return seen


@lru_cache(maxsize=1024)  # a module of the reference is imported by several test files
def _imports(source: bytes) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)


def _worker_side(assignment: Assignment) -> set[Path]:
    """All files that the worker executes or reads."""
    named = {assignment.root / path for path in assignment.worker_modules.values()}
    harness = assignment.root / "harness.py"
    assets = assignment.root / "assets"
    found = {harness, *named, *assets.rglob("*")}
    return {path for path in found if path.is_file() and "__pycache__" not in path.parts}


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
