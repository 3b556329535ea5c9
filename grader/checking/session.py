"""One pytest session for one submission, in this process; the only file that knows pytest-json-report.

Two traps of pytest-json-report are closed here: it starts every test as "passed", so a pass counts only where the call
stage itself reported it; and a session that ended early leaves checks out, so every declared check must be there.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import pytest_jsonreport.plugin
import pytest_metadata.plugin

from grader.checking.marks import misspelt
from grader.checking.outcomes import Outcome
from grader.checking.plugin import ChecksPlugin, OnFinish, OnStart
from grader.checking.student import AskWorker
from grader.model import Assignment, Check, CheckResult, Evidence, Points, Status, Submission

_OURS = "The grader itself failed on this check; no points are lost."
_OURS_HINT = "Send the report to your instructor; `grade --debug` shows the cause."
_UNUSED = (
    "cacheprovider",
    "stepwise",
    "logging",
    "warnings",
    "faulthandler",
    "doctest",
    "junitxml",
    "pastebin",
    "setuponly",
    "setupplan",
    "recwarn",
    "unittest",
    "debugging",
    "subtests",
    "monkeypatch",
    "tmpdir",
    "skipping",
    "unraisableexception",
    "threadexception",
)
"""Plugins of pytest that a check has no use for. The last two would end each session with a full garbage collection."""
_READ_OUTCOMES = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


def run_checks(
    assignment: Assignment,
    submission: Submission,
    selected: Sequence[Check],
    *,
    seed: int,
    open_worker: Callable[[], AskWorker],
    on_start: OnStart = lambda check: None,
    on_finish: OnFinish = lambda check, status: None,
) -> tuple[list[CheckResult], dict[str, str]]:
    """Run `selected` on `submission`; every check has exactly one result, in the order given.

    Returns the results and, for --debug, the tracebacks of our own errors by check id.
    """
    plugin = ChecksPlugin(assignment, submission, selected, seed, open_worker, on_start, on_finish)
    exit_code = run_session(plugin)
    if plugin.interrupted:
        raise KeyboardInterrupt
    return results_of(plugin, exit_code)


def run_session(plugin: ChecksPlugin) -> int:
    """One pytest session with `plugin`; its exit code."""
    files = check_files(plugin.assignment, plugin.selected.values())
    with _no_outside_options(), _names_free_for(files):
        # given as modules, not by -p: a name would be looked up in the metadata of every installed package
        plugins = [plugin, pytest_metadata.plugin, pytest_jsonreport.plugin]
        return pytest.main(_arguments(plugin.assignment, files), plugins=plugins)


def results_of(plugin: ChecksPlugin, exit_code: int) -> tuple[list[CheckResult], dict[str, str]]:
    """What a session found, as `run_checks` returns it."""
    confirmed = _confirmed_passes(plugin.json_report, exit_code, plugin.check_of)
    internal = dict(plugin.internal)
    results = []
    for check in plugin.selected.values():
        result = _result(check, plugin, check.id in confirmed)
        if result.status is Status.GRADER_ERROR:
            internal.setdefault(check.id, _why_unreported(plugin, exit_code))
        results.append(result)
    return results, internal


def check_files(assignment: Assignment, selected: Iterable[Check]) -> list[Path]:
    """Those that can hold one of the checks: of its section, or of none."""
    sections = {check.part[:1] for check in selected}
    files = sorted(assignment.root.glob("test_*.py"))
    return [f for f in files if not f.stem[5:6].isdigit() or f.stem[5] in sections]


def _arguments(assignment: Assignment, files: Iterable[Path]) -> list[str]:
    """The student's folder is nowhere in them: no conftest.py, ini file or plugin of theirs can take effect."""
    return [
        *map(str, files),
        f"--rootdir={assignment.root}",
        f"--confcutdir={assignment.root}",  # else every folder from / downwards is listed
        f"--config-file={os.devnull}",
        "--noconftest",
        "--disable-plugin-autoload",
        "--import-mode=importlib",
        "--capture=no",
        *(f"-pno:{plugin}" for plugin in _UNUSED),
        "--tb=no",
        "--continue-on-collection-errors",
        "--json-report",
        "--json-report-file=none",
        "--json-report-omit",  # takes all that follows, so it is the last
        *("log", "streams", "warnings", "collectors", "keywords", "traceback"),
    ]


@contextlib.contextmanager
def _no_outside_options() -> Iterator[None]:
    """Keep PYTEST_ADDOPTS and PYTEST_PLUGINS of the caller's shell out of the session."""
    saved = {
        name: os.environ.pop(name) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS") if name in os.environ
    }
    try:
        yield
    finally:
        os.environ.update(saved)


@contextlib.contextmanager
def _names_free_for(files: Iterable[Path]) -> Iterator[None]:
    """Hide modules that only bear the name of one of the check files, such as another assignment's test_2_numbers.py.

    pytest takes a module of that name, from whatever file, for the one that it is to import.
    """
    loaded = {file.stem: sys.modules[file.stem] for file in files if file.stem in sys.modules}
    wanted = {file.stem: str(file) for file in files}
    hidden = {name: m for name, m in loaded.items() if getattr(m, "__file__", None) != wanted[name]}
    for name in hidden:
        del sys.modules[name]
    try:
        yield
    finally:
        sys.modules.update(hidden)


def _confirmed_passes(report: dict[str, Any] | None, exit_code: int, check_of: Mapping[str, str]) -> set[str]:
    """Ids of the checks whose call stage says "passed", in a session that ended as it should."""
    if report is None or exit_code not in _READ_OUTCOMES:
        return set()
    return {
        check_of[test["nodeid"]]
        for test in report["tests"]
        if test.get("call", {}).get("outcome") == "passed"
        and test.get("outcome") == "passed"
        and test["nodeid"] in check_of
    }


def _result(check: Check, plugin: ChecksPlugin, confirmed: bool) -> CheckResult:
    status = plugin.status.get(check.id, Status.GRADER_ERROR)
    running = plugin.running.get(check.id)
    outcome = running.outcome if running else None
    if status is Status.PASSED and not confirmed:
        status = Status.GRADER_ERROR
    message, hint, fraction = _wording(status, outcome)
    lost = outcome is not None and status in (Status.FAILED, Status.PARTIAL)
    return CheckResult(
        id=check.id,
        part=check.part,
        title=check.title,
        visibility=check.visibility,
        status=status,
        points=Points(earned=_share(check.points, fraction), possible=check.points),
        message=message,
        hint=hint,
        evidence=running.evidence() if running else Evidence(),
        duration_s=round(plugin.durations.get(check.id, 0.0), 4),
        diagnosis=outcome.diagnosis if outcome and lost else None,
    )


def _wording(status: Status, outcome: Outcome | None) -> tuple[str, str, Fraction]:
    if status is Status.PASSED:
        return "Right.", "", Fraction(1)
    if status is Status.GRADER_ERROR or outcome is None:
        return _OURS, _OURS_HINT, Fraction(0)
    fraction = outcome.fraction if status is Status.PARTIAL else Fraction(0)
    return outcome.message, outcome.hint, fraction


def _share(points: Decimal, fraction: Fraction) -> Decimal:
    """`fraction` of `points`, exact where the division is; shares are declared so that it is."""
    return points * Decimal(fraction.numerator) / Decimal(fraction.denominator)


def _why_unreported(plugin: ChecksPlugin, exit_code: int) -> str:
    unreported = [f"pytest ended with {exit_code} and did not report this check"]
    return "\n".join(plugin.collection_errors or unreported + misspelt(plugin.assignment))
