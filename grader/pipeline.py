"""The whole flow of one submission on one page: start here.

    path -> intake -> Submission, with what its written reports say
    assignment.toml -> Assignment -> the selected checks
    zygote -> worker        student code lives there and only there
    checks (pytest, in this process) ask the worker and compare with the reference
    results -> score -> GradeReport -> grader.render

Importing this module imports neither torch nor pytest; `grade` starts the zygote first, so that its imports and ours
run side by side.
"""

from __future__ import annotations

import platform
import secrets
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from grader import __version__
from grader.assignment import find_assignment, select
from grader.documents import ReportReader
from grader.errors import WorkerStartFailed
from grader.intake import altered_cells, read_answers, read_originals, read_submission
from grader.model import Assignment, Check, CheckResult, GradeReport, Isolation, Status, Submission
from grader.options import IsolationChoice, Options, preload
from grader.paths import data_root
from grader.scoring import score
from grader.worker import Zygote, ZygoteSpec

if TYPE_CHECKING:
    from grader.checking.student import AskWorker

_PACKAGES = ("torch", "transformers", "datasets", "numpy", "pytest")
__all__ = ["Graded", "Options", "Progress", "grade"]

_NO_STUDENT_CODE = Isolation(level="not_needed", guarantees=("No student code was run for these checks.",))


@dataclass(frozen=True, slots=True)
class Graded:
    """A report, and what is not in it."""

    report: GradeReport
    internal_errors: dict[str, str]
    """Tracebacks of the grader's own errors, by check id."""
    assignment: Assignment
    """What it was graded for."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Called as the work goes on."""

    on_start: Callable[[Check], None] = lambda check: None
    on_finish: Callable[[Check, Status], None] = lambda check, status: None


def grade(path: Path, options: Options = Options(), progress: Progress = Progress()) -> Graded:  # noqa: B008
    """Grade the submission at `path`.

    Raises UsageError for a path or a name that cannot be used, IsolationUnavailable where this machine cannot seal
    student code as asked; whatever the student's code does is a status in the report.
    """
    started = time.perf_counter()
    assignment = find_assignment(options.assignment)
    selected = select(assignment, options.parts, options.checks, public_only=options.public_only)
    submission = read_submission(path)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    with ExitStack() as stack:
        zygote = _start_zygote(assignment, selected, options.isolation, stack)
        submission = stack.enter_context(ReportReader(assignment, options.isolation)).read(submission)
        results, internal = _run_checks(assignment, submission, selected, seed, zygote, progress)
        isolation, worker_facts = sealed(zygote)
    took = round(time.perf_counter() - started, 3)
    facts = RunFacts(assignment, seed, isolation, worker_facts, options.public_only)
    report = report_of(submission, results, facts, duration_s=took)
    return Graded(report, internal, assignment)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the reports of one run have in common."""

    assignment: Assignment
    seed: int
    isolation: Isolation
    worker_facts: Mapping[str, str]
    public_only: bool = False


def report_of(
    submission: Submission, results: Sequence[CheckResult], run: RunFacts, *, duration_s: float
) -> GradeReport:
    """Results -> score -> report."""
    assignment = run.assignment
    judged = {result.part for result in results}
    return GradeReport(
        submission_name=submission.name,
        submission_sha256=submission.sha256,
        assignment_id=assignment.id,
        assignment_title=assignment.title,
        assignment_version=assignment.version,
        assignment_sha256=assignment.sha256,
        parts=tuple(part for part in assignment.parts if part.id in judged),
        checks=tuple(results),
        score=score(results),
        environment=_environment(run.worker_facts),
        isolation=run.isolation,
        seed=run.seed,
        public_only=run.public_only,
        complete=_is_complete(assignment, results),
        notes=submission.notes
        + read_answers(submission, _answer_keys(assignment)).notes
        + altered_cells(submission, read_originals(assignment)),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        duration_s=duration_s,
    )


def _start_zygote(
    assignment: Assignment, selected: Sequence[Check], isolation: IsolationChoice, stack: ExitStack
) -> Zygote | None:
    """The warm process that workers are forked from; None where no selected part runs student code."""
    modules = preload(assignment, selected)
    if not modules:
        return None
    return stack.enter_context(Zygote(ZygoteSpec.of(assignment, modules), isolation=isolation))


def sealed(zygote: Zygote | None) -> tuple[Isolation, dict[str, str]]:
    """The level reached and the facts of the worker; where it did not start, no student code was run.

    The checks that needed it are then the grader's own errors, and the others keep their results.
    """
    if zygote is None:
        return _NO_STUDENT_CODE, {}
    try:
        return zygote.isolation, dict(zygote.environment)
    except WorkerStartFailed:
        return _NO_STUDENT_CODE, {}


def _run_checks(
    assignment: Assignment,
    submission: Submission,
    selected: Sequence[Check],
    seed: int,
    zygote: Zygote | None,
    progress: Progress,
) -> tuple[list[CheckResult], dict[str, str]]:
    root = str(data_root())
    if root not in sys.path:
        sys.path.append(root)  # the checks import `reference`; a wheel carries it below its own folder
    from grader.checking.session import run_checks

    files = [(file.path, file.content) for file in submission.files if file.problem is None]

    def open_worker() -> AskWorker:
        if zygote is None:
            raise RuntimeError("a check asks for student code, but its part declares no worker")
        return zygote.worker(files, name=submission.name)

    return run_checks(
        assignment,
        submission,
        selected,
        seed=seed,
        open_worker=open_worker,
        on_start=progress.on_start,
        on_finish=progress.on_finish,
    )


def _answer_keys(assignment: Assignment) -> set[str]:
    """Every key of answers.toml that a check reads; any other entry there gets a note."""
    keys = {key for check in assignment.checks for key in check.answers}
    keys |= {str(check.number["answer"]) for check in assignment.checks if check.number}
    return keys | {check.id for check in assignment.checks if check.review}


def _is_complete(assignment: Assignment, results: Sequence[CheckResult]) -> bool:
    """True when every check of the assignment was judged and none waits for a person."""
    open_ = {Status.NEEDS_REVIEW, Status.GRADER_ERROR}
    return len(results) == len(assignment.checks) and not any(r.status in open_ for r in results)


def _environment(worker_facts: Mapping[str, str]) -> dict[str, str]:
    """Versions and machine facts that could matter for a number; nothing that names the machine or its user."""
    facts = {"grader": __version__, "python": platform.python_version(), "machine": platform.machine()}
    facts["system"] = f"{platform.system()} {platform.release()}"
    return facts | _versions() | dict(worker_facts)


@cache
def _versions() -> dict[str, str]:
    """Looked up once: each lookup searches the metadata of what is installed."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
