"""On Linux: one warm zygote, from which every worker is forked in milliseconds."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from grader.errors import WorkerStartFailed
from grader.worker import twin
from grader.worker.connection import Connection, Warmth, gone, receive
from grader.worker.handle import Worker
from grader.worker.inside.view import SCRATCH, UNPRIVILEGED
from grader.worker.launch import Ready, configuration, start_failure
from grader.worker.program import command, environment
from grader.worker.spec import ZygoteSpec

_PROGRAM = "zygote.py"


class ForkingHost:
    """The zygote process and what it says. Made by `Zygote`."""

    def __init__(self, spec: ZygoteSpec, requested: str) -> None:
        self._spec = spec
        self._requested = requested
        self._process: subprocess.Popen[bytes] | twin.Forked | None = None
        self._connection: Connection | None = None

    def start(self) -> None:
        """Starts the process, or takes the one that waits, and returns at once."""
        waiting = twin.take() if "torch" in self._spec.preload else None  # another zygote wants no torch
        if waiting is None:
            self._start_process()
        else:
            self._process, self._control = waiting.process, waiting.control
            self._errors, self._base = waiting.errors, waiting.base
        scratch = self._base / SCRATCH
        scratch.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(scratch, UNPRIVILEGED, UNPRIVILEGED)
        with contextlib.suppress(OSError):  # it died already: wait_ready() says why
            self._control.send(json.dumps(configuration(self._spec, self._requested, self._base)).encode())

    def _start_process(self) -> None:
        self._base = Path(tempfile.mkdtemp(prefix="grade-"))
        self._base.chmod(0o711)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        self._errors = os.memfd_create("zygote-errors")
        with theirs:
            self._process = subprocess.Popen(
                command(_PROGRAM, str(theirs.fileno())),
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                pass_fds=(theirs.fileno(),),
                env=environment(self._base),
                cwd="/",
                start_new_session=True,
            )

    def wait_ready(self) -> Ready:
        """Blocks until the zygote is warm; raises WorkerStartFailed or IsolationUnavailable."""
        return self.connection().ready

    def connection(self) -> Connection:
        """The line over which workers are ordered, once the zygote is warm; raises like `wait_ready`."""
        if self._connection is not None:
            return self._connection
        limit = self._spec.limits.startup_s
        try:
            message, _ = receive(self._control, time.monotonic() + limit)
        except EOFError:
            error = gone(self._errors, "it closed its end")
            self.close()
            raise error from None
        except OSError as error:
            self.close()
            raise WorkerStartFailed(
                f"The worker's zygote was not ready within {limit:g} s ({error})."
            ) from None
        if message.get("op") != "ready":
            self.close()
            raise start_failure(message)
        ready = Ready(message["level"], message["environment"], message["remarks"], message["reasons"])
        warmth = Warmth(ready, message["rss_kib"], self._base, self._errors)
        self._connection = Connection(self._control, self._spec, warmth)
        return self._connection

    def close(self) -> None:
        """Ends the zygote and with it every worker, and removes what they wrote."""
        if self._process is None:
            return
        process, self._process = self._process, None
        self._control.close()
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:  # it is in the middle of an import
            process.kill()
            process.wait()
        os.close(self._errors)
        shutil.rmtree(self._base, ignore_errors=True)

    @property
    def pid(self) -> int:
        """Of the process that was started (at strict: of the one that waits for the zygote)."""
        assert self._process is not None
        return self._process.pid

    def worker(self, files: Sequence[tuple[str, bytes]], name: str) -> Worker:
        """A new worker that holds `files`."""
        return self.connection().worker(files, name)
