"""On Linux: one warm zygote, from which every worker is forked in milliseconds."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from grader.errors import WorkerStartFailed
from grader.worker import twin
from grader.worker.channel import Channel
from grader.worker.folder import WATCH_S, Folder
from grader.worker.handle import Exit, PidfdProcess, Worker, reply_caps, watch
from grader.worker.inside.view import SCRATCH, UNPRIVILEGED
from grader.worker.launch import Ready, command, configuration, environment, start_failure
from grader.worker.spec import ZygoteSpec

_PROGRAM = "zygote.py"


class ForkingHost:
    """The zygote process and what it says. Made by `Zygote`."""

    def __init__(self, spec: ZygoteSpec, requested: str) -> None:
        self._spec = spec
        self._requested = requested
        self._process: subprocess.Popen[bytes] | twin.Forked | None = None
        self._ready: Ready | None = None
        self._zygote_rss_kib = 0
        self._count = 0
        self._exits: dict[int, Exit] = {}
        self._spawned: dict[int, int] = {}
        self._released: set[int] = set()
        self._lock = threading.RLock()

    # ------------------------------------------------------------ start and end

    def start(self) -> None:
        """Starts the process, or takes the one that waits, and returns at once."""
        waiting = twin.take()
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
        if self._ready is not None:
            return self._ready
        limit = self._spec.limits.startup_s
        try:
            message, _ = self._receive(time.monotonic() + limit)
        except WorkerStartFailed:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise WorkerStartFailed(
                f"The worker's zygote was not ready within {limit:g} s ({error})."
            ) from None
        if message.get("op") != "ready":
            self.close()
            raise start_failure(message)
        self._zygote_rss_kib = message["rss_kib"]
        self._ready = Ready(message["level"], message["environment"], message["remarks"], message["reasons"])
        return self._ready

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

    # ------------------------------------------------------------ workers

    def worker(self, files: Sequence[tuple[str, bytes]], name: str) -> Worker:
        """A new worker that holds `files`."""
        strict = self.wait_ready().level == "strict"
        self._count += 1
        number, limits = self._count, self._spec.limits
        folder = None if strict else self._make_folder(number)
        with ExitStack() as undo:
            if folder is not None:
                undo.callback(folder.remove)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            undo.callback(ours.close)
            output = os.memfd_create("worker-output")
            undo.callback(os.close, output)
            with theirs:
                pidfd = self._spawn(number, folder, theirs, output)
            undo.pop_all()
        worker = Worker(
            Channel(ours, reply_caps(limits), None if folder is None else watch(folder), WATCH_S),
            PidfdProcess(pidfd),
            output,
            limits,
            exit_of=lambda wait_s: self._exit_of(number, wait_s),
            release=lambda: self._release(number, folder),
        )
        worker.load(files, name)
        return worker

    def _make_folder(self, number: int) -> Folder:
        folder = Folder(self._base / f"worker-{number}", self._spec.limits)
        if os.geteuid() == 0:
            os.chown(folder.path, UNPRIVILEGED, UNPRIVILEGED)
        return folder

    def _spawn(self, number: int, folder: Folder | None, wire_end: socket.socket, output: int) -> int:
        """Orders a worker and returns its pidfd."""
        box = None if folder is None else str(folder.path)
        order = json.dumps({"op": "spawn", "n": number, "box": box}).encode()
        deadline = time.monotonic() + self._spec.limits.startup_s
        with self._lock:
            try:
                socket.send_fds(self._control, [order], [wire_end.fileno(), output])
                while number not in self._spawned:
                    self._take(*self._receive(deadline))
            except OSError as error:
                raise self._gone(str(error) or "it does not answer") from None
            return self._spawned.pop(number)

    def _exit_of(self, number: int, wait_s: float) -> Exit | None:
        """How worker `number` ended, waiting for it at most `wait_s` seconds; None where it lives."""
        deadline = time.monotonic() + wait_s
        with self._lock:
            while number not in self._exits:
                try:
                    self._take(*self._receive(deadline))
                except TimeoutError:
                    return None
            return self._exits[number]

    def _release(self, number: int, folder: Folder | None) -> None:
        """After a kill. The folder can go as soon as the process is gone; without one there is nothing to wait for."""
        if folder is not None:
            self._exit_of(number, 5.0)
            folder.remove()
        if self._exits.pop(number, None) is None:
            self._released.add(number)

    def _take(self, message: dict[str, Any], fds: list[int]) -> None:
        number = message.get("n", 0)
        if message.get("op") == "spawned":
            self._spawned[number] = fds[0]
        elif message.get("op") == "exited" and number in self._released:
            self._released.remove(number)
        elif message.get("op") == "exited":
            grown = (message["rss_kib"] - self._zygote_rss_kib) * 1024
            self._exits[number] = Exit(message["code"], message["cpu_s"], grown)

    def _receive(self, deadline: float) -> tuple[dict[str, Any], list[int]]:
        """One message of the zygote; raises TimeoutError, or WorkerStartFailed where the zygote is gone."""
        self._control.settimeout(max(deadline - time.monotonic(), 0.001))
        data, fds, _, _ = socket.recv_fds(self._control, 2**20, 4)
        if not data:
            raise self._gone("it closed its end")
        message: dict[str, Any] = json.loads(data)
        return message, fds

    def _gone(self, why: str) -> WorkerStartFailed:
        size = os.fstat(self._errors).st_size
        words = os.pread(self._errors, 4_000, max(0, size - 4_000)).decode("utf-8", "replace").strip()
        return WorkerStartFailed(f"The worker's zygote is gone ({why}). {words}".strip())
