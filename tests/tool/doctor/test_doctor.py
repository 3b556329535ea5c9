"""What `grade doctor` says of machines that lack something."""

from __future__ import annotations

import json
import platform
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement

from grader import paths
from grader.distribution.wheel import Wheel
from grader.doctor import command, files, machine, packages
from grader.doctor.finding import Finding, State
from grader.errors import GraderError, IsolationUnavailable
from grader.worker import Zygote


def test_this_machine_can_grade() -> None:
    done = CliRunner().invoke(command.doctor, ["--json"])
    document = json.loads(done.output)
    assert done.exit_code == 0
    assert document["works"] is True
    topics = {finding["topic"]: finding for finding in document["findings"]}
    assert topics["isolation"]["state"] in ("ok", "weak")
    assert topics["python"]["found"].startswith(platform.python_version())
    assert "transformer" in topics["assignments"]["found"]
    for finding in document["findings"]:
        assert finding["found"]
        assert bool(finding["fix"]) == (finding["state"] != "ok")


def test_what_is_missing_is_said_last_and_sets_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Zygote) -> Zygote:
        raise IsolationUnavailable(
            "Student code cannot be sealed off here.", "Use a machine with Linux 5.13."
        )

    monkeypatch.setattr(Zygote, "__enter__", refused)
    done = CliRunner().invoke(command.doctor)
    assert done.exit_code == 4
    assert "✗" in done.output
    assert "Linux 5.13" in done.output
    assert done.output.strip().endswith("Grading does not work here yet: isolation.")


def test_a_package_that_is_missing_or_too_old_comes_with_the_command_for_it() -> None:
    wrong = packages.unmet(
        [Requirement("click>=8.1"), Requirement("torch>=99"), Requirement("no-such-package>=2")]
    )
    assert list(wrong) == ["torch>=99", "no-such-package>=2"]
    assert "and >=99 is asked for" in wrong["torch>=99"]
    assert wrong["no-such-package>=2"] == "no-such-package is not installed"
    assert packages.install(wrong) == "pip install 'torch>=99' 'no-such-package>=2'"


def test_extras_are_those_that_are_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = ["click>=8", 'no-such-package>=2; extra == "pdf"', 'click; extra == "docx"']
    monkeypatch.setattr(packages, "requires", lambda name: declared)
    monkeypatch.setattr(packages, "version", lambda name: versions(name))

    def versions(name: str) -> str:
        if name == "no-such-package":
            raise packages.PackageNotFoundError(name)
        return "9.1"

    found = {finding.topic: finding for finding in packages.packages()}
    assert found["packages"].state is State.OK
    assert found["extra docx"] == Finding("extra docx", State.OK, "click 9.1")
    assert found["extra pdf"].state is State.OPTIONAL
    assert found["extra pdf"].fix == "pip install 'transformer-grader[pdf]'"


def test_machines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    info = tmp_path / "meminfo"
    info.write_text("MemTotal: 9 kB\nMemAvailable:    1048576 kB\n")
    assert machine.available_memory(info) == 2**30
    assert machine.available_memory(tmp_path / "none") is None
    monkeypatch.setattr(machine, "available_memory", lambda: 2**30)
    assert (machine.memory().state, machine.memory().fix) == (State.WEAK, "Grade a class with --jobs 1.")
    monkeypatch.setattr(machine, "_processor_name", lambda: "Intel(R) Xeon(R)")
    assert "is that of the handout's arrays" in machine.processor().found
    monkeypatch.setattr(sys, "platform", "darwin")
    assert machine.system().state is State.WEAK


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ((3, 10, 4), State.MISSING),
        ((3, 11, 0), State.OK),
        ((3, 12, 1), State.OK),
        ((3, 13, 0), State.WEAK),
        ((3, 13, 12), State.WEAK),
        ((3, 13, 13), State.OK),
        ((3, 14, 0), State.MISSING),
    ],
)
def test_versions_of_python(monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], state: State) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    found = machine.python()
    assert found.state is state
    assert bool(found.fix) == (state is not State.OK)


def test_every_place_that_names_versions_of_python_names_the_same() -> None:
    root = Path(__file__).parents[3]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    minors = range(machine.PYTHONS[0][1], machine.PYTHONS[1][1] + 1)
    first, last = (f"3.{minor}" for minor in (minors[0], minors[-1]))
    after = f"3.{minors[-1] + 1}"
    assert project["requires-python"] == Wheel("kit", "1", "", {}).python == f">={first},<{after}"
    assert [text.split()[-1] for text in project["classifiers"] if "Python :: 3." in text] == [
        f"3.{minor}" for minor in minors
    ]
    named = {
        "README.md": f"Python {first} to {last}",
        "templates/deploy/gradescope/setup.sh": f"(3, {minors[0]}) <= sys.version_info[:2] <= (3, {minors[-1]})",
    }
    for path, words in named.items():
        assert words in (root / path).read_text(encoding="utf-8"), path


def test_folders_and_browsers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files.shutil, "which", lambda name: None)
    assert files.browser().state is State.OPTIONAL
    monkeypatch.setenv("GRADE_ASSETS", str(tmp_path / "models"))
    assert str(tmp_path) in files.cache().found
    monkeypatch.setattr(files.os, "access", lambda path, mode: False)
    assert files.cache().state is State.OPTIONAL
    assert files.writable().state is State.MISSING

    def nowhere() -> Path:
        raise GraderError("The grader's own files are gone.", "Install the grader again.")

    monkeypatch.setattr(files, "data_root", nowhere)
    assert files.own_files() == Finding(
        "assignments", State.MISSING, "The grader's own files are gone.", "Install the grader again."
    )
    assert paths.data_root().is_dir()
