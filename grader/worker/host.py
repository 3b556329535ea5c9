"""The zygote as the judge sees it: started once, asked for workers, told to end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, Self

from grader.errors import IsolationUnavailable, WorkerStartFailed
from grader.model import Isolation
from grader.worker.channel import Channel
from grader.worker.folder import WATCH_S, Folder
from grader.worker.handle import Exit, TooMuchWritten, Worker, reply_caps
from grader.worker.inside.seal import UNPRIVILEGED
from grader.worker.levels import describe
from grader.worker.spec import ZygoteSpec

Level = Literal["auto", "strict", "container", "none"]

_PROGRAM = Path(__file__).parent / "inside" / "zygote.py"
_CONTROL = 3
_FIX = (
    "Grade on Linux 6.2 or later with Landlock enabled, or in a container there (see SECURITY.md); "
    "to check your own code without protection, add --unsafe-no-isolation."
)


class Zygote:
    """One warm process and its workers. `start()` returns as soon as the process runs; the first worker waits."""

    def __init__(self, spec: ZygoteSpec, isolation: Level = "auto") -> None:
        self._spec = spec
        self._requested = isolation
        self._process: subprocess.Popen[bytes] | None = None
        self._ready: dict[str, Any] | None = None
        self._count = 0
        self._exits: dict[int, Exit] = {}
        self._spawned: dict[int, int] = {}
        self._released: set[int] = set()
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        if self._process is None:
            self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # ------------------------------------------------------------ start and end

    def start(self) -> None:
        """Starts the process and returns at once; raises IsolationUnavailable where there can be none."""
        if sys.platform != "linux":
            raise IsolationUnavailable(f"Student code cannot be sealed off on {sys.platform}.", _FIX)
        self._base = Path(tempfile.mkdtemp(prefix="grade-"))
        self._base.chmod(0o711)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        self._errors = os.memfd_create("zygote-errors")
        with theirs:
            self._process = subprocess.Popen(
                _command(theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                pass_fds=(theirs.fileno(),),
                env=_environment(self._base),
                cwd="/",
                start_new_session=True,
            )
        with contextlib.suppress(OSError):  # it died already: wait_ready() says why
            self._control.send(json.dumps(self._configuration()).encode())

    def _configuration(self) -> dict[str, Any]:
        spec, limits = self._spec, self._spec.limits
        scratch = self._base / "zygote"
        scratch.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(scratch, UNPRIVILEGED, UNPRIVILEGED)
        names = ("memory_bytes", "cpu_s", "file_bytes", "tmp_bytes", "tmp_inodes", "processes", "open_files")
        return {
            "isolation": self._requested,
            "harness": None if spec.harness is None else str(spec.harness.resolve()),
            "modules": {name: str(path.resolve()) for name, path in spec.modules.items()},
            "assets": None if spec.assets is None else str(spec.assets.resolve()),
            "preload": list(spec.preload),
            "hidden": [str(path.resolve()) for path in spec.hidden],
            "base": str(self._base),
            "limits": {name: getattr(limits, name) for name in names},
            "reply_caps": asdict(reply_caps(limits)),
        }

    def wait_ready(self) -> None:
        """Blocks until the zygote is warm; raises WorkerStartFailed or IsolationUnavailable."""
        if self._ready is not None:
            return
        if self._process is None:
            self.start()
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
        if message.get("op") == "ready":
            self._ready = message
            return
        self.close()
        if message.get("kind") == "isolation":
            raise IsolationUnavailable(
                f"This machine cannot seal off student code ({message['reason']}).", _FIX
            )
        raise WorkerStartFailed(
            f"The worker's zygote did not start: {message['reason']}\n{message.get('trace', '')}".strip(),
            "This is the grader's fault or its installation's, not the student's.",
        )

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

    # ------------------------------------------------------------ what it is

    @property
    def isolation(self) -> Isolation:
        """The level reached, with what it stops and what it does not."""
        ready = self._warm()
        return describe(ready["level"], ready["remarks"], ready["reasons"])

    @property
    def environment(self) -> Mapping[str, str]:
        """Versions and machine facts inside: python, torch, cpu_capability, ..."""
        return dict(self._warm()["environment"])

    @property
    def pid(self) -> int:
        """Of the process that was started (at strict: of the one that waits for the zygote)."""
        assert self._process is not None
        return self._process.pid

    def _warm(self) -> dict[str, Any]:
        self.wait_ready()
        assert self._ready is not None
        return self._ready

    # ------------------------------------------------------------ workers

    def worker(self, files: Sequence[tuple[str, bytes]], name: str = "worker") -> Worker:
        """A new worker that holds `files` (relative POSIX path, content); raises WorkerStartFailed.

        `name` is for messages only; the worker never learns it.
        """
        strict = self._warm()["level"] == "strict"
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
            Channel(ours, reply_caps(limits), None if folder is None else _watch(folder), WATCH_S),
            pidfd,
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
            grown = (message["rss_kib"] - self._warm()["rss_kib"]) * 1024
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


def _watch(folder: Folder) -> Callable[[], None]:
    def look() -> None:
        excess = folder.excess()
        if excess is not None:
            raise TooMuchWritten(excess, folder.came_back)

    return look


def _command(control: int) -> list[str]:
    """The interpreter of the judge, without user site, current folder or any option of the judge's."""
    # the socket has to be descriptor 3, which subprocess cannot do by itself
    move = "import os,runpy,sys; os.dup2(int(sys.argv[1]), 3); sys.argv[:] = sys.argv[2:]; " + _RUN
    return [sys.executable, "-s", "-P", "-c", move, str(control), str(_PROGRAM)]


_RUN = "runpy.run_path(sys.argv[0], run_name='__main__')"


def _environment(base: Path) -> dict[str, str]:
    """Everything that the zygote's environment holds: no variable of the judge's is handed on."""
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "HOME": str(base),
        "TMPDIR": str(base),
        "USER": "student",
        "LOGNAME": "student",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "PYTHONNOUSERSITE": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
