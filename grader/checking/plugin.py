"""The pytest plugin of one grading session: picks the checks, gives them their fixtures, takes down what they found.

A check is a test function marked `@pytest.mark.check("2c.masked")`; what it may ask for is listed in docs/authoring.md.
The plugin object is made anew for each submission, so no state can leak from one into the next.
"""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast

import pytest

from grader.checking.asserted import Asserted
from grader.checking.brought import Brought
from grader.checking.evidence import Running
from grader.checking.faults import Rules, unread_code
from grader.checking.items import CheckFiles, check_id, mark_check, raised_in_check_file
from grader.checking.marks import FIXTURES
from grader.checking.numeric import Numbers
from grader.checking.outcomes import Blocked, Failed, Missing, Outcome
from grader.checking.student import AskWorker, Student
from grader.intake.answers import Answers, read_answers
from grader.model import Assignment, Check, Status, Submission

if TYPE_CHECKING:  # two of them bring torch, which not every check needs
    from _pytest.runner import SetupState

    from grader.checking.comparing import Compare
    from grader.checking.expected import Expected

_STANDS_IN_THE_WAY = frozenset(set(Status) - {Status.PASSED, Status.PARTIAL, Status.NEEDS_REVIEW})

_LESS_PATIENT = 4
"""By how much the time limit falls after a hang: 20 s become 5 s, where right code takes a tenth of a second."""

_EACH: dict[str, Callable[[Check], bool]] = {
    "number": lambda check: check.number is not None,
    "prose_check": lambda check: check.review,
}
"""Names of arguments that stand for every check of a kind."""
_GIVEN = frozenset(FIXTURES) - _EACH.keys()

_ENDS_THE_SESSION = (KeyboardInterrupt, pytest.exit.Exception)

OnStart = Callable[[Check], None]
OnFinish = Callable[[Check, Status], None]


