"""Where workers come from, as the judge sees it: started once, asked for workers, told to end."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, Self

from grader.errors import IsolationUnavailable
from grader.model import Isolation
from grader.worker.handle import Worker
from grader.worker.launch import FIX, Ready
from grader.worker.levels import describe
from grader.worker.spec import ZygoteSpec

if TYPE_CHECKING:
    from grader.worker.connection import Connection

Level = Literal["auto", "strict", "container", "none"]


class _Host(Protocol):
    def start(self) -> None: ...
    def wait_ready(self) -> Ready: ...
    def worker(self, files: Sequence[tuple[str, bytes]], name: str) -> Worker: ...
    def close(self) -> None: ...
    @property
    def pid(self) -> int: ...


class Zygote:
    """A source of workers. `start()` returns as soon as its process runs; the first worker waits until it is warm.

    `isolation`: "auto" takes the best level that seals; "none" has to be asked for. `fork`: workers are forked from a
    warm process, which only Linux does safely; None decides by the system.
    """

    def __init__(self, spec: ZygoteSpec, isolation: Level = "auto", *, fork: bool | None = None) -> None:
        self._spec = spec
        self._requested: Level = isolation
        self._fork = sys.platform == "linux" if fork is None else fork
        self._host: _Host | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def start(self) -> None:
        """Starts the process and returns at once; raises IsolationUnavailable where there can be none."""
        if self._host is not None:
            return
        host: _Host
        if self._fork:
            from grader.worker.forking import ForkingHost

            host = ForkingHost(self._spec, self._requested)
        elif self._requested == "none":
            from grader.worker.fresh import FreshHost

            host = FreshHost(self._spec)
        else:
            raise IsolationUnavailable(f"Student code cannot be sealed off on {sys.platform}.", FIX)
        host.start()
        self._host = host

    def wait_ready(self) -> None:
        """Blocks until the process is warm; raises WorkerStartFailed or IsolationUnavailable."""
        self._started().wait_ready()

    def close(self) -> None:
        """Ends the process and with it every worker, and removes what they wrote."""
        if self._host is not None:
            self._host.close()

    def worker(self, files: Sequence[tuple[str, bytes]], name: str = "worker") -> Worker:
        """A new worker that holds `files` (relative POSIX path, content); raises WorkerStartFailed.

        `name` is for messages only; the worker never learns it.
        """
        host = self._started()
        host.wait_ready()
        return host.worker(files, name)

    def connect(self) -> Connection:
        """A line of its own to the warm process, for a process that is forked from this one; raises WorkerStartFailed.

        Only where workers are forked (Linux); raises IsolationUnavailable elsewhere.
        """
        from grader.worker.forking import ForkingHost

        host = self._started()
        if not isinstance(host, ForkingHost):
            raise IsolationUnavailable(f"On {sys.platform} no warm process can be shared.", FIX)
        return host.connection().fork()

    @property
    def isolation(self) -> Isolation:
        """The level reached, with what it stops and what it does not."""
        ready = self._started().wait_ready()
        return describe(ready.level, ready.remarks, ready.reasons)

    @property
    def environment(self) -> Mapping[str, str]:
        """Versions and machine facts inside: python, torch, cpu_capability, ..."""
        return dict(self._started().wait_ready().environment)

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        return self._started().pid

    def _started(self) -> _Host:
        self.start()
        assert self._host is not None
        return self._host
