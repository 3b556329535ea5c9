"""The processes that grade for verify: several judges over the same warm processes, so that all cores are used.

The warm processes are started first and import while this one does; the judges are then forked from this one, so that
torch and what else they need is imported once. A pool of threads does not survive a fork, and whoever waits for one
that is gone waits for ever: what is to be computed with more than one thread is therefore graded in this process.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection, wait
from typing import NoReturn

from grader.checking.student import AskWorker
from grader.errors import GraderError, WorkerStartFailed
from grader.model import Assignment
from grader.verify.handins import HandIn
from grader.verify.runs import Seen, Task
from grader.verify.settings import Group
from grader.worker import Zygote, ZygoteSpec

OnDone = Callable[[Task], None]
OpenWorker = Callable[[Sequence[tuple[str, bytes]], str], AskWorker]
"""Files and name of a hand-in -> a worker that holds it."""
_SILENCE_S = 1200
"""What student code may take is limited by each check; so long without one answer, and the fault is the judge's."""


class Judge:
    """Grades in this process."""

    def __init__(
        self,
        assignment: Assignment,
        groups: Sequence[Group],
        handins: Mapping[str, HandIn],
        open_worker: OpenWorker | None,
        open_elsewhere: OpenWorker | None,
    ) -> None:
        """open_worker: None where no check runs student code; open_elsewhere: for what is run again."""
        self._assignment, self._groups, self._handins = assignment, groups, handins
        self._open_worker, self._open_elsewhere = open_worker, open_elsewhere

    def grade(self, task: Task) -> list[Seen]:
        """Run the task's checks on its hand-in; raises WorkerStartFailed, which is no fault of a check."""
        from grader.checking.session import run_checks

        handin = self._handins[task.handin]
        start = self._open_elsewhere if task.again else self._open_worker
        not_started: list[WorkerStartFailed] = []

        def open_worker() -> AskWorker:
            if start is None:
                raise RuntimeError("a check asks for student code, but its part declares no worker")
            try:
                return start(handin.files, handin.name)
            except WorkerStartFailed as error:
                not_started.append(error)
                raise

        with _threads(task.threads):
            results, errors = run_checks(
                self._assignment,
                handin.submission,
                self._groups[task.group].checks,
                seed=task.seed,
                open_worker=open_worker,
            )
        for error in not_started:
            raise error
        return [Seen.of(result, errors.get(result.id)) for result in results]


def grade_all(
    assignment: Assignment,
    groups: Sequence[Group],
    handins: Mapping[str, HandIn],
    tasks: Sequence[Task],
    preload: Sequence[str],
    jobs: int,
    on_done: OnDone,
) -> dict[Task, list[Seen]]:
    """Carry out `tasks` in their order, `jobs` at a time.

    Raises IsolationUnavailable and WorkerStartFailed as grading does, GraderError where a judge dies.
    """
    with ExitStack() as stack:
        spec = ZygoteSpec.of(assignment, tuple(preload)) if preload else None
        # Two, for what was drawn before the first seed is the same in all workers of one: it hides a missing seed.
        zygotes = [stack.enter_context(Zygote(spec)) if spec else None for _ in range(2)]
        for name in ("grader.checking.session", *preload):  # the checks of a part use what its worker uses
            importlib.import_module(name)
        for zygote in filter(None, zygotes):
            zygote.wait_ready()  # where it cannot start, no check is at fault
        judges = []
        for _ in range(jobs if jobs > 1 else 0):
            lines = [stack.enter_context(zygote.connect()).worker if zygote else None for zygote in zygotes]
            judges.append(Judge(assignment, groups, handins, *lines))
        elsewhere = [task for task in tasks if judges and task.threads == 1]
        results = _side_by_side(judges, elsewhere, on_done)
        here = Judge(assignment, groups, handins, *(zygote.worker if zygote else None for zygote in zygotes))
        for task in tasks:
            if task not in results:
                results[task] = here.grade(task)
                on_done(task)
        return {task: results[task] for task in tasks}


def _side_by_side(judges: Sequence[Judge], tasks: Sequence[Task], on_done: OnDone) -> dict[Task, list[Seen]]:
    """Each judge gets the next task as soon as it is done with one."""
    results: dict[Task, list[Seen]] = {}
    waiting = list(reversed(tasks))
    busy: dict[Connection, Task] = {}
    with ExitStack() as stack:
        for judge in judges:
            _send_next(stack.enter_context(_process(judge)), waiting, busy)
        while busy:
            for ready in wait(list(busy), _SILENCE_S) or _give_up(busy.values()):
                assert isinstance(ready, Connection)
                task = busy.pop(ready)
                results[task] = _received(ready, task)
                on_done(task)
                _send_next(ready, waiting, busy)
    return results


def _give_up(tasks: Iterable[Task]) -> NoReturn:
    shown = ", ".join(f"{task.handin} (seed {task.seed})" for task in tasks)
    raise GraderError(
        f"No judge has answered for {_SILENCE_S // 60} minutes; being graded: {shown}.",
        "A check computes for ever, or waits for something: run it again with --jobs 1 to see which.",
    )


def _send_next(wire: Connection, waiting: list[Task], busy: dict[Connection, Task]) -> None:
    if waiting:
        busy[wire] = waiting.pop()
        wire.send(busy[wire])


def _received(wire: Connection, task: Task) -> list[Seen]:
    try:
        answer: list[Seen] | GraderError = wire.recv()
    except EOFError:
        raise GraderError(
            f"The process that graded the {task.handin} (seed {task.seed}) died.",
            "Run it again with --jobs 1 to see why.",
        ) from None
    if isinstance(answer, GraderError):
        raise answer
    return answer


@contextlib.contextmanager
def _process(judge: Judge) -> Iterator[Connection]:
    """A process forked from this one that answers tasks; ended with the block."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(judge, theirs, ours), daemon=True)
    with warnings.catch_warnings():
        # Python 3.12 warns of threads at a fork. Those of the numeric libraries are idle here and not used after it.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    theirs.close()
    try:
        yield ours
    finally:
        process.terminate()
        process.join()
        ours.close()


def _serve(judge: Judge, wire: Connection, other_end: Connection) -> None:
    """The life of a forked judge: until it is terminated, or nobody is there to ask."""
    other_end.close()
    _use_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of the terminal
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(EOFError):
        while True:
            task = wire.recv()
            answer: list[Seen] | GraderError
            try:
                answer = judge.grade(task)
            except GraderError as error:
                answer = error
            except Exception as error:
                answer = GraderError(f"Grading the {task.handin} failed ({type(error).__name__}: {error}).")
            wire.send(answer)


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    """The judge's torch, if it has one, computes with so many threads."""
    before = _use_threads(count)
    try:
        yield
    finally:
        _use_threads(before)


def _use_threads(count: int) -> int:
    """From here on; how many it were. 1 where there is no torch."""
    torch = sys.modules.get("torch")
    if torch is None:
        return 1
    before: int = torch.get_num_threads()
    torch.set_num_threads(count)
    return before
