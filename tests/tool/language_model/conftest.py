"""The assignment, graded with its own model solution in place of a worker: quick enough for every misconception."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.assignment import find_assignment
from grader.checking.session import run_checks
from grader.checking.threads import one_thread
from grader.intake import read_submission
from grader.model import Assignment, Check, CheckResult
from grader.verify.handins import misconceived, solution_at
from grader.worker.calls import Call, Raised, Reply, Returned
from reference.language_model.replay import Fault, Replica, Who

Judge = Callable[..., dict[str, CheckResult]]


class ReplicaWorker:
    """Answers as a worker does, by the model solution with mistakes in it, in this process."""

    alive = True

    def __init__(self, who: Who) -> None:
        self._replica = Replica(who)

    def run(self, calls: Sequence[Call], timeout_s: float) -> list[Reply]:
        return [_reply(result) for result in self._replica.results(calls)]

    def close(self) -> None:
        """Nothing was opened."""


def _reply(result: Any) -> Reply:
    if isinstance(result, Fault):
        return Raised("exception", result.type_name, result.message)
    return Returned(_as_it_travels(result))


def _as_it_travels(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_as_it_travels(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_it_travels(item) for key, item in value.items()}
    return value.detach() if hasattr(value, "detach") else value


@pytest.fixture(scope="session")
def language_model() -> Assignment:
    """The second assignment."""
    return find_assignment("language_model")


@pytest.fixture(scope="session")
def judge(language_model: Assignment) -> Judge:
    """judge(who, section, seed): the results of one section's checks, or of all, for the solution with mistakes."""
    solution = solution_at(Path(__file__).parents[3] / "reference" / "language_model" / "solution")

    def judged(
        who: Who = (), section: str = "", seed: int = 0, without: Sequence[str] = ()
    ) -> dict[str, CheckResult]:
        handed_in = solution
        for one in who:
            handed_in = misconceived(one, handed_in)
        chosen: list[Check] = [
            check
            for check in language_model.checks
            if check.id.startswith(section) and check.id not in without
        ]
        with one_thread():
            results, internal = run_checks(
                language_model,
                replace(handed_in.submission, name="replica"),
                chosen,
                seed=seed,
                open_worker=lambda: ReplicaWorker(who),
            )
        assert internal == {}
        return {result.id: result for result in results}

    return judged


@pytest.fixture
def graded_files(language_model: Assignment, tmp_path: Path) -> Callable[..., dict[str, CheckResult]]:
    """graded_files(worker, {"layers.py": source}, checks): the results of these checks, by a real worker."""

    def grade(
        open_worker: Any, files: dict[str, str], checks: Sequence[str], seed: int = 3
    ) -> dict[str, CheckResult]:
        for name, source in files.items():
            (tmp_path / name).write_text(source, encoding="utf-8")
        submission = read_submission(tmp_path)
        contents = [(file.path, file.content) for file in submission.files]
        chosen = [check for check in language_model.checks if check.id in checks]
        results, internal = run_checks(
            language_model, submission, chosen, seed=seed, open_worker=lambda: open_worker(contents)
        )
        assert internal == {}
        return {result.id: result for result in results}

    return grade
