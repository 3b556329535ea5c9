"""What a class is rehearsed with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader.assignment import load_assignment, select
from grader.checking.warm import Rehearsal
from grader.classroom import rehearsals as module
from grader.classroom.rehearsals import rehearsals
from grader.model import Assignment
from reference.transformer.misconceptions import BANK


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment()


def changed(one: Rehearsal, other: Rehearsal) -> list[str]:
    before = {file.path: file.content for file in other.submission.files}
    return [file.path for file in one.submission.files if file.content != before[file.path]]


def test_the_model_solution_comes_first_and_then_what_fails_most(assignment: Assignment) -> None:
    selected = select(assignment, parts=["2", "4"])
    right, *wrong = rehearsals(assignment, selected, wrong=True)
    assert tuple(right.checks) == tuple(selected)
    assert [sorted(changed(one, right)) for one in wrong] == [
        ["answers.toml", "attention.py"],
        ["attention.py"],
    ]
    failed = [{check.part for check in one.checks} for one in wrong]
    assert "2c" in failed[0]
    assert "2d" in failed[1]


def test_two_mistakes_are_made_at_once(assignment: Assignment) -> None:
    _, first, *_ = rehearsals(assignment, select(assignment, parts=["2"]), wrong=True)
    code = next(f.content.decode() for f in first.submission.files if f.path == "attention.py")
    edits = [[e for e in m.edits if e.file == "attention.py"] for m in BANK]
    assert sum(bool(each) and all(e.new in code and e.old not in code for e in each) for each in edits) >= 2


def test_few_hand_ins_are_rehearsed_with_a_right_one_alone(assignment: Assignment) -> None:
    assert len(rehearsals(assignment, select(assignment, parts=["2"]), wrong=False)) == 1


def test_what_trains_models_is_not_done_wrong_first(assignment: Assignment) -> None:
    _, *wrong = rehearsals(assignment, assignment.checks, wrong=True)
    assert wrong
    assert all(check.timeout_s <= module._QUICK_S for one in wrong for check in one.checks)


def test_a_bank_that_no_longer_fits_is_left_to_verify(
    assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    outdated = [
        replace(m, edits=tuple(replace(e, old="no such line") for e in m.edits)) for m in BANK if m.edits
    ]
    monkeypatch.setattr(module, "load_bank", lambda assignment, given: outdated)
    assert len(rehearsals(assignment, select(assignment, parts=["2"]), wrong=True)) == 1


def test_without_a_model_solution_there_is_nothing(assignment: Assignment, tmp_path: Path) -> None:
    (tmp_path / "assignment.toml").write_text('id = "own"\n')
    assert rehearsals(replace(assignment, root=tmp_path), assignment.checks, wrong=True) == []
