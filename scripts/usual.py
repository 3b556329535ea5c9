"""The usual way to grade, to be measured against: `python -m pytest`, a process a submission, on the same checks.

    python -m pytest -p scripts.usual --hand-in submissions/alice --part 2 tests/transformer/test_2_*.py

A plugin that gives the checks what they ask for; the student's code is imported into the process that judges it. There
is no worker, no seal, and no report but that of pytest-json-report. pytest is left as it is, with its own plugins, its
three stages a check and its tracebacks; scripts/baseline.py is the same with all that switched off, as `grade` has it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from grader.assignment import load_assignment, select
from grader.checking.evidence import Running
from grader.checking.items import check_id
from grader.checking.plugin import ChecksPlugin, derive_seed
from grader.checking.session import check_files
from grader.intake import read_submission
from grader.model import Status
from scripts.baseline import REPOSITORY, ImportedStudent, chosen

ENVIRONMENT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""No plugin but those that the product needs: what else is installed here is no part of the usual way."""


def command(hand_in: Path, parts: Sequence[str]) -> list[str]:
    """The command line that judges these parts of a hand-in, to be run in the repository with ENVIRONMENT."""
    assignment = load_assignment()
    files = check_files(assignment, select(assignment, parts=parts))
    plugins = ("pytest_metadata.plugin", "pytest_jsonreport.plugin", "scripts.usual")
    return [
        *(sys.executable, "-m", "pytest", f"--config-file={os.devnull}", f"--rootdir={REPOSITORY}"),
        *(word for plugin in plugins for word in ("-p", plugin)),
        *("--json-report", f"--json-report-file={os.devnull}", f"--hand-in={hand_in}"),
        *chosen(parts),
        *map(str, files),
    ]


class UsualPlugin(ChecksPlugin):
    """The checks and what they ask for; all else is pytest's."""

    pytest_runtest_protocol = cast(Any, None)

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "check(id): the check of assignment.toml that this test judges")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        identifier = check_id(item) or ""
        self._check_now = Running(self.selected[identifier], derive_seed(self.seed, identifier))
        self.running[identifier] = self._check_now

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        self._refuse_if_blocked(self._check_now.declaration)
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(  # type: ignore[override]
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        if call.excinfo is not None:
            self._take_down(check_id(item) or "", call.excinfo)
        elif call.when == "call":
            self.status.setdefault(check_id(item) or "", Status.PASSED)
        return (yield)


def pytest_addoption(parser: pytest.Parser) -> None:
    """--hand-in FOLDER and --part ID."""
    parser.addoption("--hand-in", type=Path, required=True)
    parser.addoption("--part", action="append", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """The checks of this hand-in, as a plugin."""
    assignment, folder = load_assignment(), config.getoption("--hand-in")
    student = ImportedStudent(folder, assignment)
    selected = select(assignment, parts=config.getoption("--part"))
    plugin = UsualPlugin(assignment, read_submission(folder), selected, 1, lambda: student)
    config.pluginmanager.register(plugin)
