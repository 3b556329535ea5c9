"""The wheel and the source archive: they hold what grading needs, and grade from where pip puts them."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build(source: Path, out: Path, *kinds: str) -> None:
    """By the build backend itself, which needs no network."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(out), *(f"-t={kind}" for kind in kinds)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(wheel, source archive)"""
    out = tmp_path_factory.mktemp("built")
    build(ROOT, out, "sdist", "wheel")
    return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def site(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder on Python's path with the wheel's files, as pip leaves them."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(built[0]) as wheel:
        wheel.extractall(folder)
    return folder


def run(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "grader", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_grades_by_itself(site: Path, tmp_path: Path) -> None:
    bundled = site / "grader" / "_bundled"
    assert (bundled / "tests" / "transformer" / "assignment.toml").is_file()
    assert (bundled / "reference" / "transformer" / "attention.py").is_file()
    assert not (bundled / "tests" / "tool").exists()
    done = run(site, tmp_path, str(ROOT / "submissions" / "alice"), "--part", "4c", "--part", "4d")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "reports" / "alice" / "report.html").read_text(encoding="utf-8")
    assert "Parameters of the feed-forward layers" in page
    assert run(site, tmp_path, "init", "mine").returncode == 0
    assert (tmp_path / "mine" / "attention.py").is_file()


def test_the_wheel_is_the_same_from_the_source_archive(built: tuple[Path, Path], tmp_path: Path) -> None:
    """So the source archive lacks nothing, and two builds differ in no byte."""
    with tarfile.open(built[1]) as archive:
        if hasattr(tarfile, "data_filter"):  # Debian 12's Python is from before there were filters
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(tmp_path)
    (source,) = tmp_path.iterdir()
    build(source, tmp_path / "again", "wheel")
    (again,) = (tmp_path / "again").iterdir()
    with zipfile.ZipFile(built[0]) as one, zipfile.ZipFile(again) as two:
        assert sorted(one.namelist()) == sorted(two.namelist())
        differing = [name for name in one.namelist() if one.read(name) != two.read(name)]
    assert differing == []
    assert built[0].read_bytes() == again.read_bytes()


def test_nothing_that_was_made_by_running_it_is_packed(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        names = wheel.namelist()
    with tarfile.open(built[1]) as archive:
        names += archive.getnames()
    assert [n for n in names if "__pycache__" in n or n.endswith((".pyc", ".sqlite")) or "/.venv" in n] == []
