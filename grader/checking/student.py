"""The `student` fixture: asks the worker, and turns what went wrong there into the outcome of the check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from grader.checking.arrays import as_arrays, as_tensors
from grader.checking.faults import Rules, death, fault
from grader.worker.calls import Call, Raised, Reply, Returned, WorkerFailure

_NO_RULES = Rules()


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
        rules: Rules = _NO_RULES,
        on_reply: Callable[[Reply], None] = lambda reply: None,
    ) -> None:
        self._start_worker = start_worker
        self.timeout_s = timeout_s
        self._rules = rules
        self._on_reply = on_reply

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call the student's function `name` and return its value; raises StudentFault where it gives none."""
        (value,) = self.ask(Call(f"student:{name}", args, kwargs))
        return value

    def function(self, name: str, *, arrays: bool = False) -> Callable[..., Any]:
        """The student's function `name`, to be called as if it were here: each call goes to the worker.

        arrays: it takes and gives NumPy arrays, for which harness.py needs the function `with_arrays` that
        `grade import` writes.
        """
        return partial(self._call_with_arrays if arrays else self.call, name)

    def variable(self, name: str, *, arrays: bool = False) -> Any:
        """What the student's notebook leaves in the variable `name`, for which harness.py needs the function `variable`
        that `grade import` writes. arrays: with NumPy arrays for tensors."""
        (value,) = self.ask(Call("harness:variable", (name,)))
        return as_arrays(value) if arrays else value

    def _call_with_arrays(self, name: str, *args: Any, **kwargs: Any) -> Any:
        given = [as_tensors(list(args)), as_tensors(kwargs)]
        (value,) = self.ask(Call("harness:with_arrays", (name, *given)))
        return as_arrays(value)

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
                raise fault(reply, self._rules)
            values.append(reply.value)
        return values

    def replies(self, *calls: Call) -> list[Reply]:
        """The same, but what was raised is returned, for a check that expects or explains it."""
        try:
            replies = self._start_worker().run(list(calls), timeout_s=self.timeout_s)
        except WorkerFailure as failure:
            raise death(failure, self.timeout_s) from failure
        for reply in replies:
            if isinstance(reply, Returned) or reply.kind != "skipped":
                self._on_reply(reply)
        return replies
