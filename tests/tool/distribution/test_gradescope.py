"""The autograder for Gradescope, run as its harness runs one, in a tree laid out as its harness does."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from grader.distribution.gradescope import SCRIPTS, autograder
from grader.errors import UnknownName
from grader.model import Assignment

SUBMISSIONS = Path(__file__).parents[3] / "submissions"
Run = Callable[[Path], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def harness(assignment: Assignment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/autograder, after the image was built: source/ unpacked, setup.sh run, run_autograder copied up.

    pip has no network here, so it installs the wheel alone; the packages that it needs are those of the tests.
    """
    root = tmp_path_factory.mktemp("autograder")
    with zipfile.ZipFile(io.BytesIO(autograder(assignment, ["4c", "2d"]))) as archive:
        archive.extractall(root / "source")
        modes = {member.filename: member.external_attr >> 16 for member in archive.infolist()}
    assert all(modes[name] & stat.S_IXUSR for name in SCRIPTS)
    for name in SCRIPTS:
        (root / "source" / name).chmod(0o755)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "AUTOGRADER_ROOT": str(root),
        "GRADE_BASE_PYTHON": sys.executable,
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
    }
    subprocess.run(
        [root / "source" / "setup.sh"], env=environment, check=True, capture_output=True, text=True
    )
    site = next((root / "venv" / "lib").glob("python*/site-packages"))
    here = Path(sysconfig.get_path("purelib"))
    (site / "packages_of_the_tests.pth").write_text(f"{here}\n", encoding="utf-8")
    for more in here.glob("*.pth"):  # as where the tests' environment borrows from another one
        shutil.copy(more, site)
    shutil.copy2(root / "source" / "run_autograder", root)
    return root


@pytest.fixture
def run(harness: Path) -> Run:
    """run(folder): its files are the submission."""

    def run(folder: Path, *, metadata: Sequence[str] = ("Alice",)) -> subprocess.CompletedProcess[str]:
        shutil.rmtree(harness / "submission", ignore_errors=True)
        shutil.rmtree(harness / "results", ignore_errors=True)
        shutil.copytree(folder, harness / "submission")
        (harness / "results").mkdir()
        users = [{"name": name, "email": f"{name}@example.edu"} for name in metadata]
        (harness / "submission_metadata.json").write_text(json.dumps({"id": 1, "users": users}))
        environment = {"PATH": os.environ["PATH"], "HOME": str(harness), "AUTOGRADER_ROOT": str(harness)}
        return subprocess.run(
            [harness / "run_autograder"],
            env=environment,
            cwd=harness,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_results_are_what_gradescope_reads(run: Run, harness: Path) -> None:
    done = run(SUBMISSIONS / "alice")
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((harness / "results" / "results.json").read_text(encoding="utf-8"))
    assert results["stdout_visibility"] == "hidden"
    tests = {test["number"]: test for test in results["tests"]}
    assert {number.partition(".")[0] for number in tests} == {"4c", "2d"}
    assert tests["2d.values"]["score"] == tests["2d.values"]["max_score"] == 2.0
    assert tests["2d.input"]["visibility"] == tests["4c.bytes"]["visibility"] == "hidden"
    assert tests["2d.values"]["visibility"] == "visible"
    assert all(test["status"] == "passed" for test in tests.values())
    assert list((harness / "results").iterdir()) == [harness / "results" / "results.json"]


def test_lost_points_are_no_failure_of_the_autograder(run: Run, harness: Path) -> None:
    (harness / "source" / "options.txt").write_text("--part=4c\n", encoding="utf-8")  # runs no student code
    done = run(SUBMISSIONS / "empty")
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((harness / "results" / "results.json").read_text(encoding="utf-8"))
    assert {test["score"] for test in results["tests"]} == {0.0}


def test_where_nothing_can_be_graded_there_are_no_results(run: Run, harness: Path) -> None:
    """Gradescope then says that the autograder failed, which costs the student nothing."""
    (harness / "source" / "options.txt").write_text("--part=9\n", encoding="utf-8")
    done = run(SUBMISSIONS / "empty")
    assert done.returncode == 2
    assert "Not graded" in done.stdout
    assert "There is no part '9'" in done.stderr
    assert list((harness / "results").iterdir()) == []


def test_an_unknown_part_is_refused_when_it_is_built(assignment: Assignment) -> None:
    with pytest.raises(UnknownName, match="9z"):
        autograder(assignment, ["9z"])
