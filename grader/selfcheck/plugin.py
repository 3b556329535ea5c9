"""The public checks as pytest tests: fixtures for them, and what became of each.

With the plugin installed (it is, with the tool), `pytest` in the unpacked folder is all it takes. A test is marked
with its id; it passes by returning, and says what is wrong by `assert condition, "sentence"` or by raising Failed.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from grader.checking.outcomes import Missing, Outcome
from grader.intake.assemble import kind_of
from grader.model import Status, Submission, SubmittedFile
from grader.selfcheck.kit import Kit, PublicCheck
from grader.selfcheck.result import Result
from grader.selfcheck.student import Student, loaded
from grader.worker.inside.problems import StudentProblem, text_of

OURS = "This check itself failed; your work is not at fault."
_OUTPUT = 2_000
ID = pytest.StashKey[PublicCheck]()


class SelfChecks:
    """Runs the tests of a kit on one state of the work."""

    def __init__(
        self,
        kit: Kit,
        only: Sequence[PublicCheck] | None = None,
        live: Mapping[str, Any] | None = None,
        on_start: Callable[[PublicCheck], None] = lambda check: None,
        on_result: Callable[[Result], None] = lambda result: None,
    ) -> None:
        self._kit = kit
        self._only = None if only is None else {check.id for check in only}
        self._live = live
        self._on_start = on_start
        self._on_result = on_result
        self._stack = ExitStack()
        self._student: Student | None = None
        self._used: set[str] = set()
        self._notes: list[str] = []
        self._error: BaseException | None = None

    # ------------------------------------------------------------ fixtures

    @pytest.fixture
    def student(self) -> Student:
        """`student.NAME` is the student's class or function of that name."""
        if self._student is None:
            self._student = self._stack.enter_context(loaded(self._kit.work, self._live))
        return self._student

    @pytest.fixture
    def kit(self) -> Kit:
        """The kit, with the folder of the work."""
        return self._kit

    @pytest.fixture
    def note(self) -> Callable[[str], None]:
        """note("a remark"): shown with the check, whatever becomes of it."""
        return self._notes.append

    @pytest.fixture
    def reads(self) -> Callable[[str], Path]:
        """reads("answers.toml"): that file of the work; the check is run again when it changes. Raises Missing."""

        def read(name: str) -> Path:
            self._used.add(name)
            file = self._kit.work / name
            if not file.is_file():
                raise Missing(
                    f"There is no {name}.", f"Write it, or copy it from the starter kit, to {file.parent}."
                )
            return file

        return read

    @pytest.fixture
    def handed_in(self, reads: Callable[[str], Path]) -> Callable[[str], Submission]:
        """handed_in("answers.toml"): that file as the readers of hand-ins take it. Raises Missing."""

        def read(name: str) -> Submission:
            content = reads(name).read_bytes()
            return Submission("work", self._kit.work, "", (SubmittedFile(name, content, kind_of(name)),))

        return read

    # ------------------------------------------------------------ pytest's questions

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "check(id): the public check that a test is")
        for file in self._kit.files.values():
            if file.suffix == ".py":
                _bring(file.stem, file)

    def pytest_unconfigure(self) -> None:
        self._stack.close()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        marks = list(metafunc.definition.iter_markers("check"))
        if len(marks) > 1:
            metafunc.parametrize("check_id", [mark.args[0] for mark in reversed(marks)])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        known = {check.id: check for check in self._kit.checks}
        chosen = []
        for item in items:
            id = _id_of(item)
            if id not in known or item.path.parent != self._kit.root:
                chosen.append(item)  # a test of the student's own
            elif self._only is None or id in self._only:
                item.stash[ID] = known[id]
                chosen.append(item)
        items[:] = chosen

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, bool | None, bool | None]:
        check = item.stash.get(ID, None)
        if check is None:
            return (yield)
        self._used, self._notes, self._error = set(), [], None
        if self._student is not None:
            self._student.used = set()
        self._on_start(check)
        with _undisturbed():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        check = item.stash.get(ID, None)
        if check is None:
            return report
        if call.excinfo is not None:
            self._error = call.excinfo.value
            if isinstance(self._error, KeyboardInterrupt | pytest.exit.Exception):
                return report
        if call.when == "teardown":
            result = self._result(check, report)
            self._on_result(result)
        elif report.failed:
            report.longrepr = told(self._result(check, report))
        return report

    def _result(self, check: PublicCheck, report: pytest.TestReport) -> Result:
        if self._student is not None:
            self._used |= self._student.used
        status, message, hint, where = _judged(self._error, self._student)
        return Result(
            id=check.id,
            title=check.title,
            status=status,
            message=message,
            hint=hint,
            where=where,
            notes=tuple(self._notes),
            output="".join(text for name, text in report.sections if name.startswith("Captured std"))[
                -_OUTPUT:
            ],
            uses=tuple(sorted(self._used)),
        )


def told(result: Result) -> str:
    """Message, place and next step, in lines: what pytest prints of a check that did not pass."""
    return "\n".join(line for line in (result.message, result.where, result.hint, *result.notes) if line)


def _judged(error: BaseException | None, student: Student | None) -> tuple[Status, str, str, str]:
    """(status, message, hint, the student's line) of what a test raised."""
    if error is None:
        return Status.PASSED, "", "", ""
    where = student.where(error) if student is not None else ""
    if isinstance(error, Outcome):
        return error.status, error.message, error.hint, where
    if isinstance(error, StudentProblem):
        frame = error.frames[-1] if error.frames else None
        where = f"{frame[0]}, line {frame[1]}: {frame[3]}" if frame else ""
        status = Status.MISSING if error.kind == "missing" else Status.FAILED
        named = f"{error.type_name}: {error.message}" if error.kind == "import" else error.message
        return status, named, "", where
    if isinstance(error, AssertionError) and not where:
        return Status.FAILED, text_of(error).partition("\nassert ")[0], "", ""
    if isinstance(error, NotImplementedError) and where:
        return Status.MISSING, f"{text_of(error) or 'It'} is still to be written.", "", where
    if where:
        kind = Status.CRASHED if isinstance(error, SystemExit) else Status.FAILED
        return kind, f"Your code raised {type(error).__name__}: {text_of(error)}", "", where
    if isinstance(error, TypeError):  # a call with arguments that the student's code does not take
        return (
            Status.FAILED,
            f"It cannot be called as asked: {text_of(error)}",
            "Keep the arguments of the starter kit.",
            "",
        )
    return Status.GRADER_ERROR, f"{OURS} ({type(error).__name__}: {text_of(error)})", "", ""


def _id_of(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    if callspec is not None and "check_id" in callspec.params:
        return str(callspec.params["check_id"])
    mark = item.get_closest_marker("check")
    return str(mark.args[0]) if mark is not None and mark.args else None


@contextmanager
def _undisturbed() -> Iterator[None]:
    """torch's generator and threads are afterwards as they were: in a notebook they are the student's own. The modules
    here are tiny, and several threads would wait for one another most of the time."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_rng_state(state)
        torch.set_num_threads(threads)


def _bring(name: str, file: Path) -> None:
    """Let the tests import one of the kit's modules by its name."""
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
