"""A warm judge for many submissions: pytest, torch and the checks are loaded once, and each submission has a fork.

    with Zygote(spec) as zygote, WarmJudge(assignment, selected, zygote) as judge:
        with judge.begin(submission, seed=1) as judging:      # several may run side by side
            results, internal = judging.result()

`WarmJudge` is a process that starts a pytest session, collects the checks, and stops before the first of them. For each
submission it forks: the child goes on with that session, and ends with it. So every submission is judged in a pytest
session that no other submission has touched; nothing that a check, a plugin or a reference leaves behind can reach the
next one, and a judge that dies or hangs takes only its own submission with it. Linux only.
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
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Self

import pytest

from grader.checking.plugin import ChecksPlugin, check_id
from grader.checking.session import results_of, run_checks, run_session
from grader.checking.student import AskWorker
from grader.errors import JudgeDied
from grader.model import Assignment, Check, CheckResult, Submission
from grader.worker.inside import kernel, pages

if TYPE_CHECKING:
    from grader.worker import Zygote
    from grader.worker.connection import Connection

Judged = tuple[list[CheckResult], dict[str, str]]
"""Results in the order of the assignment, and tracebacks of our own errors by check id."""
_CHUNK = 2**20
_NOBODY = Submission(name="", root=Path(), sha256="", files=())


class Rehearsal(NamedTuple):
    """A hand-in of the assignment's own, and by which checks it is judged before the first of others."""

    submission: Submission
    checks: Sequence[Check]


class WarmJudge:
    """The process that judges are forked from. A context manager; `begin` starts it at the first submission."""

    def __init__(
        self,
        assignment: Assignment,
        selected: Sequence[Check],
        zygote: Zygote | None,
        rehearsals: Sequence[Rehearsal] = (),
        imports: Sequence[str] = (),
        seed: int = 0,
        many: bool = False,
    ) -> None:
        """`zygote`: where workers come from; None where no selected check runs student code.

        `rehearsals`: hand-ins of the assignment's own. The warm process judges them before it is forked, so that what
        libraries do only once is done; without them every submission pays for that. `imports`: modules that checks
        import only when they need them, to be imported by then. `seed`: of the rehearsals; where it is that of the
        submissions too, what the reference computes from a seed alone, and keeps, is computed once. `many`: there are
        dozens of submissions, which is worth a third of a second more at the start.
        """
        self._assignment = assignment
        self._selected = selected
        self._zygote = zygote
        self._rehearsals = tuple(rehearsals)
        self._imports = tuple(imports)
        self._seed = seed
        self._many = many
        self._pid: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of its process, once there is one."""
        return self._pid

    def begin(self, submission: Submission, seed: int, only: Collection[str] | None = None) -> Judging:
        """Starts to judge `submission` and returns at once; raises WorkerStartFailed where the zygote is gone.

        `only`: ids of the checks to run; None runs all that were selected.
        """
        self.start()
        connection = None if self._zygote is None else self._zygote.connect()
        with contextlib.ExitStack() as stack:
            ours, theirs = os.pipe2(os.O_CLOEXEC)
            stack.callback(os.close, theirs)
            job = os.memfd_create("job")
            stack.callback(os.close, job)
            with os.fdopen(os.dup(job), "wb") as file:
                pickle.dump((submission, seed, only), file)
            descriptors = [theirs, job]
            if connection is not None:
                stack.enter_context(connection)
                descriptors.append(connection.fileno())
            try:
                socket.send_fds(self._control, [b"judge"], descriptors)
                _, fds, _, _ = socket.recv_fds(self._control, 16, 1)
            except OSError:
                fds = []
            if not fds:
                os.close(ours)
                self.close()
                raise JudgeDied(
                    "The warm judge is gone.", "Run the same command again; `grade --debug` shows more."
                )
        return Judging(ours, fds[0])

    def close(self) -> None:
        """Ends the process; judges that still run end with it."""
        if self._pid is None:
            return
        self._control.close()
        pid, self._pid = self._pid, None
        os.kill(pid, signal.SIGKILL)  # it may wait for a judge that hangs
        os.waitpid(pid, 0)

    def start(self) -> None:
        """Forks it from this process, unless it is there: before this process has threads, and after its imports."""
        if self._pid is not None:
            return
        connection = None if self._zygote is None else self._zygote.connect()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._control.close()
            plugin = _Template(
                self._assignment, self._selected, theirs, self._rehearsals, connection, self._seed, self._many
            )
            _be_template(plugin, self._imports, parent)
        theirs.close()
        if connection is not None:
            connection.close()
        self._pid = pid


class Judging:
    """One submission that is being judged. A context manager: leaving it ends the judge."""

    def __init__(self, results: int, pidfd: int) -> None:
        self._results = results
        self.pidfd = pidfd
        """Of the judge's process; -1 once closed."""
        self._received = bytearray()
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self.pidfd < 0

    def fileno(self) -> int:
        """Readable when `receive` has something to do: for a selector that waits for several."""
        return self._results

    def receive(self) -> bool:
        """Takes what is there, waiting where nothing is; True once it is all there."""
        chunk = os.read(self._results, _CHUNK)
        self._received += chunk
        self._ended = not chunk
        return self._ended

    def result(self) -> Judged:
        """Waits for the end; raises JudgeDied."""
        while not self._ended:
            self.receive()
        try:
            judged: Judged = pickle.loads(self._received)  # written by our own code, see _judge
        except (EOFError, pickle.UnpicklingError):
            raise JudgeDied(
                "The judge of this submission ended without a result.",
                "Grade it again; if it happens twice, `grade --debug` on it alone shows where.",
            ) from None
        return judged

    def close(self) -> None:
        """Ends the judge if it still runs; its workers end with it."""
        if self.closed:
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        os.close(self.pidfd)
        os.close(self._results)
        self.pidfd = -1


