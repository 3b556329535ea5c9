"""Every command of the documentation: each is one that the program knows, and each is run.

The slow ones are run with DOCS_WHOLE=1 (minutes); the others always. What cannot be run here is listed with its reason.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from grader.cli import main as program
from scripts.make_class import write_roster, write_zip
from tests.tool.importing.notebooks import nbgraders
from tests.tool.importing.test_otter import OK

REPOSITORY = Path(__file__).resolve().parents[3]
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)
NOT_RUN = {
    "grade review": "it waits for a browser; tests/tool/review drives it with one",
    "grade verify": "minutes; with --part 2c it is run",
    "grade verify --json > proof.json": "the same",
    "grade verify path/to/tests/my-course": "there is none; tests/tool/verify proves others",
    "grade assets fetch": "it asks the hub; tests/tool/test_assets.py has one of its own",
    "grade assets fetch ag_news": "the same",
    "grade assets fetch --from /mnt/class": "the same",
    "grade reference --run 3b": "it needs the real model",
    "grade reference --run 3d --out run": "the same",
    "grade reference --run 3b --model MODEL --data FOLDER --seed 1": "the same",
    "grade submissions.zip --cluster tcp://10.0.0.1:8786": "an address of an example",
    "grade diff 3 7": "there are no seven runs; without numbers it is run",
    "grade dist my-assignment/": "an assignment of an example",
    "grade my-work --assignment my-course --part 2a": "tests/tool/authoring/test_tutorial.py runs the whole page",
    "grade verify my-course --part 2a": "the same",
    "grade book doe_1042": "a student of an example",
}
QUICK = re.compile(r"^grade (list|init|new|import|reference|book|diff|export|class|assets)\b|--list$")
WHOLE = "DOCS_WHOLE" in os.environ
GOOD = {0, 1, 3}
"""What `grade` may end with where it did its work."""


def commands(page: Path) -> Iterator[str]:
    """Each command line of the page, without its remark."""
    for block in _BLOCK.findall(page.read_text("utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.sub(r"\s+#.*|^#.*", "", line).split("&&"):
                if part.strip():
                    yield part.strip()


EVERY = [(page, command) for page in PAGES for command in commands(page)]
GRADES = sorted({command for _, command in EVERY if command.startswith("grade ")})


@pytest.mark.parametrize("command", GRADES)
def test_the_program_knows_it(command: str) -> None:
    """With these options and arguments; nothing is carried out."""
    words = shlex.split(command.partition(">")[0])[1:]
    known: click.Command = program
    context = click.Context(program, info_name="grade")
    while isinstance(known, click.Group) and words and not words[0].startswith("-"):
        name, found, words = known.resolve_command(context, words)
        assert found is not None, name
        known, context = found, click.Context(found, info_name=name, parent=context)
    known.make_context("grade", list(words))


def test_scripts_that_are_named_are_there() -> None:
    named = {command.split()[0] for _, command in EVERY if command.startswith("scripts/")}
    assert named
    assert [name for name in named if not os.access(REPOSITORY / name, os.X_OK)] == []


def test_every_reason_for_not_running_is_of_a_command_that_is_there() -> None:
    assert set(NOT_RUN) - set(GRADES) == set()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the pages think of one: hand-ins, downloads, a roster, and a class that was graded twice."""
    folder = tmp_path_factory.mktemp("course")
    for student in ("alice", "empty"):
        shutil.copytree(REPOSITORY / "submissions" / student, folder / "submissions" / student)
    for name in ("canvas.zip", "moodle.zip"):
        shutil.copy(REPOSITORY / "examples" / name, folder)
    shutil.copy(REPOSITORY / "submissions" / "notebook" / "a3.ipynb", folder)
    shutil.copy(REPOSITORY / "submissions" / "written" / "deniz.pdf", folder / "report.pdf")
    write_zip(folder / "submissions.zip", 3, seed=1)
    write_roster(folder / "gradebook.csv", 3, seed=1)
    for _ in range(2):
        ran(folder, "grade submissions.zip --part 4 --force")
    (folder / "course").mkdir()
    (folder / "course.toml").write_text('attempts = "best"\n', "utf-8")
    ran(folder, "grade init my-work")
    ran(folder, "grade new my-course")
    nbgraders(folder / "hw1.ipynb")
    (folder / "tests").mkdir()
    (folder / "tests" / "q1.py").write_text(OK, "utf-8")
    return folder


def ran(folder: Path, command: str) -> str:
    """What the command printed; it has to end well."""
    words = [sys.executable, "-m", "grader", *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    assert done.returncode in GOOD, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("command", [c for c in GRADES if c not in NOT_RUN and (WHOLE or QUICK.search(c))])
def test_it_runs(command: str, course: Path) -> None:
    if command.startswith(("grade init", "grade new")):
        shutil.rmtree(course / command.split()[2], ignore_errors=True)
    if command.startswith("grade import"):
        shutil.rmtree(course / "hw1", ignore_errors=True)
    assert ran(course, command)
