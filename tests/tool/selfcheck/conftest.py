"""One warm process for every test that runs public checks."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from grader.assignment import load_assignment
from grader.selfcheck.kit import Kit, read_kit
from grader.selfcheck.result import Result
from grader.selfcheck.runs import Runs

ROOT = Path(__file__).parents[3]
ALICE = ROOT / "submissions" / "alice"
PUBLIC = load_assignment().root / "public"


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """The bundled public checks, on a folder that the tests fill."""
    return dataclasses.replace(read_kit(PUBLIC, None), work=tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="session")
def runs(kit: Kit) -> Iterator[Runs]:
    with Runs(kit, ["torch", "transformers", "datasets"]) as runs:
        yield runs


@pytest.fixture
def alice(kit: Kit) -> Path:
    """The work is a copy of Alice's, which is right."""
    for old in kit.work.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    shutil.copytree(ALICE, kit.work, dirs_exist_ok=True)
    return kit.work


@pytest.fixture
def run(kit: Kit, runs: Runs) -> Callable[..., Mapping[str, Result]]:
    """run("2c", "2d"): the results of these, by id."""

    def run(*names: str) -> Mapping[str, Result]:
        return {result.id: result for result in runs.run(kit.select(names))}

    return run
