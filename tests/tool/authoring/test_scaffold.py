"""`grade new` writes all of an assignment or nothing. That it passes `grade verify`: test_tutorial.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from grader import cli, scaffold
from grader.assignment import find_assignment
from grader.checking.marks import misspelt
from grader.errors import UsageError
from grader.exitcode import ExitCode
from grader.model import Assignment


def new(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, ["new", *map(str, arguments)])


def test_it_is_an_assignment_with_a_readme_that_names_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a b" / "my-course"
    result = new(folder, "--title", 'Softmax, "warm"')
    assert result.exit_code == ExitCode.ALL_PASSED
    written = find_assignment(str(folder))
    assert (written.id, written.title) == ("my-course", 'Softmax, "warm"')
    assert f"grade verify '{folder}'" in (folder / "README.md").read_text("utf-8")
    assert result.stdout.splitlines()[0] == str(folder / "README.md")
    assert "@" not in "".join(p.read_text("utf-8") for p in folder.glob("*.*")).replace("@pytest", "")
    assert misspelt(written) == []
    assert [p.name for p in folder.parent.iterdir()] == ["my-course"]


def test_without_a_title_the_name_is_one(written: Assignment) -> None:
    assert written.title == "My course"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("taken", "is there already: nothing was written"),
        ("link", "is there already"),
        ("transformer", "comes with the grader"),
        ("My Course", "no id of an assignment"),
        ("file/inside", "cannot be written"),
    ],
)
def test_what_it_refuses_is_left_as_it_was(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    result = new(tmp_path / name)
    assert result.exit_code == ExitCode.USAGE
    assert message in result.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "link", "taken"]
    assert list((tmp_path / "taken").iterdir()) == []


def test_a_title_is_one_line(tmp_path: Path) -> None:
    assert new(tmp_path / "course", "--title", "a\nb").exit_code == ExitCode.USAGE


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, count = Path.write_text, iter(range(100))

    def full(self: Path, *arguments: object, **more: object) -> int:
        if next(count) == 3:
            raise OSError(28, "No space left on device")
        return real(self, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UsageError, match="No space left on device"):
        scaffold.new_assignment(tmp_path / "course")
    assert list(tmp_path.iterdir()) == []


def test_a_title_reads_back_as_it_was_given(tmp_path: Path) -> None:
    title = "Ünïcode \\ \" ' # = [x]"
    scaffold.new_assignment(tmp_path / "course", title)
    assert find_assignment(str(tmp_path / "course")).title == title
    assert json.dumps(title, ensure_ascii=False) in (tmp_path / "course/assignment.toml").read_text("utf-8")
