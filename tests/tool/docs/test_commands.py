"""Every command of the documentation: each is one that the program knows, and each is run.

A page is followed from its first block to its last, in a shell, in a folder as its reader has it. What takes
seconds is left to DOCS_WHOLE=1, which runs it all; what cannot be run here is listed with its reason.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from grader.cli import main
from tests.tool.docs.course import make_course, program, shell

REPOSITORY = Path(__file__).resolve().parents[3]
README = REPOSITORY / "README.md"
ROOT_PAGES = ("CONTRIBUTING.md", "examples/README.md", "submissions/README.md")
PAGES = [README, *(REPOSITORY / name for name in ROOT_PAGES), *sorted((REPOSITORY / "docs").rglob("*.md"))]
ELSEWHERE = {
    "tutorial-author.md": "tests/tool/authoring/test_tutorial.py",
    "slurm.md": "tests/tool/distribution/test_deploy.py",
}
"""Pages with a test of their own, which runs all that can be run of them."""
_INSTALLS = "it installs, from the package index; "
NOT_RUN = {
    "scripts/setup": _INSTALLS + ".ci/run does it",
    "scripts/quickstart": _INSTALLS + ".ci/run does it",
    "scripts/check": ".ci/run does it",
    "scripts/test": "this is one of its tests",
    "scripts/bench": "minutes; .ci/run does it in small",
    "scripts/mutate": "minutes; tests/tool/mutation runs ten mutants",
    "scripts/mutate --module attention": "the same",
    "scripts/mutate --verbose": "the same",
    "scripts/measure_reports": "tests/tool/test_documents.py holds what it measures",
    "pip install -e '.[mutation]'": _INSTALLS + "scripts/setup does it",
    "pipx install ./transformer_grader-0.1.0-py3-none-any.whl": _INSTALLS
    + "tests/tool/test_installation.py unpacks it",
    'pip install "tool/transformer_grader_student-0.1.0-py3-none-any.whl[coursework]"': _INSTALLS
    + "tests/tool/distribution/test_student_archive.py unpacks it",
    "AUTOGRADER_ROOT=$PWD/ag ag/source/setup.sh": _INSTALLS
    + "tests/tool/distribution/test_gradescope.py gives it what is installed",
    "AUTOGRADER_ROOT=$PWD/ag ag/run_autograder": "it needs what setup.sh installs; the same test",
    "cat ag/results/results.json": "the same",
    'eval "$(_GRADE_COMPLETE=zsh_source grade)"': "for another shell",
    "_GRADE_COMPLETE=fish_source grade | source": "for another shell",
    "python -m hatchling build -t wheel -d image": "it writes into the checkout; test_installation.py builds too",
    "cp templates/deploy/docker/Dockerfile image/": "the same",
    "docker build -t grader image": "there is no Docker here",
    "docker run --rm grader": "there is no Docker here",
    'docker run --rm -v "$PWD/submissions:/submissions:ro" -v "$PWD/reports:/reports" '
    "grader /submissions/alice --out /reports/alice": "there is no Docker here",
    "gh classroom clone student-repos -a ASSIGNMENT-ID": "it asks GitHub",
    "dask scheduler": "it does not end; tests/tool/cluster starts one",
    'dask worker tcp://10.0.0.1:8786 --nthreads 8 --resources "grader=8"': "the same, and the address is an example",
    "grade submissions.zip --cluster tcp://10.0.0.1:8786": "the same",
    "python -m scripts.messages --new fr": "it writes into the checkout; tests/tool/languages reads what it makes",
    "grade submissions/slips --lang fr": "it needs that language, filled in by a person",
    "grade review": "it waits for a browser; tests/tool/review drives it with one",
    "grade verify": "minutes; with --part 2c it is run, and tests/tool/verify proves it claim by claim",
    "grade verify --json > proof.json": "the same",
    "grade verify language_model": "minutes; tests/tool/language_model tries each mistake",
    "grade assets fetch": "it asks the hub; tests/tool/test_assets.py has one of its own",
    "grade assets fetch ag_news": "the same",
    "grade assets fetch --from /mnt/class": "the folder is an example; the same test has one",
    "grade reference --run 3b --model MODEL --data FOLDER --seed 1": "words for the reader's own; it is run without",
}
QUICK = re.compile(r"^grade ((list|init|new|import|book|diff|export|class|assets)\b|reference$)|--list$")
WHOLE = "DOCS_WHOLE" in os.environ
PROGRAMS = ("languages.md", "lms.md", "report.md")
"""Pages with programs; what other pages show in Python is a part of something else, or run by a test of its own."""
_PROGRAM = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)


def commands(block: str) -> list[str]:
    """Each command line of it, without its remark."""
    lines = re.sub(r"\\\n\s*", "", block).splitlines()
    parts = (part.strip() for line in lines for part in re.sub(r"\s+#.*|^#.*", "", line).split("&&"))
    return [part for part in parts if part]


def blocks(page: Path) -> Iterator[list[str]]:
    """Those for a shell."""
    for block in _BLOCK.findall(page.read_text("utf-8")):
        yield commands(block)


EVERY = sorted({command for page in PAGES for block in blocks(page) for command in block})
GRADES = [command for command in EVERY if command.startswith("grade ")]


def due(page: Path) -> list[list[str]]:
    """Its blocks, with the commands that this run carries out."""
    if page.name in ELSEWHERE:
        return []
    explained = set()
    if page == README:  # it names what the pages explain: what takes seconds is run there
        explained = {one for other in PAGES if other != page for block in blocks(other) for one in block}
    chosen = [
        [
            one
            for one in block
            if one not in NOT_RUN and (QUICK.search(one) or (WHOLE and one not in explained))
        ]
        for block in blocks(page)
    ]
    return [block for block in chosen if block]


def programs(page: Path) -> list[str]:
    """Those in Python that are shown whole."""
    return _PROGRAM.findall(page.read_text("utf-8")) if WHOLE and page.name in PROGRAMS else []


@pytest.mark.parametrize("command", GRADES)
def test_the_program_knows_it(command: str) -> None:
    """With these options and arguments; nothing is carried out."""
    words = shlex.split(command.partition(">")[0])[1:]
    known: click.Command = main
    context = click.Context(main, info_name="grade")
    while isinstance(known, click.Group) and words and not words[0].startswith("-"):
        name, found, words = known.resolve_command(context, words)
        assert found is not None, name
        known, context = found, click.Context(found, info_name=name, parent=context)
    known.make_context("grade", list(words))


def test_scripts_that_are_named_are_there() -> None:
    named = {command.split()[0] for command in EVERY if command.startswith("scripts/")}
    assert named
    assert [name for name in named if not os.access(REPOSITORY / name, os.X_OK)] == []


def test_every_reason_for_not_running_is_of_a_command_that_is_there() -> None:
    assert set(NOT_RUN) - set(EVERY) == set()
    assert set(ELSEWHERE) - {page.name for page in PAGES} == set()
    assert [test for test in ELSEWHERE.values() if not (REPOSITORY / test).is_file()] == []


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_course(tmp_path_factory.mktemp("course"), whole=WHOLE)


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if due(page) or programs(page)],
    ids=lambda page: str(page.relative_to(REPOSITORY)),
)
def test_what_the_page_shows_runs(page: Path, course: Path, tmp_path: Path) -> None:
    """One command after the other, in a folder of the page's own."""
    folder = tmp_path / "reader"
    shutil.copytree(course, folder, symlinks=True)
    for block in due(page):
        shell(folder, block)
    for source in programs(page):
        program(folder, source)
