"""The grader itself as a wheel, made of what is installed here: with every assignment and its secrets."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

from grader import __version__
from grader.distribution.wheel import Wheel
from grader.errors import GraderError
from grader.model import Assignment
from grader.paths import PACKAGE, data_root

PROJECT = "transformer-grader"
_MADE = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"}


def whole_wheel(assignment: Assignment) -> Wheel:
    """The grader with the assignments that it knows and `assignment`, which may lie anywhere.

    Raises GraderError where the grader is not installed, so that its requirements are not known.
    """
    try:
        declared, extras = requires(PROJECT) or [], metadata(PROJECT).get_all("Provides-Extra") or []
    except PackageNotFoundError:
        raise GraderError(f"{PROJECT} is not installed.", "pip install it, then build the archive.") from None
    root = data_root()
    files = {
        f"grader/{name}": data for name, data in tree(PACKAGE).items() if not name.startswith("_bundled/")
    }
    places = {"templates": root / "templates", "reference": root / "reference"}
    for folder in (root / "tests").iterdir():
        if (folder / "assignment.toml").is_file():
            places[f"tests/{folder.name}"] = folder
    places[f"tests/{assignment.id}"] = assignment.root
    reference = assignment.root.parent.parent / "reference" / assignment.id
    if reference.is_dir():
        places[f"reference/{assignment.id}"] = reference
    for name, place in places.items():
        files |= {f"grader/_bundled/{name}/{path}": data for path, data in tree(place).items()}
    return Wheel(
        name=PROJECT,
        version=__version__,
        summary="Grades coursework: checks against a reference, run on sealed student code.",
        files=files,
        requires=declared,
        extras=extras,
        entry_points={
            "console_scripts": {"grade": "grader.cli:program"},
            "pytest11": {"grade-check": "grader.selfcheck.pytest_entry"},
        },
    )


def tree(root: Path) -> dict[str, bytes]:
    """The files below a folder, POSIX path -> content, without what running and testing leave there."""
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in sorted(root.rglob("*"))
        if file.is_file()
        and not _MADE & set(file.relative_to(root).parts)
        and not any(part.startswith(".") for part in file.relative_to(root).parts)
    }
