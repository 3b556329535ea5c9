"""Which public checks `grade check` runs, and on whose work."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import main
from grader.errors import UsageError
from grader.selfcheck.kit import find_kit
from grader.selfcheck.student import sources

ALICE = Path(__file__).parents[3] / "submissions" / "alice"


def unpacked(folder: Path, id: str) -> Path:
    """A kit of students without a check."""
    (folder / "checks").mkdir(parents=True)
    (folder / "work").mkdir()
    (folder / "checks" / "kit.toml").write_text(f'id = "{id}"\ntitle = "{id}"\nwork = "work"\n', "utf-8")
    return folder


def test_the_nearest_kit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the work first, then that of the current folder; only then the one that came with the grader."""
    one, other = unpacked(tmp_path / "one", "one"), unpacked(tmp_path / "other", "other")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(one / "work")
    assert [(kit.id, kit.work) for kit in (find_kit(), find_kit(other), find_kit(elsewhere))] == [
        ("one", one / "work"),
        ("other", other / "work"),
        ("one", elsewhere),
    ]
    monkeypatch.chdir(elsewhere)
    fallback = find_kit()
    assert (fallback.id, fallback.work, fallback.fallback) == ("transformer", elsewhere, True)
    with pytest.raises(UsageError, match="does not exist"):
        find_kit(tmp_path / "nowhere")


def test_it_says_that_the_checks_are_those_of_the_coursework() -> None:
    """Nobody is to take them for those of another assignment."""
    done = CliRunner().invoke(main, ["check", "4c", "--in", str(ALICE)])
    assert done.exit_code == 0
    assert f"There is no student kit in {ALICE} or above it" in done.stderr
    assert "1 public check passed." in done.stdout


@pytest.mark.parametrize(
    ("name", "step"), [("2e", "Known: 2a, 2b, "), ("2c.maskd", "'2c.masked'"), ("masked", "'2c.masked'")]
)
def test_an_unknown_name_is_answered_with_the_nearest_or_the_parts(name: str, step: str) -> None:
    done = CliRunner().invoke(main, ["check", name, "--in", str(ALICE)])
    assert done.exit_code == 2
    assert step in done.stderr
    assert "2c.self" not in done.stderr


def test_an_environment_in_the_work_is_no_work(tmp_path: Path) -> None:
    """Under any name; the installed tool, too, defines what is asked for."""
    for name in ("a.py", "part2/b.py", "env/lib/site-packages/grader/a.py", "packed/site-packages/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "env" / "pyvenv.cfg").touch()
    assert list(sources(tmp_path)) == ["a.py", "part2/b.py"]
