"""What students get of it: nothing that they must not know, and checks that pass right work and see mistakes."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.distribution.student import student_files
from grader.model import Assignment, Status
from grader.selfcheck.kit import Kit, read_kit
from grader.selfcheck.runs import Runs

ROOT = Path(__file__).parents[3]
SUBMISSIONS = ROOT / "examples" / "language_model"


@pytest.fixture(scope="module")
def kit(language_model: Assignment, tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return dataclasses.replace(
        read_kit(language_model.root / "public", None), work=tmp_path_factory.mktemp("work")
    )


@pytest.fixture(scope="module")
def runs(kit: Kit) -> Iterator[Runs]:
    with Runs(kit, ["torch"]) as runs:
        yield runs


def statuses(runs: Runs, kit: Kit, work: Path) -> dict[str, Status]:
    for old in kit.work.iterdir():
        old.unlink()
    shutil.copytree(work, kit.work, dirs_exist_ok=True)
    return {result.id: result.status for result in runs.run(kit.select())}


def test_the_archive_leaks_nothing(language_model: Assignment) -> None:
    files = student_files(language_model)  # raises where one secret is in it
    assert {"language_model/work/tokenizer.py", "language_model/checks/test_tokenizer.py"} <= set(files)
    assert not any("reference" in name or "solution" in name for name in files)


def test_right_work_passes_the_public_checks(runs: Runs, kit: Kit) -> None:
    assert set(statuses(runs, kit, SUBMISSIONS / "mei").values()) == {Status.PASSED}


def test_mistakes_that_show_without_a_reference_are_seen(runs: Runs, kit: Kit) -> None:
    found = statuses(runs, kit, SUBMISSIONS / "noor")
    failed = {id for id, status in found.items() if status is Status.FAILED}
    assert {"1b.decode", "2c.rope", "3b.steps", "4a.decay", "4b.schedule", "5a.top_p", "5d.padding"} <= failed
    assert found["5c.generate"] is Status.MISSING
    assert found["5b.draw"] is found["4c.clip"] is Status.PASSED
