"""Each wrong belief about figures costs points in the checks that it names, and in no other of the figures' checks."""

from __future__ import annotations

import pytest

from grader.bank import Misconception
from grader.model import Status
from grader.paths import data_root
from reference.transformer.misconceptions import BANK
from reference.transformer.misconceptions.figures import BANK as FIGURES
from tests.tool.conftest import GradeFiles

SOLUTION = data_root() / "reference" / "transformer" / "solution"
CHECKS = ["3b.reported", "3b.bar", "3b.checkpoint", "3d.reported", "3d.bar", "3d.checkpoint"]


@pytest.mark.parametrize("misconception", FIGURES, ids=lambda m: m.id)
def test_it_costs_what_it_says(misconception: Misconception, grade_files: GradeFiles) -> None:
    files = {f"results/{p.name}": p.read_text(encoding="utf-8") for p in (SOLUTION / "results").iterdir()}
    for edit in misconception.edits:
        assert files[edit.file].count(edit.old) == 1
        files[edit.file] = files[edit.file].replace(edit.old, edit.new)
    results = grade_files(files, CHECKS)
    assert {id for id, result in results.items() if result.status is not Status.PASSED} == set(
        misconception.checks
    )


def test_they_are_in_the_bank() -> None:
    assert set(FIGURES) < set(BANK)
