"""The zygote: imports once, seals, and forks a worker for each hand-in. Run as a program, with no argument.

It speaks JSON messages with the judge over the socket at file descriptor 3 (SOCK_SEQPACKET):

    judge   the configuration, once
    zygote  {"op": "ready", ...} or {"op": "failed", "kind": "isolation" | "start", "reason": ...}
    judge   {"op": "spawn", "n": 1, "box": folder}   with the worker's end of its wire, and its output file
    zygote  {"op": "spawned", "n": 1}                with a pidfd
    zygote  {"op": "exited", "n": 1, "code": ..., "cpu_s": ..., "rss_kib": ...}

Nothing of a hand-in passes through here, and no secret is ever sent here.
"""

from __future__ import annotations

import array
import gc
import importlib
import importlib.util
import json
import os
import platform
import resource
import select
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
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

from . import handin, probe, seal, serve, view, wire  # noqa: E402


class Control:
    """Messages with the judge."""

    def __init__(self, fd: int) -> None:
        self.socket = socket.socket(fileno=fd)

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        """One message and the descriptors with it; ends the process where the judge is gone."""
        data, fds, _, _ = socket.recv_fds(self.socket, 2**20, 8)
        if not data:
            os._exit(0)
        message: dict[str, Any] = json.loads(data)
        return message, fds

    def send(self, message: dict[str, Any], fds: list[int] | None = None) -> None:
        """One message; ends the process where the judge is gone."""
        data = json.dumps(message).encode()
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self.socket.sendmsg([data], ancillary)
        except (BrokenPipeError, ConnectionResetError):
            os._exit(0)


class Zygote:
    """The warm process."""

    def __init__(self, control: Control, config: dict[str, Any]) -> None:
        self._control = control
        self._config = config
        self._workers: dict[int, tuple[int, int]] = {}
        """pidfd -> (number, pid)"""
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
        harness_source = _read(config["harness"])
        sources = {name: _read(path) for name, path in config["modules"].items()}
        self._sealer = seal.Sealer(plan, seen)
        self._sealer.enter()
        self._set_folders(plan)
        self._import(config["preload"])
        for name, source in sources.items():
            _execute(sys.modules.setdefault(name, ModuleType(name)), source)
        self._load_harness(harness_source)
        gc.collect()
        gc.freeze()
        self._warm_bytes = self._sealer.address_space()
        self._sealer.freeze()
        self._control.send(
            {
                "op": "ready",
                "level": plan.level,
                "remarks": list(plan.remarks),
                "reasons": reasons,
                "environment": _environment(),
                "warm_bytes": self._warm_bytes,
                "rss_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
                "cpu_s": time.process_time() - began,
            }
        )

    def _set_folders(self, plan: seal.Plan) -> None:
        """The zygote's own scratch folder (a few libraries want one at import), and the libraries' caches."""
        scratch = view.SANDBOX if plan.level == seal.STRICT else os.path.join(self._config["base"], "zygote")
        for name, value in {"HOME": "home", "TMPDIR": "tmp", "HF_HOME": "home/huggingface"}.items():
            os.environ[name] = os.path.join(scratch, value)
            os.makedirs(os.environ[name], exist_ok=True)
        os.chdir("/")

    def _import(self, names: list[str]) -> None:
        for name in names:
            module = importlib.import_module(name)
            if name == "torch":  # before any operation: a pool of threads does not survive a fork
                module.set_num_threads(1)

    def _load_harness(self, source: bytes | None) -> None:
        if source is None:
            return
        harness = ModuleType("harness")
        assets = self._sealer.assets
        harness.__dict__["ASSETS"] = None if assets is None else Path(assets)
        sys.modules["harness"] = harness
        _execute(harness, source)
        warm_up = getattr(harness, "warm_up", None)
        if warm_up is not None:
            warm_up()
        self._harness = harness

    # ------------------------------------------------------------ service

    def serve(self) -> NoReturn:
        """Until the judge hangs up."""
        poll = select.poll()
        poll.register(self._control.socket.fileno(), select.POLLIN)
        self._poll = poll
        while True:
            for fd, _ in poll.poll():
                if fd == self._control.socket.fileno():
                    message, fds = self._control.receive()
                    self._spawn(message, *fds)
                else:
                    self._reap(fd)

    def _spawn(self, message: dict[str, Any], channel: int, output: int) -> None:
        pid = self._sealer.fork()
        if pid == 0:
            self._become_worker(channel, output, message["box"] or view.SANDBOX)
        os.close(channel)
        os.close(output)
        pidfd = os.pidfd_open(pid)
        self._workers[pidfd] = (message["n"], pid)
        self._poll.register(pidfd, select.POLLIN)
        self._control.send({"op": "spawned", "n": message["n"]}, [pidfd])

    def _become_worker(self, channel: int, output: int, box: str) -> NoReturn:
        config = self._config
        serve.run(
            channel,
            output,
            box,
            serve.Warm(
                sealer=self._sealer,
                limits=seal.Limits(**config["limits"]),
                reply_caps=wire.Caps(**config["reply_caps"]),
                harness=self._harness,
                library_names=self._names,
                warm_bytes=self._warm_bytes,
            ),
        )

    def _reap(self, pidfd: int) -> None:
        number, pid = self._workers.pop(pidfd)
        _, status, used = os.wait4(pid, 0)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        self._control.send(
            {
                "op": "exited",
                "n": number,
                "code": os.waitstatus_to_exitcode(status),
                "cpu_s": used.ru_utime + used.ru_stime,
                "rss_kib": used.ru_maxrss,
            }
        )


def _execute(module: ModuleType, source: bytes | None) -> None:
    exec(compile(source or b"", f"{module.__name__}.py", "exec"), module.__dict__)


def _read(path: str | None) -> bytes | None:
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read()


def _environment() -> dict[str, str]:
    """Versions and machine facts, as this process sees them."""
    facts = {"python": platform.python_version(), "machine": platform.machine()}
    for name in ("torch", "numpy", "transformers", "datasets"):
        module = sys.modules.get(name)
        if module is not None:
            facts[name] = str(getattr(module, "__version__", "unknown"))
    torch = sys.modules.get("torch")
    if torch is not None:
        facts["cpu_capability"] = str(torch.backends.cpu.get_cpu_capability())
    return facts


def main() -> NoReturn:
    """Runs the zygote; every failure before it is ready is told to the judge."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = Control(CONTROL)
    config, _ = control.receive()
    zygote = Zygote(control, config)
    try:
        zygote.start()
    except BaseException as error:
        trace = traceback.format_exc(limit=-6)
        reason = f"{type(error).__name__}: {error}"
        control.send({"op": "failed", "kind": "start", "reason": reason[:2_000], "trace": trace[-6_000:]})
        os._exit(1)
    zygote.serve()


if __name__ == "__main__":
    main()
