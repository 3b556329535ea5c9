"""Sessions of pytest that were collected ahead of the submissions, and the judges that use them.

The warm process begins a session, and where the first check would run it begins another one inside it, and so on.
Inside the last it waits, and forks a judge whenever one is asked for. A judge therefore stands in all of these
sessions: it takes a submission, ends the innermost session with it, sends the results, takes the next submission for
the session around it, and ends with the outermost. So every submission has a pytest session of its own, with a
configuration, plugins and items that no other submission has touched.

What is left is the process. `Surroundings` looks at it after each session; a judge that is not as it was at its fork is
not used again, and the next submission gets a new one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import pytest

import grader
from grader.checking.items import check_id
from grader.checking.plugin import ChecksPlugin
from grader.checking.session import results_of, run_checks, run_session
from grader.checking.student import AskWorker
from grader.checking.surroundings import Surroundings
from grader.model import Assignment, Check, CheckResult, Submission
from grader.paths import data_root
from grader.worker.inside import kernel, pages

if TYPE_CHECKING:
    from grader.worker.connection import Connection

Judged = tuple[list[CheckResult], dict[str, str]]
"""Results in the order of the assignment, and tracebacks of our own errors by check id."""
_NOBODY = Submission(name="", root=Path(), sha256="", files=())


class Rehearsal(NamedTuple):
    """A hand-in of the assignment's own, and by which checks it is judged before the first of others."""

    submission: Submission
    checks: Sequence[Check]


class Order(NamedTuple):
    """What a warm process is for; see `grader.checking.warm.WarmJudge`."""

    assignment: Assignment
    selected: Sequence[Check]
    rehearsals: Sequence[Rehearsal]
    imports: Sequence[str]
    seed: int
    many: bool
    sessions: int


class Delivery(NamedTuple):
    """What a judge sends after each submission."""

    judged: Judged
    ends: str | None
    """Why it judges no other submission, in words; None where it waits for one."""


def be_template(order: Order, control: socket.socket, connection: Connection | None, parent: int) -> NoReturn:
    """What the warm process does, and after a fork the judge. `parent`: the process that forked this one."""
    code = 1
    try:
        kernel.die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)  # the parent was gone before it could be said
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends what has to end
        _one_thread()
        _rehearse(order, connection)
        for name in order.imports:
            importlib.import_module(name)
        _Sessions(order, control, connection).begin(order.sessions - 1)
        code = 0
    except BaseException:  # the parent sees that there is no result
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


