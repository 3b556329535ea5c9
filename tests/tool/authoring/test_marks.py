"""What an author misspells is named with the nearest that exists, before anything runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.assignment import bundled, find_assignment
from grader.checking.marks import FIXTURES, misspelt
from grader.checking.plugin import ChecksPlugin
from grader.errors import AssignmentError
from grader.verify import verify

FILE = "test_1_softmax.py"


@pytest.mark.parametrize("id", bundled())
def test_the_bundled_assignments_have_nothing_misspelt(id: str) -> None:
    assert misspelt(find_assignment(id)) == []


def test_every_fixture_of_the_plugin_is_known() -> None:
    names = {getattr(getattr(ChecksPlugin, name), "name", None) for name in dir(ChecksPlugin)} - {None}
    assert names | {"number", "prose_check"} == set(FIXTURES)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('mark.check("1a.values")', 'mark.chek("1a.values")', "no mark 'chek'. Did you mean 'check'?"),
        ('"1a.large"', '"1a.lagre"', "declares no check '1a.lagre'. Did you mean '1a.large'?"),
        ("student: Student, compare: Compare) -> None:\n    check", "studnet, compare) -> None:\n    check",
         "line 19: there is no fixture 'studnet'. Did you mean 'student'?"),
        ('@pytest.mark.check("1a.large")\n', "", "test_large judges no check"),
        ("def test_large", "def large", "No test judges the check '1a.large'."),
        ('"1a.large"', '"1a.values"', "Two tests judge the check '1a.values'."),
        ("def test_large(", "def test_large((", "line 19: this is not Python"),
    ],
)  # fmt: skip
def test_it_is_named(old: str, new: str, sentence: str, scaffold: Path, tmp_path: Path) -> None:
    root = tmp_path / "my-course"
    shutil.copytree(scaffold, root)
    text = (root / FILE).read_text("utf-8")
    assert text.count(old) == 1
    (root / FILE).write_text(text.replace(old, new), "utf-8")
    found = misspelt(find_assignment(str(root)))
    assert any(sentence in problem for problem in found), found
    with pytest.raises(AssignmentError, match=r"docs/authoring\.md"):
        verify(find_assignment(str(root)), jobs=1)


def test_a_files_own_fixtures_and_parameters_are_no_mistake(scaffold: Path, tmp_path: Path) -> None:
    root = tmp_path / "my-course"
    shutil.copytree(scaffold, root)
    more = """

@pytest.fixture(name="sizes")
def _sizes() -> list[int]:
    return [1]


@pytest.mark.parametrize("a, b", [(1, 2)])
@pytest.mark.check("1a.large")
def test_large(check, student, request, sizes, a, b) -> None:
    pass
"""
    text = (root / FILE).read_text("utf-8")
    (root / FILE).write_text(text[: text.index('@pytest.mark.check("1a.large")')] + more, "utf-8")
    assert misspelt(find_assignment(str(root))) == []