# ---------------------------------------------------------------- in the forked processes


class _Template(ChecksPlugin):
    """Stops the session before its first check, and lets a forked copy of it go on for each submission."""

    def __init__(
        self,
        assignment: Assignment,
        selected: Sequence[Check],
        control: socket.socket,
        rehearsals: Sequence[Rehearsal],
        connection: Connection | None,
        seed: int,
        many: bool,
    ) -> None:
        super().__init__(assignment, _NOBODY, selected, seed, _no_worker)
        self._control = control
        self._rehearsals = tuple(rehearsals)
        self._connection = connection
        self._many = many
        self.results = -1
        """In a child: where the result goes."""

    def rehearse(self) -> None:
        """Judge the hand-ins that are there for it, and forget the results."""
        for submission, checks in self._rehearsals:
            open_worker = _opener(submission, self._connection)
            run_checks(self.assignment, submission, checks, seed=self.seed, open_worker=open_worker)
        if self._connection is not None:
            self._connection.close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        _one_thread()  # again: the checks may have brought torch only now
        for item in session.items:
            item.location  # noqa: B018  (pytest computes it when it is first read, which takes a while)
        gc.collect()
        gc.freeze()
        if self._many:
            pages.gather(Path("/proc/self/maps").read_text())
        while True:
            message, fds, _, _ = socket.recv_fds(self._control, 16, 3)
            if not message:
                return True
            _reap()
            pid = os.fork()
            if pid == 0:
                self._become_judge(session, *fds)
                return None
            with contextlib.suppress(OSError):
                fds.append(os.pidfd_open(pid))
                socket.send_fds(self._control, [b"judging"], fds[-1:])
            for fd in fds:
                os.close(fd)

    def _become_judge(
        self, session: pytest.Session, results: int, job: int, workers: int | None = None
    ) -> None:
        kernel.die_with_parent(signal.SIGKILL)
        self._control.close()
        self.results = results
        with os.fdopen(job, "rb") as file:
            file.seek(0)
            submission, seed, only = pickle.load(file)
        if only is not None:
            self.selected = {id: check for id, check in self.selected.items() if id in only}
            session.items[:] = [item for item in session.items if check_id(item) in self.selected]
        line = None
        if workers is not None:
            assert self._connection is not None
            line = self._connection.over(workers)
        self.judge(submission, seed, _opener(submission, line))


def _opener(submission: Submission, connection: Connection | None) -> Callable[[], AskWorker]:
    if connection is None:
        return _no_worker
    files = [(file.path, file.content) for file in submission.files if file.problem is None]
    return lambda: connection.worker(files, submission.name)


def _one_thread() -> None:
    """Keep torch from its pool of threads, which does not survive a fork: whoever waits for it hangs."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def _reap() -> None:
    """Let go of the judges that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _be_template(plugin: _Template, imports: Sequence[str], parent: int) -> NoReturn:
    """What the warm process does, and after a fork the judge."""
    code = 1
    try:
        kernel.die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)  # the parent was gone before it could be said
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends what has to end
        _one_thread()
        plugin.rehearse()
        for name in imports:
            importlib.import_module(name)
        exit_code = run_session(plugin)
        if plugin.results >= 0:
            with os.fdopen(plugin.results, "wb") as file:
                pickle.dump(results_of(plugin, exit_code), file)
        code = 0
    except BaseException:  # the parent sees that there is no result
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def _no_worker() -> AskWorker:
    raise RuntimeError("a check asks for student code, but its part declares no worker")
