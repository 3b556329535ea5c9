"""A kit: the public checks of one assignment, and the folder with the student's work."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from grader import entries
from grader.errors import AssignmentError, UnknownName, UsageError, did_you_mean
from grader.paths import data_root

KIT = "kit.toml"
CHECKS = "checks"
"""Folder of the checks in what students are given."""
_KEYS = {"id", "title", "work", "files", "packages", "timeout_s", "answers"}


@dataclass(frozen=True, slots=True)
class PublicCheck:
    """One test that students run."""

    id: str
    title: str
    file: Path
    test: str
    """Name of its function; checks that share one tell themselves apart by their id."""

    @property
    def part(self) -> str:
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Kit:
    """The public checks of one assignment."""

    id: str
    title: str
    root: Path
    """The folder with kit.toml and the tests."""
    work: Path
    """The student's folder."""
    checks: tuple[PublicCheck, ...]
    files: Mapping[str, Path] = field(default_factory=dict)
    """Files that the tests need, by name; none of them is secret. Those of Python are imported by their name."""
    packages: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What a section needs besides the tool's own packages: {"3": ["transformers"]}."""
    timeout_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds that a check may take, by section; 20 where none is given."""
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Part -> answer -> unit in which a bare number is read, "shape" or "text"."""
    fallback: bool = False
    """No kit was near the work: these are the checks of the coursework that came with the grader."""

    def limit(self, check: str) -> float:
        """Seconds for the check of this id."""
        return float(self.timeout_s.get(check[:1], 20))

    def preload(self, chosen: Sequence[PublicCheck]) -> list[str]:
        """Installed packages that the chosen checks need: worth importing before there is anything to check."""
        sections = {check.id[:1] for check in chosen}
        names = [name for section in sorted(sections) for name in self.packages.get(section, ())]
        return [name for name in dict.fromkeys(names) if find_spec(name) is not None]

    def select(self, names: Iterable[str] = ()) -> tuple[PublicCheck, ...]:
        """The checks called so, or those of parts that begin so ("2"); all where nothing is named.

        Raises UnknownName.
        """
        chosen: set[str] = set()
        everything = True
        for name in names:
            everything = False
            found = {c.id for c in self.checks if c.id == name or (name and c.part.startswith(name))}
            if not found:
                ids = [c.id for c in self.checks]
                parts = list(dict.fromkeys(c.part for c in self.checks))
                known = [*parts, *ids] if did_you_mean(name, ids) else parts
                raise UnknownName("public check or part", name, known)
            chosen |= found
        return tuple(c for c in self.checks if everything or c.id in chosen)


def find_kit(folder: Path | None = None, assignment: str = "transformer") -> Kit:
    """The kit that `folder` belongs to, else the one that the current folder does, else the bundled assignment.

    With the current folder's kit, or the bundled one, the work is in `folder`. Raises UsageError where there is none,
    AssignmentError for a kit that cannot be read.
    """
    here = Path.cwd().resolve()
    given = here if folder is None else folder.resolve()
    if not given.is_dir():
        what = "is a file" if given.exists() else "does not exist"
        raise UsageError(f"{str(folder)!r} {what}, and a folder is due.", "Give the folder with your work.")
    outer = _kit_around(given)
    if outer is not None:
        below = given not in (outer, outer / CHECKS)
        return read_kit(outer / CHECKS, given if below else None)
    outer = _kit_around(here)
    if outer is not None:
        return read_kit(outer / CHECKS, given)
    bundled = _bundled(assignment)
    if bundled is None:
        raise UsageError(
            f"There are no public checks in {str(given)!r} or above it.",
            "Change to the folder that you unpacked; it has the folders 'checks' and 'work'.",
        )
    return replace(read_kit(bundled, given), fallback=True)


def _kit_around(place: Path) -> Path | None:
    """The nearest folder with a kit, of `place` and those that it is in."""
    return next((outer for outer in (place, *place.parents) if (outer / CHECKS / KIT).is_file()), None)


def _bundled(assignment: str) -> Path | None:
    """The public checks that an installation for instructors has."""
    try:
        root = data_root() / "tests" / assignment / "public"
    except Exception:  # the student's installation carries no assignment
        return None
    return root if (root / KIT).is_file() else None


def read_kit(root: Path, work: Path | None) -> Kit:
    """The kit in `root`; the work is in `work`, or where kit.toml says. Raises AssignmentError."""
    try:
        document: Mapping[str, Any] = tomllib.loads((root / KIT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AssignmentError(f"{root / KIT} cannot be read: {error}.", "Unpack the archive again.") from None
    entries.known_keys(document, _KEYS, KIT)
    return Kit(
        id=entries.text(document, "id", KIT),
        title=entries.text(document, "title", KIT),
        root=root,
        work=work or root.parent / entries.text(document, "work", KIT),
        checks=tuple(sorted(_checks(root), key=lambda check: check.part)),
        files=dict(_file(root, place) for place in entries.texts(document, "files", KIT)),
        packages=entries.table(document, "packages", KIT),
        timeout_s=entries.table(document, "timeout_s", KIT),
        answers=entries.table(document, "answers", KIT),
    )


def _file(root: Path, place: str) -> tuple[str, Path]:
    """Beside the tests in what students are given, else where kit.toml says."""
    name = Path(place).name
    beside = root / name
    return name, beside if beside.is_file() else (root / place).resolve()


def _checks(root: Path) -> Iterable[PublicCheck]:
    """Read off the tests, which are not run for it, in the order of files and lines."""
    for file in sorted(root.glob("test_*.py")):
        try:
            tree = ast.parse(file.read_bytes(), str(file))
        except SyntaxError as error:
            raise AssignmentError(
                f"{file.name}, line {error.lineno}: {error.msg}.", "Unpack it again."
            ) from None
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                title = (ast.get_docstring(node) or node.name).splitlines()[0].rstrip(".")
                for id, shown in _ids(node):
                    yield PublicCheck(id, shown or title, file, node.name)


def _ids(node: ast.FunctionDef) -> Iterable[tuple[str, str]]:
    """@pytest.mark.check("2c.self") of a test, with a title where the mark has one."""
    for mark in node.decorator_list:
        named = isinstance(mark, ast.Call) and isinstance(mark.func, ast.Attribute)
        if named and mark.func.attr == "check" and all(isinstance(a, ast.Constant) for a in mark.args):  # type: ignore[attr-defined]
            texts = [str(argument.value) for argument in mark.args]  # type: ignore[attr-defined]
            yield texts[0], texts[1] if len(texts) > 1 else ""
