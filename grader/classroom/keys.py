"""What each check consists of, as a hash: a check whose key has not changed need not be run again.

In the key of a check are its declaration, the test file that holds it, every module of the reference that this file
imports, directly or not, the worker's side of the assignment where the part runs student code, the keys of the checks
it depends on, and the version of the grader. Imports are read from the source; nothing is executed.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
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
    files = _files(assignment)
    worker = _digest(_worker_side(assignment))
    in_worker = {part.id for part in assignment.parts if part.worker}
    digest = cache(_digest)  # most checks of a part stand in one file
    keys: dict[str, str] = {}
    for check in assignment.checks:
        holding = [file for file in files if file.judges(check)] or files
        sources = frozenset().union(*(file.sources for file in holding))
        parts = [__version__, repr(check), digest(sources), worker if check.part in in_worker else ""]
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
    files = _files(assignment)
    sources = {s for file in files if any(file.judges(check) for check in chosen) for s in file.sources}
    below = (source.relative_to(data_root()) for source in sources if source.is_relative_to(data_root()))
    modules = (path.with_suffix("").parts for path in below if path.parts[0] == "reference")
    return tuple(sorted(".".join(p[:-1] if p[-1] == "__init__" else p) for p in modules))


@dataclass(frozen=True, slots=True)
class _File:
    """One test file: which checks it judges, and which sources it is made of."""

    ids: frozenset[str]
    arguments: frozenset[str]
    sources: frozenset[Path]

    def judges(self, check: Check) -> bool:
        return check.id in self.ids or any(
            name in self.arguments and belongs(check) for name, belongs in _SHARED.items()
        )


def _files(assignment: Assignment) -> list[_File]:
    imported = _Imported()
    return [
        _File(*_declared(path.read_bytes()), frozenset({path}) | imported.by(path))
        for path in sorted(assignment.root.glob("test_*.py"))
    ]


class _Imported:
    """Every module of the reference that a file imports, wherever in it, directly or through another."""

    def __init__(self) -> None:
        self._directly: dict[Path, frozenset[Path]] = {}
        self._modules: dict[str, frozenset[Path]] = {}

    def by(self, path: Path) -> frozenset[Path]:
        found: set[Path] = set()
        pending = [path]
        while pending:
            new = self._direct(pending.pop()) - found
            found |= new
            pending.extend(new)
        return frozenset(found)

    def _direct(self, path: Path) -> frozenset[Path]:
        if path not in self._directly:
            names = [name for name in _imports(path.read_bytes()) if name.partition(".")[0] == "reference"]
            self._directly[path] = frozenset().union(*map(self._files_of, names))
        return self._directly[path]

    def _files_of(self, name: str) -> frozenset[Path]:
        """Of a module or of a name in one, and of the packages that hold it."""
        if name not in self._modules:
            stem = data_root().joinpath(*name.split("."))
            here = filter(Path.is_file, (stem.with_suffix(".py"), stem / "__init__.py"))
            package = name.rpartition(".")[0]
            self._modules[name] = frozenset(here) | (self._files_of(package) if package else frozenset())
        return self._modules[name]


@lru_cache(maxsize=256)  # they are asked for three times in a run
def _declared(source: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """The ids of the checks that a test file judges, and the names of the arguments of its functions."""
    ids: set[str] = set()
    arguments: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _name(node.func) == "check":
            ids.update(str(arg.value) for arg in node.args if isinstance(arg, ast.Constant))
        elif isinstance(node, ast.FunctionDef):
            arguments.update(arg.arg for arg in node.args.args)
    return frozenset(ids), frozenset(arguments)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


@lru_cache(maxsize=1024)  # a module of the reference is imported by several test files
def _imports(source: bytes) -> frozenset[str]:
    names: set[str] = set()
    for node in _statements(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node; expressions, which are most of a program, hold none."""
    for held in ("body", "orelse", "finalbody", "handlers", "cases"):
        for inner in getattr(node, held, ()):
            yield inner
            yield from _statements(inner)


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
