"""Files for platforms that are not here: read as those platforms read them, and run as far as that goes."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from grader.paths import data_root

DEPLOY = data_root() / "templates" / "deploy"
INSTRUCTIONS = {
    "FROM",
    "ENV",
    "COPY",
    "RUN",
    "USER",
    "WORKDIR",
    "ENTRYPOINT",
    "CMD",
    "ARG",
    "LABEL",
    "EXPOSE",
}


@pytest.mark.parametrize("name", ["gradescope/setup.sh", "gradescope/run_autograder", "slurm/grade.sbatch"])
def test_scripts_are_bash_that_stops_at_the_first_error(name: str) -> None:
    script = DEPLOY / name
    done = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    assert "\r" not in text


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """(instruction, its arguments) of a Dockerfile, continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word, rest.strip()


def faults(text: str) -> list[str]:
    """What a linter would say: the rules of hadolint that concern a file like ours."""
    found: list[str] = []
    all_of = list(instructions(text))
    words = [word for word, _ in all_of]
    found += [f"unknown instruction {word}" for word in words if word not in INSTRUCTIONS]
    if words[:1] not in (["FROM"], ["ARG"]):
        found.append("does not begin with FROM")
    for word, rest in all_of:
        if word == "FROM" and (":" not in rest or rest.endswith(":latest")):
            found.append(f"DL3006: {rest} is not pinned")
        if word in ("ENTRYPOINT", "CMD") and not rest.startswith("["):
            found.append(f"DL3025: {word} is no JSON list")
        if word == "WORKDIR" and not rest.startswith("/"):
            found.append("DL3000: WORKDIR is relative")
        if word == "RUN":
            shell = subprocess.run(["bash", "-n", "-c", rest], capture_output=True, text=True, check=False)
            if shell.returncode:
                found.append(f"RUN is no shell: {shell.stderr}")
            if "apt-get install" in rest and not {"--no-install-recommends", "-y"} <= set(shlex.split(rest)):
                found.append("DL3014/DL3015: apt-get install without -y or --no-install-recommends")
            if "pip install" in rest and "PIP_NO_CACHE_DIR=1" not in text:
                found.append("DL3042: pip keeps a cache")
            if re.search(r"\bsudo\b|\bcd\b", rest):
                found.append("DL3003/DL3004: sudo or cd in RUN")
    users = [rest for word, rest in all_of if word == "USER"]
    if not users or users[-1] == "root":
        found.append("DL3002: the last user is root")
    if words.count("CMD") > 1 or words.count("ENTRYPOINT") > 1:
        found.append("DL4003/DL4004: more than one CMD or ENTRYPOINT")
    return found


def test_the_dockerfile_has_no_fault_that_a_linter_knows() -> None:
    assert faults((DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("FROM python", "DL3006"),
        ("USER root", "DL3002"),
        ("CMD grade doctor", "DL3025"),
        ("RUN apt-get install gcc", "DL3014"),
        ("RUN if true; then", "no shell"),
        ("INSTALL gcc", "unknown"),
    ],
)
def test_the_linter_sees_faults(line: str, fault: str) -> None:
    text = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert fault in " ".join(faults(f"{text}\n{line}\n"))


def test_the_workflow_installs_what_the_archive_has_and_checks() -> None:
    workflow = yaml.safe_load((DEPLOY / "github" / "public-checks.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert job["timeout-minutes"] <= 30
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands[-1] == "grade check"
    assert "tool/*.whl" in commands[0]
    for command in commands:
        subprocess.run(["bash", "-n", "-c", command], check=True)
    assert all(re.search(r"@v\d", step["uses"]) for step in job["steps"] if "uses" in step)


def test_the_slurm_job_grades_a_class_with_the_cores_it_has(tmp_path: Path) -> None:
    stub = tmp_path / "env" / "bin" / "grade"
    stub.parent.mkdir(parents=True)
    stub.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    stub.chmod(0o755)
    environment = {
        "PATH": "/usr/bin:/bin",
        "GRADE_ENVIRONMENT": str(tmp_path / "env"),
        "SLURM_CPUS_PER_TASK": "16",
    }
    script = DEPLOY / "slurm" / "grade.sbatch"
    done = subprocess.run(
        ["bash", script, "submissions.zip"], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["doctor", "submissions.zip --out reports --jobs 16"]
    asked = dict(re.findall(r"^#SBATCH --([\w-]+)=(\S+)$", script.read_text(encoding="utf-8"), re.MULTILINE))
    assert {"cpus-per-task", "mem", "time", "signal"} <= asked.keys()
    done = subprocess.run(["bash", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Name the class" in done.stderr


def test_the_page_on_slurm_shows_the_job_as_it_is() -> None:
    page = (data_root() / "docs" / "slurm.md").read_text(encoding="utf-8")
    assert (DEPLOY / "slurm" / "grade.sbatch").read_text(encoding="utf-8") in page
