"""The assignment that `grade new` writes, once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment import find_assignment
from grader.model import Assignment
from grader.scaffold import new_assignment


@pytest.fixture(scope="session")
def scaffold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder; nobody writes to it."""
    folder = tmp_path_factory.mktemp("scaffold") / "my-course"
    new_assignment(folder)
    return folder


@pytest.fixture(scope="session")
def written(scaffold: Path) -> Assignment:
    """What is declared there."""
    return find_assignment(str(scaffold))
