"""A line to a warm zygote over which workers are ordered; more than one process may have one."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from grader.errors import WorkerStartFailed
from grader.worker.channel import Channel
from grader.worker.folder import WATCH_S, Folder
from grader.worker.handle import Exit, PidfdProcess, Worker, reply_caps, watch
from grader.worker.inside.view import UNPRIVILEGED
from grader.worker.launch import Ready
from grader.worker.spec import ZygoteSpec


@dataclass(frozen=True, slots=True)
class Warmth:
    """What is known of a zygote that is ready."""

    ready: Ready
    rss_kib: int
    """Its resident size."""
    base: Path
    """The folder that it and its workers may use."""
    errors: int
    """Descriptor of the file that takes what it writes to standard error."""


class Connection:
    """Orders workers and learns how they ended. Safe to use from several threads, not from two processes."""

    def __init__(self, control: socket.socket, spec: ZygoteSpec, warmth: Warmth) -> None:
        self._control = control
        self._spec = spec
        self._warmth = warmth
        self._count = 0
        self._exits: dict[int, Exit] = {}
        self._spawned: dict[int, int] = {}
        self._released: set[int] = set()
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Hangs up: the zygote ends the workers that were ordered over this line."""
        self._control.close()

    def fileno(self) -> int:
        """Of the socket."""
        return self._control.fileno()

    def over(self, descriptor: int) -> Connection:
        """Another line to the same zygote, in a forked process that was sent the socket of one that `fork` made."""
        return Connection(socket.socket(fileno=descriptor), self._spec, self._warmth)

    @property
    def ready(self) -> Ready:
        """Level and facts of the zygote."""
        return self._warmth.ready

    def worker(self, files: Sequence[tuple[str, bytes]], name: str) -> Worker:
        """A new worker that holds `files` (relative POSIX path, content); raises WorkerStartFailed."""
        strict = self.ready.level == "strict"
        self._count += 1
        number, limits = self._count, self._spec.limits
        folder = None if strict else self._make_folder()
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

    def fork(self) -> Connection:
        """A second line to the same zygote, for a process that is forked off; both ends may be used at once."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                socket.send_fds(self._control, [json.dumps({"op": "connect"}).encode()], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise self._gone(str(error)) from None
        return Connection(ours, self._spec, self._warmth)

    # ------------------------------------------------------------ inside

    def _make_folder(self) -> Folder:
        # By chance, since other lines to the same zygote make folders there too.
        folder = Folder(self._warmth.base / f"worker-{secrets.token_hex(8)}", self._spec.limits)
        if os.geteuid() == 0:
            os.chown(folder.path, UNPRIVILEGED, UNPRIVILEGED)
        return folder

    def _spawn(self, number: int, folder: Folder | None, wire_end: socket.socket, output: int) -> int:
        """Orders a worker and returns its pidfd. It runs where its judge may run: they work in turn, and so what one
        leaves in the caches of a processor is there for the other."""
        box = None if folder is None else str(folder.path)
        cpus = sorted(os.sched_getaffinity(0))
        order = json.dumps({"op": "spawn", "n": number, "box": box, "cpus": cpus}).encode()
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
            grown = (message["rss_kib"] - self._warmth.rss_kib) * 1024
            self._exits[number] = Exit(message["code"], message["cpu_s"], grown)

    def _receive(self, deadline: float) -> tuple[dict[str, Any], list[int]]:
        """One message of the zygote; raises TimeoutError, or WorkerStartFailed where the zygote is gone."""
        try:
            return receive(self._control, deadline)
        except EOFError:
            raise self._gone("it closed its end") from None

    def _gone(self, why: str) -> WorkerStartFailed:
        return gone(self._warmth.errors, why)


def receive(control: socket.socket, deadline: float) -> tuple[dict[str, Any], list[int]]:
    """One message over `control` before the time.monotonic() `deadline`; raises TimeoutError or EOFError."""
    control.settimeout(max(deadline - time.monotonic(), 0.001))
    data, fds, _, _ = socket.recv_fds(control, 2**20, 4)
    if not data:
        raise EOFError
    message: dict[str, Any] = json.loads(data)
    return message, fds


def gone(errors: int, why: str) -> WorkerStartFailed:
    """The zygote has ended: why, and its last words from the file at descriptor `errors`."""
    words = ""
    with contextlib.suppress(OSError):
        size = os.fstat(errors).st_size
        words = os.pread(errors, 4_000, max(0, size - 4_000)).decode("utf-8", "replace").strip()
    return WorkerStartFailed(f"The worker's zygote is gone ({why}). {words}".strip())
