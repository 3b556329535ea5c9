"""Where modules that [verify] names are looked for while an assignment is proved."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.model import Assignment
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