class _Sessions:
    """All sessions of one warm process, and after a fork of one judge."""

    def __init__(self, order: Order, control: socket.socket, connection: Connection | None) -> None:
        self._order = order
        self._control = control
        self._connection = connection
        self._surroundings: Surroundings | None = None
        self._results = -1
        """In a judge: where the results of the present submission go."""
        self._line: Connection | None = None
        """In a judge: over which the present submission's workers are ordered."""

    def begin(self, inside: int) -> None:
        """One session, with so many more inside it. Comes back in a judge, whose last submission is delivered."""
        plugin = _Waiting(self._order, lambda plugin, session: self._wait(plugin, session, inside))
        exit_code = run_session(plugin)
        if self._results < 0:
            raise RuntimeError(f"pytest ended with {exit_code} before its first check")
        judged = results_of(plugin, exit_code)
        ends = self._why_it_ends(judged, first=inside + 1 == self._order.sessions)
        with os.fdopen(self._results, "wb") as file:
            pickle.dump(Delivery(judged, ends), file)
        if ends is not None:
            os._exit(0)
        if self._line is not None:
            self._line.close()

    def _why_it_ends(self, judged: Judged, first: bool) -> str | None:
        if first:
            return "there is no other session"
        if judged[1]:
            return "a check failed by the grader's own fault"
        assert self._surroundings is not None
        return self._surroundings.difference()

    def _wait(self, plugin: _Waiting, session: pytest.Session, inside: int) -> None:
        """Where the first check would run: until there is a submission for this session."""
        _one_thread()  # again: the checks may have brought torch only now
        for item in session.items:
            item.location  # noqa: B018  (pytest computes it when it is first read, which takes a while)
        limit = _RECURSION + _depth()  # as much room as in a session that stands in no other
        sys.setrecursionlimit(limit)
        if inside:
            self.begin(inside - 1)
        else:
            self._fork_judges()
        sys.setrecursionlimit(limit)
        assert self._surroundings is not None
        self._surroundings.put_back()
        self._take_submission(plugin, session)

    def _fork_judges(self) -> None:
        """Until the parent hangs up, which ends this process; comes back in each judge."""
        order = self._order
        self._surroundings = Surroundings(
            own=[Path(grader.__file__).parent], assignments=[order.assignment.root, data_root() / "reference"]
        )
        gc.collect()
        gc.freeze()
        if order.many:
            pages.gather(Path("/proc/self/maps").read_text())
        own = os.getpid()
        while True:
            cpu, fds, _, _ = socket.recv_fds(self._control, 16, 1)
            if not cpu:
                os._exit(0)
            _reap()
            pid = os.fork()
            if pid == 0:
                if cpu.isdigit():
                    with contextlib.suppress(OSError):  # taken away meanwhile
                        os.sched_setaffinity(0, {int(cpu)})
                kernel.die_with_parent(signal.SIGKILL)
                if os.getppid() != own:
                    os._exit(0)
                self._control.close()
                self._control = socket.socket(fileno=fds[0])
                return
            with contextlib.suppress(OSError):
                fds.append(os.pidfd_open(pid))
                socket.send_fds(self._control, [b"judge"], fds[-1:])
            for fd in fds:
                os.close(fd)

    def _take_submission(self, plugin: _Waiting, session: pytest.Session) -> None:
        """The next one over the judge's own line; ends the process where there is none."""
        message, fds, _, _ = socket.recv_fds(self._control, 16, 3)
        if not message:
            os._exit(0)
        self._results, job, *workers = fds
        with os.fdopen(job, "rb") as file:
            file.seek(0)
            submission, seed, only = pickle.load(file)
        if only is not None:
            plugin.selected = {id: check for id, check in plugin.selected.items() if id in only}
            session.items[:] = [item for item in session.items if check_id(item) in plugin.selected]
        self._line = None
        if workers:
            assert self._connection is not None
            self._line = self._connection.over(*workers)
        plugin.judge(submission, seed, _opener(submission, self._line))


class _Waiting(ChecksPlugin):
    """Stops its session before the first check."""

    def __init__(self, order: Order, wait: Callable[[_Waiting, pytest.Session], None]) -> None:
        super().__init__(order.assignment, _NOBODY, order.selected, order.seed, _no_worker)
        self._wait = wait

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        self._wait(self, session)


_RECURSION = sys.getrecursionlimit()


def _depth() -> int:
    """Calls that have not returned."""
    depth, frame = 0, sys._getframe()
    while frame.f_back is not None:
        depth, frame = depth + 1, frame.f_back
    return depth


def _rehearse(order: Order, connection: Connection | None) -> None:
    """Judge the hand-ins that are there for it, and forget the results."""
    for submission, checks in order.rehearsals:
        open_worker = _opener(submission, connection)
        run_checks(order.assignment, submission, checks, seed=order.seed, open_worker=open_worker)
    if connection is not None:
        connection.close()


def _opener(submission: Submission, connection: Connection | None) -> Callable[[], AskWorker]:
    if connection is None:
        return _no_worker
    files = [(file.path, file.content) for file in submission.files if file.problem is None]
    return lambda: connection.worker(files, submission.name)


def _no_worker() -> AskWorker:
    raise RuntimeError("a check asks for student code, but its part declares no worker")


def _one_thread() -> None:
    """Keep torch from its pool of threads, which does not survive a fork: whoever waits for it hangs."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def _reap() -> None:
    """Let go of the judges that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
