"""One warm process for every test that runs student code, and hand-ins made of a few lines."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from grader.assignment import load_assignment, select
from grader.checking.session import run_checks
from grader.intake import read_submission
from grader.model import Assignment, CheckResult
from grader.worker import Zygote, ZygoteSpec
from tests.tool import depth  # noqa: F401 - its profile holds for every property test

ALICE = Path(__file__).parents[2] / "submissions" / "alice"
Files = Mapping[str, "str | bytes | Callable[[Path], None]"]
GradeFiles = Callable[..., dict[str, CheckResult]]


def pytest_configure() -> None:
    """A shell that starts the tests in the background has them ignore Ctrl-C, which some of them send."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def assignment() -> Assignment:
    """The bundled coursework."""
    return load_assignment()


@pytest.fixture(scope="session")
def zygote(assignment: Assignment) -> Iterator[Zygote]:
    """Warm for part 2, sealed as strongly as this machine can."""
    with Zygote(ZygoteSpec.of(assignment, ("torch",))) as zygote:
        yield zygote


@pytest.fixture(scope="session")
def attention() -> str:
    """Alice's attention.py, which is right."""
    return (ALICE / "attention.py").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[Files], Path]:
    """folder({"attention.py": source}): a hand-in on disk; a callable makes its file itself."""

    def make(files: Files) -> Path:
        root = tmp_path / "hand-in"
        root.mkdir()
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if callable(content):
                content(path)
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return root

    return make


@pytest.fixture
def grade_files(assignment: Assignment, zygote: Zygote, folder: Callable[[Files], Path]) -> GradeFiles:
    """grade_files({"attention.py": source}, ["2c.self"]): the results of these checks, by id.

    Whatever was handed in, every check has exactly one result and none fails by our fault. `timeout_s` is for a test
    of a hang, which need not wait as long as a student may.
    """

    def grade(
        files: Files, checks: Sequence[str], seed: int = 20, timeout_s: float | None = None
    ) -> dict[str, CheckResult]:
        submission = read_submission(folder(files))
        readable = [(file.path, file.content) for file in submission.files if file.problem is None]
        chosen = [replace(c, timeout_s=timeout_s or c.timeout_s) for c in select(assignment, checks=checks)]
        results, internal = run_checks(
            assignment, submission, chosen, seed=seed, open_worker=lambda: zygote.worker(readable, "test")
        )
        assert internal == {}
        assert [result.id for result in results] == [check.id for check in chosen]
        return {result.id: result for result in results}

    return grade
