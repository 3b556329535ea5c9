"""What an assignment brings along beside assignment.toml: the bank of misconceptions, the tables of quantities.

The table [verify] names each as MODULE:NAME, or as FILE.py:NAME with the file beside assignment.toml.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from grader.bank import Misconception
from grader.errors import AssignmentError
from grader.model import Assignment
from grader.numbers import Quantity


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
    spec = importlib.util.spec_from_file_location(f"beside_{Path(module).stem}", root / module)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found  # dataclasses of the file look themselves up there
    spec.loader.exec_module(found)
    return found
