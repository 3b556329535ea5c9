"""`grade` starting over as a clean interpreter that forks the zygote before it is told anything (Linux only).

Importing torch costs seconds. A zygote of its own would pay them a second time; forked from a judge that has read the
command line and the environment, it would hold what student code must not see. So `start_over()` replaces the
process by the program `inside/twin.py`, which imports torch, forks, and only then learns what it was called for.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from grader.worker.program import command, environment

_PROGRAM = "twin.py"
_POLL_S = 0.005

_allowed = False
_twin: Twin | None = None


@dataclass(frozen=True, slots=True)
class Twin:
    """A zygote that was forked from this process before it knew anything, and waits for its configuration."""

    process: Forked
    control: socket.socket
    errors: int
    base: Path


class Forked:
    """A child made by fork, with the part of subprocess.Popen that a zygote needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended = False

    def wait(self, timeout: float | None = None) -> None:
        """Blocks until it has ended; raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._ended:
            done, _ = os.waitpid(self.pid, 0 if deadline is None else os.WNOHANG)
            self._ended = done == self.pid
            if not self._ended and deadline is not None:
                if time.monotonic() > deadline:
                    raise subprocess.TimeoutExpired("zygote", timeout or 0.0)
                time.sleep(_POLL_S)

    def kill(self) -> None:
        """Ends it at once."""
        if not self._ended:
            os.kill(self.pid, signal.SIGKILL)


def allow() -> None:
    """Said by the program `grade` alone: whoever calls its functions from another program must not be replaced."""
    global _allowed
    _allowed = sys.platform == "linux"


def start_over() -> None:
    """Replace this process by one that shares its import of torch with a zygote.

    Does not return where it works; returns where it was done already, or is not to be done here.
    """
    global _allowed
    if not _allowed:
        return
    _allowed = False
    base = Path(tempfile.mkdtemp(prefix="grade-"))
    base.chmod(0o711)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    letter, errors = os.memfd_create("letter"), os.memfd_create("zygote-errors")
    message = {
        "argv": sys.argv,
        "path": sys.path,
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "base": str(base),
    }
    with os.fdopen(os.dup(letter), "wb") as file:
        file.write(json.dumps(message).encode())
    descriptors = [ours.detach(), theirs.detach(), errors, letter]
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    line = [*command(_PROGRAM, None), *map(str, descriptors)]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(line[0], line, environment(base))


def arrived(pid: int | None, control: int, errors: int, base: str) -> None:
    """Told by inside/twin.py to the judge that goes on in its process."""
    global _twin
    os.set_inheritable(control, False)
    os.set_inheritable(errors, False)
    if pid is None:
        os.close(control)
        os.close(errors)
        shutil.rmtree(base, ignore_errors=True)  # the import may have left a cache in it
        return
    _twin = Twin(Forked(pid), socket.socket(fileno=control), errors, Path(base))


def take() -> Twin | None:
    """The zygote that waits, once."""
    global _twin
    twin, _twin = _twin, None
    return twin
