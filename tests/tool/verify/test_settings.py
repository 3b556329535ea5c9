"""The table [verify] is read strictly, and its mistakes are told to its author."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment import find_assignment, select
from grader.errors import AssignmentError
from grader.intake import read_submission
from grader.starter import write_starter
from grader.verify import verify
from grader.verify.settings import Settings, read_settings

from .conftest import POCKET, Weaken

TOML = "assignment.toml"


def settings_of(root: object, **options: int) -> Settings:
    assignment = find_assignment(str(root))
    return read_settings(assignment, select(assignment), **options)


def test_declared_groups_come_first_and_the_rest_is_grouped_by_section() -> None:
    groups = settings_of(POCKET).groups
    assert [[check.id for check in group.checks] for group in groups] == [
        ["1b.entropy"],
        ["2a.loss"],
        ["1a.softmax", "1a.large"],
    ]
    assert [(group.seeds, group.seeds_each, group.reads) for group in groups] == [
        (2, 1, ("work.py",)),
        (3, 1, ("answers.toml",)),
        (3, 1, None),
    ]
    assert [group.name for group in groups] == ["1b.entropy", "2a.loss", "1a.softmax and 1 more"]


@pytest.mark.parametrize(
    ("options", "seeds"),
    [
        ({"seeds": 1}, [1, 1, 1]),
        ({"seeds": 7}, [2, 7, 7]),
        ({"slow_seeds": 9}, [9, 3, 3]),
        ({"seeds": 1, "slow_seeds": 4}, [4, 1, 1]),
    ],
)
def test_the_number_of_seeds_can_be_chosen(options: dict[str, int], seeds: list[int]) -> None:
    assert [group.seeds for group in settings_of(POCKET, **options).groups] == seeds


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('solution = "solution"', 'solutions = "solution"', "There is no key 'solutions'. Did you mean 'solution'?"),
        ('solution = "solution"', 'solution = "elsewhere"', "is no folder"),
        ('bank = "bank.py:BANK"\n', "", "'bank' must be a text"),
        ("seeds = 3\n", "seeds = 0\n", "must be a whole number from 1 on"),
        ('checks = ["2a.*"]', 'checks = ["3a.*"]', "no check matches '3a.*'"),
        ('checks = ["2a.*"]', 'checks = ["1b.*"]', "1b.entropy is in two groups"),
        ('checks = ["2a.*"]', "checks = []", "it names no check"),
        ('why = "It stands for a slow one."\n', "", "'why' must be a text"),
        ('id = "1b.entropy"\n', 'id = "1b.entropy"\ndepends_on = ["1a.softmax"]\n', "which is in another group"),
        ("[verify]\n", "[verification]\n", "There is no key 'verification'"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused(old: str, new: str, message: str, weakened: Weaken) -> None:
    with pytest.raises(AssignmentError, match=message.replace("*", r"\*")):
        settings_of(weakened((TOML, old, new)))


def test_an_assignment_without_the_table_says_what_to_add(weakened: Weaken) -> None:
    root = weakened()
    text = (root / TOML).read_text(encoding="utf-8")
    (root / TOML).write_text(text[: text.index("[verify]")], encoding="utf-8")
    with pytest.raises(AssignmentError, match=r"Add a table \[verify\]"):
        settings_of(root)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("bank.py:BANK", "bank.py", "names nothing that can be imported"),
        ("bank.py:BANK", "bank.py:BANKS", "cannot be imported"),
        ("bank.py:BANK", "bank.py:Edit", "is not a sequence of grader.bank.Misconception"),
        ("quantities.py:QUANTITIES", "quantities.py:LOSS", "is not a mapping of quantities"),
        ('quantities = ["quantities.py:QUANTITIES"]\n', "", "its number declaration cannot be used"),
    ],
)
def test_what_the_table_names_has_to_be_there(old: str, new: str, message: str, weakened: Weaken) -> None:
    root = weakened((TOML, old, new))
    with pytest.raises(AssignmentError, match=message):
        verify(find_assignment(str(root)), ["2a"], seeds=1, jobs=1)


def test_two_misconceptions_of_one_id_are_refused(weakened: Weaken) -> None:
    root = weakened(("bank.py", 'belief("sign"', 'belief("bits"'))
    with pytest.raises(AssignmentError, match="two misconceptions with the id 'bits'"):
        verify(find_assignment(str(root)), jobs=1)


def test_a_variant_of_no_file_is_refused(weakened: Weaken) -> None:
    root = weakened()
    (root / "variants" / "work").rename(root / "variants" / "works")
    with pytest.raises(AssignmentError, match=r"a file works\.py, and the model solution has 0 of that name"):
        verify(find_assignment(str(root)), jobs=1)


def test_the_coursework_declares_the_starter_as_init_writes_it(tmp_path: Path) -> None:
    assignment = find_assignment("transformer")
    starter = read_settings(assignment, assignment.checks).starter
    assert starter is not None
    write_starter(tmp_path / "kit")
    assert read_submission(starter).sha256 == read_submission(tmp_path / "kit").sha256


def test_every_automatic_check_of_the_coursework_is_in_one_group() -> None:
    assignment = find_assignment("transformer")
    grouped = [c.id for group in read_settings(assignment, assignment.checks).groups for c in group.checks]
    assert sorted(grouped) == sorted(check.id for check in assignment.checks if not check.review)
