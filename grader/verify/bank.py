"""What [verify] names by MODULE:NAME or FILE.py:NAME: the bank of misconceptions, and the tables of quantities."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from grader.bank import Misconception
from grader.errors import AssignmentError
from grader.model import Assignment
from grader.numbers import Quantity
from grader.paths import data_root


@contextmanager
def imports_of(assignment: Assignment) -> Iterator[None]:
    """Modules of the assignment are looked for beside it, if it brings a `reference` of its own, else in the grader's
    own data. What was loaded from its folders is forgotten afterwards: a copy has modules of the same names."""
    path = list(sys.path)
    beside = assignment.root.parent.parent
    own = beside != data_root() and (beside / "reference").is_dir()
    sys.path.append(str(data_root()))
    hidden = {}
    if own:
        sys.path.insert(0, str(beside))
        hidden = {name: sys.modules.pop(name) for name in _below("reference")}
    try:
        yield
    finally:
        sys.path[:] = path
        for name in _from(assignment.root) + (_below("reference") if own else []):
            del sys.modules[name]
        sys.modules.update(hidden)


def _below(package: str) -> list[str]:
    """Names of loaded modules."""
    return [name for name in sys.modules if name == package or name.startswith(f"{package}.")]


def _from(folder: Path) -> list[str]:
    """Names of modules that were loaded from files in `folder`."""
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    return [name for name, file in files.items() if file and folder in Path(file).parents]


def load_bank(assignment: Assignment, given: str) -> tuple[Misconception, ...]:
    """The misconceptions, in their order; raises AssignmentError."""
    bank = _named(assignment.root, given)
    if not isinstance(bank, Sequence) or not all(isinstance(m, Misconception) for m in bank):
        raise AssignmentError(
            f"[verify]: {given!r} is not a sequence of grader.bank.Misconception.",
            "Put the misconceptions into one tuple and name it here.",
        )
    ids = [m.id for m in bank]
    doubled = sorted({id for id in ids if ids.count(id) > 1})
    if doubled:
        raise AssignmentError(f"{given} holds two misconceptions with the id {doubled[0]!r}.", "Rename one.")
    return tuple(bank)


def load_quantities(assignment: Assignment, given: Sequence[str]) -> dict[str, Quantity]:
    """The quantities of all tables named, by id; raises AssignmentError."""
    found: dict[str, Quantity] = {}
    for name in given:
        table = _named(assignment.root, name)
        if not isinstance(table, Mapping):
            raise AssignmentError(f"[verify]: {name!r} is not a mapping of quantities by id.")
        found |= table
    return found


def _named(root: Path, given: str) -> Any:
    module, _, name = given.rpartition(":")
    step = "Write MODULE:NAME, or FILE.py:NAME with the file beside assignment.toml."
    if not module:
        raise AssignmentError(f"[verify]: {given!r} names nothing that can be imported.", step)
    try:
        return getattr(_module(root, module), name)
    except Exception as error:
        raise AssignmentError(
            f"[verify]: {given!r} cannot be imported ({type(error).__name__}: {error}).", step
        ) from error


def _module(root: Path, module: str) -> ModuleType:
    if not module.endswith(".py"):
        return importlib.import_module(module)
    spec = importlib.util.spec_from_file_location(f"verified_{Path(module).stem}", root / module)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found  # dataclasses of the file look themselves up there
    spec.loader.exec_module(found)
    return found
