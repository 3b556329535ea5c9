"""Where there is no safe fork (macOS, Windows): a fresh process for each worker, at level none only.

The next process warms up while the judge still imports, as the zygote does on Linux; later ones cost their imports.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from grader.errors import WorkerStartFailed
from grader.worker.channel import Channel, ChannelClosed, DeadlinePassed
from grader.worker.folder import WATCH_S, Folder
from grader.worker.handle import REQUEST_CAPS, ChildProcess, Exit, Worker, reply_caps, watch
from grader.worker.inside import wire
from grader.worker.launch import Ready, configuration, start_failure
from grader.worker.program import command, environment
from grader.worker.spec import ZygoteSpec

_PROGRAM = "fresh.py"


@dataclass(slots=True)
class _Started:
    """A process that is, or is becoming, warm."""

    process: subprocess.Popen[bytes]
    end: socket.socket
    output: IO[bytes]
    ready: Ready | None = None


class FreshHost:
    """Processes without a seal. Made by `Zygote`."""

    def __init__(self, spec: ZygoteSpec) -> None:
        self._spec = spec
        self._base: Path | None = None
        self._spare: _Started | None = None
        self._ready: Ready | None = None
        self._count = 0

    def start(self) -> None:
        """Starts the first process and returns at once."""
        self._base = Path(tempfile.mkdtemp(prefix="grade-"))
        self._spare = self._launch()

    def wait_ready(self) -> Ready:
        """Blocks until the first process is warm; raises WorkerStartFailed."""
        if self._ready is None:
            assert self._spare is not None
            self._ready = self._await(self._spare)
        return self._ready

    def worker(self, files: Sequence[tuple[str, bytes]], name: str) -> Worker:
        """A new worker that holds `files`."""
        started, self._spare = self._spare or self._launch(), None
        self._await(started)
        assert self._base is not None
        self._count += 1
        folder = Folder(self._base / f"worker-{self._count}", self._spec.limits)
        limits, process = self._spec.limits, started.process
        channel = Channel(started.end, reply_caps(limits), watch(folder), WATCH_S)
        child = ChildProcess(process)
        output = os.dup(started.output.fileno())
        started.output.close()
        worker = Worker(
            channel,
            child,
            output,
            limits,
            exit_of=lambda wait_s: _exit_of(process, wait_s),
            release=folder.remove,
        )
        worker.load(files, name, box=str(folder.path))
        return worker

    def close(self) -> None:
        """Ends the process that waits, and removes what was written; workers are ended by their own close()."""
        if self._spare is not None:
            self._end(self._spare)
            self._spare = None
        if self._base is not None:
            shutil.rmtree(self._base, ignore_errors=True)
            self._base = None

    @property
    def pid(self) -> int:
        """Of the process that waits for a hand-in."""
        assert self._spare is not None
        return self._spare.process.pid

    def _launch(self) -> _Started:
        assert self._base is not None
        ours, theirs = socket.socketpair()
        output = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the process)
        windows = sys.platform == "win32"
        with theirs:
            process = subprocess.Popen(
                command(_PROGRAM, None if windows else str(theirs.fileno())),
                stdin=subprocess.PIPE if windows else subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment(self._base),
                cwd=self._base,
                **({} if windows else {"pass_fds": (theirs.fileno(),), "start_new_session": True}),  # type: ignore[call-overload]
            )
            if sys.platform == "win32":  # a socket is handed on by a description made for the very process
                assert process.stdin is not None
                with process.stdin:
                    process.stdin.write(theirs.share(process.pid))
        first = wire.frame(configuration(self._spec, "none", self._base), [], REQUEST_CAPS)
        with contextlib.suppress(OSError):  # it died already: _await() says why
            ours.sendall(b"".join(first))
        return _Started(process, ours, output)

    def _await(self, started: _Started) -> Ready:
        if started.ready is not None:
            return started.ready
        limit = self._spec.limits.startup_s
        try:
            message, _ = Channel(started.end, reply_caps(self._spec.limits)).receive(time.monotonic() + limit)
        except (ChannelClosed, DeadlinePassed, wire.WireError) as error:
            words = self._words(started)
            self.close()
            why = f"{type(error).__name__}: {error}".rstrip(": ")
            raise WorkerStartFailed(f"The worker's process did not start ({why}). {words}".strip()) from None
        if message.get("op") != "ready":
            self.close()
            raise start_failure(message)
        started.ready = Ready("none", message["environment"])
        return started.ready

    def _words(self, started: _Started) -> str:
        self._end(started, keep_output=True)
        started.output.seek(0)
        with started.output as output:
            return output.read()[-4_000:].decode("utf-8", "replace").strip()

    @staticmethod
    def _end(started: _Started, *, keep_output: bool = False) -> None:
        started.process.kill()
        started.process.wait()
        started.end.close()
        if not keep_output:
            started.output.close()


def _exit_of(process: subprocess.Popen[bytes], wait_s: float) -> Exit | None:
    try:
        return Exit(process.wait(wait_s), cpu_s=0.0, grown_bytes=0)
    except subprocess.TimeoutExpired:
        return None
