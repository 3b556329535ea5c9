"""The `student` fixture: asks the worker, and turns what went wrong there into the outcome of the check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from grader.checking.outcomes import StudentFault
from grader.model import Status
from grader.worker.calls import (
    Call,
    Raised,
    Reply,
    Returned,
    WorkerCrashed,
    WorkerFailure,
    WorkerOutOfMemory,
    WorkerTimedOut,
)

_STATUS_OF_FAILURE: tuple[tuple[type[WorkerFailure], Status], ...] = (
    (WorkerTimedOut, Status.TIMEOUT),
    (WorkerOutOfMemory, Status.OUT_OF_MEMORY),
    (WorkerCrashed, Status.CRASHED),
)
_HINTS = {
    Status.TIMEOUT: "Look for a loop that never ends, and for work that could be done once for a whole batch.",
    Status.OUT_OF_MEMORY: "Look for a tensor whose size grows with each call, or a shape that was multiplied twice.",
    Status.CRASHED: "Take out calls that end the process, and try the code in a fresh Python on your machine.",
}


class AskWorker(Protocol):
    """One worker, as the checks see it."""

    @property
    def alive(self) -> bool: ...

    def run(self, calls: Sequence[Call], timeout_s: float) -> list[Reply]: ...

    def close(self) -> None: ...


class Student:
    """The hand-in of one student, to be called.

    A worker is started at the first call and again after one has died; `on_reply` gets what student code printed and
    where it raised, for the evidence.
    """

    def __init__(
        self,
        start_worker: Callable[[], AskWorker],
        timeout_s: float,
        allowed_packages: Sequence[str] = (),
        on_reply: Callable[[Reply], None] = lambda reply: None,
    ) -> None:
        self._start_worker = start_worker
        self.timeout_s = timeout_s
        self._allowed = tuple(allowed_packages)
        self._on_reply = on_reply

    def ask(self, *calls: Call) -> list[Any]:
        """Make `calls` in one round trip and return their values, in order.

        Raises StudentFault where one of them gave no value or the worker died of it.
        """
        return self.values(self.replies(*calls))

    def values(self, replies: Sequence[Reply]) -> list[Any]:
        """The values of `replies`, in order; raises StudentFault for the first that has none."""
        values = []
        for reply in replies:
            if isinstance(reply, Raised):
                raise fault(reply, self._allowed)
            values.append(reply.value)
        return values

    def replies(self, *calls: Call) -> list[Reply]:
        """The same, but what was raised is returned, for a check that expects or explains it."""
        try:
            replies = self._start_worker().run(list(calls), timeout_s=self.timeout_s)
        except WorkerFailure as failure:
            raise self._died(failure) from failure
        for reply in replies:
            if isinstance(reply, Returned) or reply.kind != "skipped":
                self._on_reply(reply)
        return replies

    def _died(self, failure: WorkerFailure) -> StudentFault:
        status = next((s for kind, s in _STATUS_OF_FAILURE if isinstance(failure, kind)), Status.CRASHED)
        if status is Status.TIMEOUT:
            message = f"Your code did not answer within {self.timeout_s:g} seconds and was stopped."
        else:
            message = failure.message
        return StudentFault(status, message, _HINTS[status])


def fault(raised: Raised, allowed_packages: Sequence[str] = ()) -> StudentFault:
    """What a student is told when a call gave no value."""
    place = f"{raised.frames[-1].file}, line {raised.frames[-1].line}" if raised.frames else ""
    at = f" ({place})" if place else ""
    said = f"{raised.type_name}: {raised.message}" if raised.type_name else raised.message
    match raised.kind:
        case "missing":
            near = f"Did you mean {raised.suggestion!r}? " if raised.suggestion else ""
            return StudentFault(
                Status.MISSING, raised.message, f"{near}Names must be exactly as in the handout."
            )
        case "ambiguous":
            return StudentFault(
                Status.FAILED, raised.message, "Hand in one definition; remove or rename the others."
            )
        case "syntax":
            return StudentFault(
                Status.FAILED, raised.message, "Mend the line; `python FILE` shows the same error."
            )
        case "import":
            return _import_fault(raised, said, at, allowed_packages)
        case "signature":
            return StudentFault(
                Status.FAILED, raised.message, "Keep the arguments as the handout gives them."
            )
        case "exit":
            return StudentFault(
                Status.CRASHED,
                f"Your code ended the program{at}: {said}",
                "Take out exit(), quit() and sys.exit().",
            )
        case "value":
            return StudentFault(
                Status.FAILED, raised.message, "Return plain tensors, numbers, texts, lists or dicts."
            )
        case _:
            return _exception_fault(raised, said, at)


def _import_fault(raised: Raised, said: str, at: str, allowed_packages: Sequence[str]) -> StudentFault:
    if raised.type_name != "ModuleNotFoundError":
        return StudentFault(
            Status.FAILED,
            f"Your file could not be imported: {said}{at}",
            "Code at the top level runs on import; keep only definitions there.",
        )
    package = _quoted(raised.message)
    if package.partition(".")[0] in allowed_packages:
        hint = f"{package} may be used, but it is not installed here; tell your instructor."
    else:
        hint = (
            f"{package} may not be used; allowed are {', '.join(allowed_packages)} and the standard library."
        )
    return StudentFault(Status.FAILED, f"Your file imports {package}, which is not there{at}.", hint)


def _exception_fault(raised: Raised, said: str, at: str) -> StudentFault:
    if raised.type_name == "NotImplementedError":
        return StudentFault(
            Status.MISSING, f"This is still the template{at}.", "Write the body, then remove the `raise`."
        )
    if raised.type_name == "MemoryError":
        return StudentFault(
            Status.OUT_OF_MEMORY, f"Your code ran out of memory{at}: {said}", _HINTS[Status.OUT_OF_MEMORY]
        )
    line = f" The line is `{raised.frames[-1].code.strip()}`." if raised.frames else ""
    return StudentFault(
        Status.FAILED, f"Your code raised {said}{at}", f"Read the message at that line.{line}"
    )


def _quoted(message: str) -> str:
    """The package of "No module named 'x.y'"."""
    pieces = message.split("'")
    return pieces[1] if len(pieces) >= 3 else message