class ChecksPlugin:
    """One submission's checks inside one pytest session."""

    def __init__(
        self,
        assignment: Assignment,
        submission: Submission,
        selected: Sequence[Check],
        seed: int,
        open_worker: Callable[[], AskWorker],
        on_start: OnStart = lambda check: None,
        on_finish: OnFinish = lambda check, status: None,
    ) -> None:
        self.assignment = assignment
        self.selected = {check.id: check for check in selected}
        self.running: dict[str, Running] = {}
        """Evidence by check id; a check that never started is not in it."""
        self.status: dict[str, Status] = {}
        self.durations: dict[str, float] = {}
        self.internal: dict[str, str] = {}
        """Tracebacks of the grader's own errors, by check id, for --debug."""
        self.collection_errors: list[str] = []
        self.check_of: dict[str, str] = {}
        """Check id by the name that pytest has for the test."""
        self.json_report: dict[str, Any] | None = None
        self.interrupted = False
        """True after Ctrl-C; a check that calls pytest.exit is no interruption but a broken check."""
        self._worker: AskWorker | None = None
        self._worker_section: str | None = None
        self._shared: dict[str, Any] = {}
        self._brought = Brought(assignment)
        self._on_start, self._on_finish = on_start, on_finish
        self.judge(submission, seed, open_worker)

    def judge(self, submission: Submission, seed: int, open_worker: Callable[[], AskWorker]) -> None:
        """Whose checks they are; to be said before the first of them runs."""
        self.submission = submission
        self.seed = seed
        self._open_worker = open_worker
        self._rules = Rules(
            allowed_packages=self.assignment.allowed_packages,
            signatures=self.assignment.signatures,
            unread=unread_code(submission.notes),
        )

    # -------------------------------------------------------------- which checks run, and in which order

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        # pytest-json-report reads the terminal plugin's options; only the reporter itself is in the way. And nothing is
        # captured here, which takes three hooks a check.
        config.pluginmanager.unregister(name="terminalreporter")
        config.pluginmanager.unregister(name="capturemanager")
        config.addinivalue_line("markers", "check(id): the check of assignment.toml that this test judges")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector:
        """pytest would list the folder, and ask its hooks about every other file in it."""
        collector: pytest.Collector = CheckFiles.from_parent(parent, path=path)
        return collector

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """A test that asks for `number` judges every numeric answer, `prose_check` every reviewed one."""
        for fixture, belongs in _EACH.items():
            if fixture in metafunc.fixturenames:
                checks = [c for c in self.assignment.checks if belongs(c)]
                metafunc.parametrize(
                    fixture, [pytest.param(c, id=c.id, marks=pytest.mark.check(c.id)) for c in checks]
                )

    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        # pytest asks at every turn which conftest.py files lie above a check; there are none
        session.gethookproxy = lambda fspath: session.config.hook  # type: ignore[method-assign]
        order = {identifier: place for place, identifier in enumerate(self.selected)}
        for item in items:
            identifier = mark_check(item)
            if identifier is not None:
                self.check_of[item.nodeid] = identifier
        items[:] = sorted(
            (item for item in items if check_id(item) in order), key=lambda item: order[check_id(item) or ""]
        )

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.interrupted = type(excinfo.value) is KeyboardInterrupt  # pytest's own kinds derive from it

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.collection_errors.append(str(report.longrepr))

    # -------------------------------------------------------------- what a check may ask for

    # What each of FIXTURES is. They are put into a check before pytest looks for them: resolving a fixture takes it a
    # tenth of a millisecond, and a check has three. As fixtures they are for the fixtures that an author writes.

    def _hand_out(self, item: pytest.Item) -> None:
        if isinstance(item, pytest.Function):
            given = {name: getattr(self, f"_give_{name}")() for name in item.fixturenames if name in _GIVEN}
            if callspec := getattr(item, "callspec", None):
                given |= {name: callspec.params[name] for name in _EACH if name in callspec.params}
            item.funcargs.update(given)

    def _give_check(self) -> Running:
        return self._check_now

    def _give_student(self) -> Student:
        check = self._check_now
        return Student(
            start_worker=lambda: self._worker_for(check.declaration.part),
            timeout_s=self._limit(check.declaration),
            rules=self._rules,
            on_reply=check.saw,
        )

    def _give_submission(self) -> Submission:
        return self.submission

    def _give_assignment(self) -> Assignment:
        return self.assignment

    def _give_answers(self) -> Answers:
        if "answers" not in self._shared:
            self._shared["answers"] = read_answers(self.submission)
        answers: Answers = self._shared["answers"]
        return answers

    def _give_expected(self) -> Expected:
        return self._brought.expected

    def _give_compare(self) -> Compare:
        from grader.checking.comparing import Compare

        return Compare(self._check_now, lambda: self._brought.expected, lambda: self._brought.bank)

    def _give_numbers(self) -> Numbers:
        quantities = lambda: self._brought.quantities  # noqa: E731
        return Numbers(self._check_now, self._give_answers(), self.assignment, quantities)

    def _give_asserted(self) -> Asserted:
        return Asserted(self._check_now, self._give_student())

    def _give_shared(self) -> dict[str, Any]:
        """What one check of this submission leaves for a later one, such as trained weights."""
        return self._shared

    # -------------------------------------------------------------- around each check

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """One check, from its fixtures to its report.

        pytest's own protocol reports setup, call and teardown each by itself, through twenty hooks that nothing here
        listens to; they would be half of what a session costs. Here teardown is reported where it fails.
        """
        identifier = check_id(item) or ""
        declaration = self.selected[identifier]
        self._check_now = Running(declaration, derive_seed(self.seed, identifier))
        self.running[identifier] = self._check_now
        self._on_start(declaration)
        began = time.perf_counter()
        fixtures = item.session._setupstate
        self._stage(item, "call", lambda: self._judge(item, fixtures))
        try:
            fixtures.teardown_exact(nextitem)
        except BaseException as error:
            self._stage(item, "teardown", partial(_reraise, error))
        self.durations[identifier] = time.perf_counter() - began
        self._on_finish(declaration, self.status.get(identifier, Status.GRADER_ERROR))
        return True

    def _judge(self, item: pytest.Item, fixtures: SetupState) -> None:
        self._hand_out(item)
        fixtures.setup(item)
        self._refuse_if_blocked(self._check_now.declaration)
        item.runtest()

    def _stage(self, item: pytest.Item, when: Literal["call", "teardown"], work: Callable[[], None]) -> None:
        call = pytest.CallInfo.from_call(work, when, reraise=_ENDS_THE_SESSION)
        hook = item.session.config.hook
        hook.pytest_runtest_logreport(report=hook.pytest_runtest_makereport(item=item, call=call))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        """The report of one stage. pytest's own would render what was raised, and nobody reads it."""
        identifier = check_id(item) or ""
        if call.excinfo is not None:
            self._take_down(identifier, call.excinfo)
        else:
            self.status.setdefault(identifier, Status.PASSED)
        return pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords={},
            outcome="passed" if call.excinfo is None else "failed",
            longrepr=None,
            when=cast(Literal["call", "teardown"], call.when),
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self._close_worker()

    def pytest_json_modifyreport(self, json_report: dict[str, Any]) -> None:
        self.json_report = json_report

    def pytest_json_runtest_stage(self, report: pytest.TestReport) -> dict[str, Any]:
        """What is read of a stage, and no more: its text would be rendered each time."""
        return {"outcome": report.outcome}

    # -------------------------------------------------------------- inside

    def _take_down(self, identifier: str, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        error = excinfo.value
        running = self.running[identifier]
        if isinstance(error, AssertionError) and raised_in_check_file(excinfo, self.assignment):
            error = Failed(str(error).partition("\n")[0] or "The check's assertion does not hold.")
        if isinstance(error, Outcome):
            running.outcome = error
            self.status[identifier] = error.status
        else:
            self.status[identifier] = Status.GRADER_ERROR
            self.internal[identifier] = "".join(traceback.format_exception(error))

    def _refuse_if_blocked(self, declaration: Check) -> None:
        for dependency in declaration.depends_on:
            status, look = self.status.get(dependency), f"Look at {dependency} first."
            if status is Status.MISSING:
                raise Missing(f"It rests on {dependency}, for which nothing was handed in.", look)
            if status in _STANDS_IN_THE_WAY:
                raise Blocked(f"It rests on {dependency}, which did not pass.", look)

    def _limit(self, declaration: Check) -> float:
        """Code that hung once may hang in every check of its part: the others get less time, yet enough to pass."""
        hung = any(
            self.status.get(c.id) is Status.TIMEOUT
            for c in self.selected.values()
            if c.part == declaration.part
        )
        return declaration.timeout_s / _LESS_PATIENT if hung else declaration.timeout_s

    def _worker_for(self, part: str) -> AskWorker:
        """One worker for the parts of a section, a new one for the next section or where it has died."""
        section = part[:1]
        if self._worker is None or self._worker_section != section or not self._worker.alive:
            self._close_worker()
            self._worker, self._worker_section = self._open_worker(), section
        return self._worker

    def _close_worker(self) -> None:
        if self._worker is not None:
            self._worker.close()
        self._worker = None


for _name in sorted(_GIVEN):
    setattr(
        ChecksPlugin, f"_fixture_{_name}", pytest.fixture(name=_name)(getattr(ChecksPlugin, f"_give_{_name}"))
    )


def _reraise(error: BaseException) -> NoReturn:
    raise error


@lru_cache(maxsize=1_024)
def derive_seed(seed: int, identifier: str) -> int:
    """The seed of one check, below 2^31: independent of which other checks run."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{identifier}".encode()).digest()[:4], "big") >> 1
