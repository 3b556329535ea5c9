"""A warm judge for many submissions: pytest, torch and the checks are loaded once, and sessions are collected ahead.

    with Zygote(spec) as zygote, WarmJudge(assignment, selected, zygote) as judge:
        with judge.begin(submission, seed=1) as judging:      # several may run side by side
            results, internal = judging.result()

`WarmJudge` is a process that collects sessions of pytest and stops before their first check. Judges are forks of it. A
judge takes one submission after another, each in a session of its own (`grader.checking.ahead`), until its sessions
are used up, or a session has left anything behind in the process: then the next submission gets a new judge. A judge
that dies or hangs takes only its own submission with it. Linux only.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from grader.checking.ahead import Delivery, Judged, Order, Rehearsal, be_template
from grader.errors import JudgeDied
from grader.model import Assignment, Check, Submission

if TYPE_CHECKING:
    from grader.worker import Zygote

__all__ = ["JudgeDied", "Judging", "Rehearsal", "WarmJudge"]
_CHUNK = 2**20


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
        sessions: int = 1,
        pinned: bool = True,
    ) -> None:
        """`zygote`: where workers come from; None where no selected check runs student code.

        `rehearsals`: hand-ins of the assignment's own. The warm process judges them before it is forked, so that what
        libraries do only once is done; without them every submission pays for that. `imports`: modules that checks
        import only when they need them, to be imported by then. `seed`: of the rehearsals; where it is that of the
        submissions too, what the reference computes from a seed alone, and keeps, is computed once. `many`: there are
        dozens of submissions, which is worth a third of a second more at the start. `sessions`: submissions at most
        for one judge. One more is collected once, and spares forks as long as there are submissions. `pinned`: each
        judge stays on one processor, with its workers; not where others that are not known here judge on this machine.
        """
        self._zygote = zygote
        self._order = Order(
            assignment, selected, tuple(rehearsals), tuple(imports), seed, many, max(1, sessions)
        )
        self._pinned = pinned
        self._pid: int | None = None
        self._idle: list[_Judge] = []
        self._judges: Counter[int] = Counter()
        """How many there are on each processor."""

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
                judge = self._given(descriptors)
            except BaseException:
                os.close(ours)
                raise
        return Judging(ours, judge, self._take_back)

    def close(self) -> None:
        """Ends the process; judges that still run end with it."""
        if self._pid is None:
            return
        while self._idle:
            self._end(self._idle.pop())
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
            be_template(self._order, theirs, connection, parent)
        theirs.close()
        if connection is not None:
            connection.close()
        self._pid = pid

    def _given(self, descriptors: Sequence[int]) -> _Judge:
        """The judge that took the submission: one that waits, else a new one; raises JudgeDied."""
        with contextlib.suppress(OSError):
            while self._idle:
                judge = self._idle.pop()
                if judge.take(descriptors):
                    return judge
                self._end(judge)
            judge = self._new_judge()
            if judge.take(descriptors):
                return judge
            self._end(judge)
        self.close()
        raise JudgeDied("The warm judge is gone.", "Run the same command again; `grade --debug` shows more.")

    def _take_back(self, judge: _Judge, idle: bool) -> None:
        if idle and self._pid is not None:
            self._idle.append(judge)
        else:
            self._end(judge)

    def _end(self, judge: _Judge) -> None:
        judge.close()
        if judge.cpu is not None:
            self._judges[judge.cpu] -= 1

    def _new_judge(self) -> _Judge:
        """Forked now; raises OSError where the warm process is gone."""
        cpu = self._least_used() if self._pinned else None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                socket.send_fds(
                    self._control, [b"any" if cpu is None else str(cpu).encode()], [theirs.fileno()]
                )
            _, fds, _, _ = socket.recv_fds(self._control, 16, 1)
            if not fds:
                raise ConnectionResetError
        except OSError:
            ours.close()
            raise
        if cpu is not None:
            self._judges[cpu] += 1
        return _Judge(ours, fds[0], cpu)

    def _least_used(self) -> int:
        """Of all processors, one with the fewest of our judges; of these, the one where this process is, since the
        kernel has put that on an idle one."""
        here = _processor()
        return min(os.sched_getaffinity(0), key=lambda cpu: (self._judges[cpu], cpu != here, cpu))


def _processor() -> int:
    """The one that this process is on."""
    return int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[36])  # see proc(5)


class _Judge:
    """A judge's process, as its parent sees it."""

    def __init__(self, control: socket.socket, pidfd: int, cpu: int | None) -> None:
        self._control = control
        self.pidfd = pidfd
        self.cpu = cpu
        """The processor that it stays on, if any."""

    def take(self, descriptors: Sequence[int]) -> bool:
        """Give it a submission; False where it is gone."""
        try:
            socket.send_fds(self._control, [b"submission"], list(descriptors))
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Ends it; its workers end with it."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        os.close(self.pidfd)
        self._control.close()


class Judging:
    """One submission that is being judged. A context manager: leaving it before the result ends the judge."""

    def __init__(self, results: int, judge: _Judge, give_back: Callable[[_Judge, bool], None]) -> None:
        self._results = results
        self._judge: _Judge | None = judge
        self._give_back = give_back
        self._received = bytearray()
        self._ended = False
        self.ends: str | None = "its submission is not judged"
        """Why its judge judges no other submission, in words; None where it does."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pidfd(self) -> int:
        """Of the judge's process; -1 once closed."""
        return -1 if self._judge is None else self._judge.pidfd

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._judge is None

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
            # Written by our own code, in grader.checking.ahead.
            delivery: Delivery = pickle.loads(self._received)
        except (EOFError, pickle.UnpicklingError):
            raise JudgeDied(
                "The judge of this submission ended without a result.",
                "Grade it again; if it happens twice, `grade --debug` on it alone shows where.",
            ) from None
        self.ends = delivery.ends
        return delivery.judged

    def close(self) -> None:
        """Ends the judge if it still runs, and its workers with it; one that waits for more is left waiting."""
        if self._judge is None:
            return
        judge, self._judge = self._judge, None
        os.close(self._results)
        self._give_back(judge, self.ends is None)
