"""Runs public checks in a process of their own, and outlives whatever happens in it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from grader.errors import WorkerStartFailed
from grader.model import Status
from grader.selfcheck.kit import Kit, PublicCheck
from grader.selfcheck.result import Result
from grader.selfcheck.runner import FORKS

_START_S = 180.0
"""Seconds that importing torch and transformers may take on a slow machine with a cold disk."""
_ENDED = None
OnResult = Callable[[Result], None]


class Runs:
    """A warm process that runs checks, one request after the other; a context manager."""

    def __init__(self, kit: Kit, packages: Sequence[str] = ("torch",), *, fork: bool = FORKS) -> None:
        """fork: whether the process copies itself for each request, or serves one and is then replaced."""
        self.kit = kit
        self._forks = fork
        self._packages = packages
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(
        self, checks: Sequence[PublicCheck], on_result: OnResult = lambda result: None
    ) -> tuple[Result, ...]:
        """Run `checks`; each has exactly one result, in the order given. Raises WorkerStartFailed."""
        results: dict[str, Result] = {}
        left = list(checks)
        while left:
            for result in self._run_until_it_ends(left):
                results[result.id] = result
                on_result(result)
            done = [check for check in left if check.id in results]
            if not done:
                raise WorkerStartFailed(
                    "The process for your code ended before the first check.", "Try `pytest` in this folder."
                )
            left = [check for check in left if check.id not in results]
        return tuple(results[check.id] for check in checks)

    def close(self) -> None:
        """End the process, and whatever it has started."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process = None

    def _start(self) -> None:
        how = "fork" if self._forks else "once"
        # -P: a file of the student's that is called like a module of Python's is not imported for it
        arguments = [
            sys.executable,
            "-P",
            "-m",
            "grader.selfcheck.runner",
            how,
            str(self.kit.root),
            str(self.kit.work),
        ]
        self._process = subprocess.Popen(
            [*arguments, *self._packages],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            cwd=self.kit.work,
            start_new_session=True,  # Ctrl-C is for us, and what it started can be ended with it
        )
        self._lines = queue.SimpleQueue()
        threading.Thread(target=_read, args=(self._process, self._lines), daemon=True).start()

    def _run_until_it_ends(self, checks: Sequence[PublicCheck]) -> list[Result]:
        """One request: the results until all are there, one hangs, or the process is gone."""
        by_id = {check.id: check for check in checks}
        results: list[Result] = []
        self._ask([check.id for check in checks])
        running: PublicCheck | None = None
        limit = _START_S
        while True:
            try:
                message = self._next(limit)
            except queue.Empty:
                self.close()
                self._start()
                return [
                    *results,
                    *_lost(running, Status.TIMEOUT, f"It did not end within {limit:g} seconds."),
                ]
            if "start" in message:
                running = by_id[message["start"]]
                limit = self.kit.limit(running.id)
            elif "result" in message:
                results.append(Result.of(message["result"]))
                running = None
            else:
                if not self._forks or message["done"] is _ENDED:
                    self.close()
                    self._start()
                why = (
                    "Your code ended the process: a call of exit(), too much memory, or a fault in a library."
                )
                missing = [c for c in checks if c.id not in {r.id for r in results}]
                if running is None and missing and message["done"] is not _ENDED:
                    return [*results, *(_unreported(check) for check in missing)]
                return [*results, *_lost(running, Status.CRASHED, why)]

    def _ask(self, ids: Sequence[str]) -> None:
        if self._process is None:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it is gone, which its last line will say
            self._process.stdin.write(json.dumps({"checks": list(ids)}) + "\n")
            self._process.stdin.flush()

    def _next(self, seconds: float) -> dict[str, Any]:
        line = self._lines.get(timeout=seconds)
        if line is _ENDED:
            return {"done": _ENDED}
        message: dict[str, Any] = json.loads(line)
        return message


def _lost(check: PublicCheck | None, status: Status, message: str) -> list[Result]:
    return [] if check is None else [Result(check.id, check.title, status, message)]


def _unreported(check: PublicCheck) -> Result:
    message = "This check could not be run; your work is not at fault."
    return Result(check.id, check.title, Status.GRADER_ERROR, message, "`pytest` in this folder says more.")


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    assert process.stdout is not None
    with contextlib.suppress(ValueError, OSError):  # closed while it was read
        for line in process.stdout:
            lines.put(line)
    lines.put(_ENDED)
