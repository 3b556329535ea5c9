"""The zygote: imports once, seals, and forks a worker for each hand-in. Run as a program, with no argument.

It speaks JSON messages with the judge over the socket at file descriptor 3 (SOCK_SEQPACKET):

    judge   the configuration, once
    zygote  {"op": "ready", ...} or {"op": "failed", "kind": "isolation" | "start", "reason": ...}
    judge   {"op": "spawn", "n": 1, "box": folder, "cpus": [0, 1]}
                                                     with the worker's end of its wire, and its output file
    zygote  {"op": "spawned", "n": 1}                with a pidfd
    zygote  {"op": "exited", "n": 1, "code": ..., "cpu_s": ..., "rss_kib": ...}
    judge   {"op": "connect"}                        with one end of another such socket

A connection knows the workers that it ordered and no others; they are ended when it hangs up. Nothing of a hand-in
passes through here, and no secret is ever sent here.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib.util
import json
import os
import resource
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NoReturn

CONTROL = 3


def _load_own_package() -> None:
    """This file is run by its path: make its folder a package, so that relative imports work without sys.path."""
    here = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        "grader_inside", os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["grader_inside"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    _load_own_package()
    __package__ = "grader_inside"

from . import handin, probe, seal, serve, view, warm, wire  # noqa: E402


class HungUp(Exception):
    """The other end of a connection is gone."""


class Control:
    """Messages with a judge."""

    def __init__(self, fd: int) -> None:
        self.socket = socket.socket(fileno=fd)

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        """One message and the descriptors with it; raises HungUp."""
        try:
            data, fds, _, _ = socket.recv_fds(self.socket, 2**20, 8)
        except ConnectionResetError:
            raise HungUp from None
        if not data:
            raise HungUp
        message: dict[str, Any] = json.loads(data)
        return message, fds

    def send(self, message: dict[str, Any], fds: list[int] | None = None) -> None:
        """One message; raises HungUp."""
        data = json.dumps(message).encode()
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self.socket.sendmsg([data], ancillary)
        except (BrokenPipeError, ConnectionResetError):
            raise HungUp from None


@dataclass(frozen=True, slots=True)
class Forked:
    """A worker, as the zygote keeps it."""

    number: int
    """As its judge calls it."""
    pid: int
    ordered_by: Control


class Zygote:
    """The warm process."""

    def __init__(self, control: Control, config: dict[str, Any]) -> None:
        self._control = control
        self._config = config
        self._workers: dict[int, Forked] = {}
        """By pidfd."""
        self._connections: dict[int, Control] = {control.socket.fileno(): control}
        """By file descriptor; when the first hangs up, all ends."""
        self._harness: ModuleType | None = None

    # ------------------------------------------------------------ start

    def start(self) -> None:
        """Seals, imports, warms up, and tells the judge."""
        began = time.process_time()
        own = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        config = self._config
        seen = view.look(own, config["base"], config["assets"], tuple(config["hidden"]))
        sys.path[:] = seen.python_path
        sys.meta_path[:] = [
            f for f in sys.meta_path if getattr(f, "__module__", "").startswith("_frozen_importlib")
        ]
        plan, reasons = probe.choose(config["isolation"], seen)
        if plan is None:
            self._control.send({"op": "failed", "kind": "isolation", "reason": "; ".join(reasons)})
            os._exit(0)
        self._names = handin.library_names(seen.python_path)
        sources = warm.Sources.read(config)
        self._sealer = seal.Sealer(plan, seen)
        self._sealer.enter()
        strict = plan.level == seal.STRICT
        warm.set_folders(view.SANDBOX if strict else os.path.join(config["base"], view.SCRATCH))
        os.chdir("/")
        many = config["many"]
        usual = gc.get_threshold()
        gc.set_threshold(*usual[:2], 1_000_000)  # what is loaded stays: see twin.py
        self._harness = warm.load(config["preload"], sources, self._sealer.assets, many=many)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*usual)
        self._sealer.warmed(many=many)
        self._warm_bytes = self._sealer.address_space()
        self._sealer.freeze()
        self._control.send(
            {
                "op": "ready",
                "level": plan.level,
                "remarks": list(plan.remarks),
                "reasons": reasons,
                "environment": warm.environment(),
                "warm_bytes": self._warm_bytes,
                "rss_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
                "cpu_s": time.process_time() - began,
            }
        )

    # ------------------------------------------------------------ service

    def serve(self) -> NoReturn:
        """Until the judge hangs up."""
        self._poll = select.poll()
        self._poll.register(self._control.socket.fileno(), select.POLLIN)
        while True:
            for fd, _ in self._poll.poll():
                if fd in self._workers:
                    self._reap(fd)
                elif fd in self._connections:
                    self._answer(self._connections[fd])

    def _answer(self, connection: Control) -> None:
        try:
            message, fds = connection.receive()
            if message["op"] == "connect":
                self._connect(*fds)
            else:
                self._spawn(connection, message, *fds)
        except HungUp:
            self._hang_up(connection)

    def _connect(self, fd: int) -> None:
        self._connections[fd] = Control(fd)
        self._poll.register(fd, select.POLLIN)

    def _hang_up(self, connection: Control) -> None:
        """Nobody waits for what its workers would answer."""
        if connection is self._control:
            os._exit(0)
        fd = connection.socket.fileno()
        if self._connections.pop(fd, None) is None:
            return
        self._poll.unregister(fd)
        connection.socket.close()
        for pidfd, worker in self._workers.items():
            if worker.ordered_by is connection:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)

    def _spawn(self, connection: Control, message: dict[str, Any], channel: int, output: int) -> None:
        pid = self._sealer.fork()
        if pid == 0:
            with contextlib.suppress(OSError):  # not all of them are for this process: it keeps its own
                os.sched_setaffinity(0, message["cpus"])
            self._become_worker(channel, output, message["box"] or view.SANDBOX)
        os.close(channel)
        os.close(output)
        pidfd = os.pidfd_open(pid)
        self._workers[pidfd] = Forked(message["n"], pid, connection)
        self._poll.register(pidfd, select.POLLIN)
        connection.send({"op": "spawned", "n": message["n"]}, [pidfd])

    def _become_worker(self, channel: int, output: int, box: str) -> NoReturn:
        limits = seal.Limits(**self._config["limits"])
        try:
            _take_over_descriptors(channel, output, self._sealer.open_files)
            serve.serve(
                socket.socket(fileno=CONTROL),
                serve.Warm(
                    seal=lambda box, unpack: self._sealer.seal(box, limits, self._warm_bytes, unpack),
                    reply_caps=wire.Caps(**self._config["reply_caps"]),
                    harness=self._harness,
                    library_names=self._names,
                    room=(limits.tmp_bytes, limits.tmp_inodes),
                ),
                box,
            )
        finally:
            os._exit(1)

    def _reap(self, pidfd: int) -> None:
        worker = self._workers.pop(pidfd)
        _, status, used = os.wait4(worker.pid, 0)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        try:
            worker.ordered_by.send(
                {
                    "op": "exited",
                    "n": worker.number,
                    "code": os.waitstatus_to_exitcode(status),
                    "cpu_s": used.ru_utime + used.ru_stime,
                    "rss_kib": used.ru_maxrss,
                }
            )
        except (HungUp, OSError):  # OSError: it has been closed here already
            self._hang_up(worker.ordered_by)


def _take_over_descriptors(channel: int, output: int, still_needed: Iterable[int]) -> None:
    """In a worker: 0 reads nothing, 1 and 2 write to the judge's file, 3 is the wire; all others are closed."""
    os.setsid()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(channel, CONTROL)  # which ends the worker's hold on the zygote's own socket
    start = CONTROL + 1
    for fd in sorted(still_needed):
        os.closerange(start, fd)
        start = fd + 1
    os.closerange(start, 65_536)


def main() -> NoReturn:
    """Runs the zygote; every failure before it is ready is told to the judge."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = Control(CONTROL)
    try:
        config, _ = control.receive()
        zygote = Zygote(control, config)
        try:
            zygote.start()
        except HungUp:
            raise
        except BaseException as error:
            trace = traceback.format_exc(limit=-6)
            reason = f"{type(error).__name__}: {error}"
            control.send({"op": "failed", "kind": "start", "reason": reason[:2_000], "trace": trace[-6_000:]})
            os._exit(1)
    except HungUp:
        os._exit(0)
    zygote.serve()


if __name__ == "__main__":
    main()
