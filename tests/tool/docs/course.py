"""A folder as the reader of a page has it, and a shell in which the page's commands are typed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from scripts.make_class import write_roster, write_zip
from tests.tool.importing.notebooks import nbgraders
from tests.tool.importing.test_otter import OK
from tests.tool.notebooks import notebook

REPOSITORY = Path(__file__).resolve().parents[3]
ALICE = REPOSITORY / "submissions" / "alice"
TRAINING = "finetune.py"
"""Left out of hand-ins: what it costs to run is no matter of the pages, and is judged in other tests."""
KIT = 'id = "my-assignment"\ntitle = "My assignment"\nwork = "work"\n'
PUBLIC_CHECK = '''import pytest
from grader.checking.outcomes import Failed


@pytest.mark.check("1a.values")
def test_one(student):
    """A row of softmax sums to 1"""
    if not callable(student.softmax):
        raise Failed("softmax is no function.", "Write it with def.")
'''
_MARK = "\x1e"
_WELL = {True: "0|1|3", False: "0"}
"""What a command may end with where it did its work: `grade` says by its exit code what came out."""


def make_course(folder: Path, whole: bool) -> Path:
    """Downloads, a roster, and a class that was graded twice; `whole`: also what is handed in, to be graded."""
    write_zip(folder / "submissions.zip", 3, seed=1)
    with zipfile.ZipFile(folder / "submissions.zip", "a") as archive:
        archive.write(ALICE / "answers.toml", "doejane_40117_800001_answers.toml")
    write_roster(folder / "gradebook.csv", 3, seed=1)
    for seed in (1, 2):
        shell(folder, [f"grade submissions.zip --part 4 --force --jobs 1 --seed {seed}"])
    shutil.copytree(REPOSITORY / "examples", folder / "examples")
    shutil.copy(REPOSITORY / "examples" / "canvas.zip", folder)
    nbgraders(folder / "hw1.ipynb")
    (folder / "tests").mkdir()
    (folder / "tests" / "q1.py").write_text(OK, "utf-8")
    if whole:
        _hand_ins(folder)
    return folder


def _hand_ins(folder: Path) -> None:
    for student in ("alice", "empty"):
        shutil.copytree(
            ALICE.parent / student, folder / "submissions" / student, ignore=shutil.ignore_patterns(TRAINING)
        )
    attention = notebook((ALICE / "attention.py").read_text("utf-8"))
    (folder / "a3.ipynb").write_bytes(attention)
    shutil.copy(REPOSITORY / "examples" / "written" / "deniz.pdf", folder / "report.pdf")
    clones = folder / "the-folder-of-clones"
    with tarfile.open(REPOSITORY / "examples" / "github-classroom.tar.gz") as archive:
        archive.extractall(clones, filter="data")
    for file in clones.rglob(TRAINING):
        file.unlink()
    _thin(folder / "canvas.zip")
    collected = folder / "submitted" / "jane" / "ps1"
    collected.mkdir(parents=True)
    (collected / "ps1.ipynb").write_bytes(attention)
    shell(folder, ["grade new my-assignment", "grade submissions/alice --part 4", "grade dist"])
    public = folder / "my-assignment" / "public"
    public.mkdir()
    (public / "kit.toml").write_text(KIT, "utf-8")
    (public / "test_one.py").write_text(PUBLIC_CHECK, "utf-8")
    (folder / "course").mkdir()


def _thin(path: Path) -> None:
    """Leave in a download what is judged without training."""
    with zipfile.ZipFile(path) as archive:
        kept = {
            name: archive.read(name) for name in archive.namelist() if name.endswith((".toml", "_text.html"))
        }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)


def shell(folder: Path, commands: Sequence[str]) -> None:
    """Type them into one shell in this folder; each has to end well, and `grade` to say something."""
    script = "".join(
        f"printf '{_MARK}%s\\n' {shlex.quote(command)}\n{_placed(command)}\n"
        f"code=$?; case $code in {_WELL[_grades(command)]}) ;; *) exit $code ;; esac\n"
        for command in commands
    )
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for said in done.stdout.split(_MARK)[1:]:
        command, _, rest = said.partition("\n")
        assert rest.strip() or not _grades(command), f"{command} said nothing"


def program(folder: Path, source: str) -> None:
    """Run a program of a page."""
    done = subprocess.run([sys.executable, "-c", source], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _grades(command: str) -> bool:
    return "grade" in command.split()


def _placed(command: str) -> str:
    """A script of the checkout is started there."""
    return (
        f"(cd {shlex.quote(str(REPOSITORY))} && {command})"
        if command.startswith("python -m scripts.")
        else command
    )


def _environment() -> dict[str, str]:
    """With the tests' own `grade` and `python`, and a name for git."""
    names = {
        f"GIT_{who}_{what}": "docs@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **names, "PATH": path, "GIT_CONFIG_GLOBAL": os.devnull}
