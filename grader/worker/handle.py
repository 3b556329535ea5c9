"""One worker as the judge sees it: batches of calls, an absolute deadline, and what became of it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NoReturn, Protocol, Self

from grader.errors import WorkerStartFailed
from grader.worker.calls import Call, Reply, WorkerCrashed, WorkerOutOfMemory, WorkerTimedOut
from grader.worker.channel import Channel, ChannelClosed, DeadlinePassed
from grader.worker.folder import Folder
from grader.worker.inside import wire
from grader.worker.replies import decode_replies, encode_calls
from grader.worker.spec import Limits

_AT_ONCE = 5.0
"""Seconds within which a killed process is expected to be reaped."""
_OUT_OF_MEMORY_WORDS = ("bad_alloc", "out of memory", "Cannot allocate memory", "MemoryError")
_SIGKILL, _SIGXCPU = 9, 24  # by number: Windows has neither
_LARGE = 256 * 2**20
"""Bytes above the warm size from which a SIGKILL is taken for the kernel's out-of-memory killer."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a worker's process ended."""

    code: int
    """Exit status; negative: killed by that signal."""
    cpu_s: float
    """CPU seconds it used."""
    grown_bytes: int
    """Largest resident size above that of the zygote."""


REQUEST_CAPS = wire.Caps(header_bytes=32 * 2**20, payload_bytes=2**30, nodes=2_000_000, text=2_000_000)
"""What the judge may send; the worker takes the same."""


@cache
def reply_caps(limits: Limits) -> wire.Caps:
    """What the judge takes from a worker."""
    return wire.Caps(payload_bytes=limits.reply_bytes)


class Process(Protocol):
    """What ends a worker."""

    def kill(self) -> None:
        """At once, and lets go of what stands for the process."""


class PidfdProcess:
    """A grandchild, known by a pidfd."""

    def __init__(self, pidfd: int) -> None:
        self.pidfd = pidfd

    def kill(self) -> None:
        """At once."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        os.close(self.pidfd)


class ChildProcess:
    """A child of this process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def kill(self) -> None:
        """At once."""
        self._process.kill()
        self._process.wait()


class TooMuchWritten(Exception):
    """The private folder is over its limit; the sentence says how. `confirm`: once the worker is dead, was it he?"""

    def __init__(self, message: str, confirm: Callable[[], bool]) -> None:
        super().__init__(message)
        self.confirm = confirm


class Worker:
    """A sealed process that holds one hand-in. Made by Zygote.worker(); a context manager that ends it."""

    def __init__(
        self,
        channel: Channel,
        process: Process,
        output: int,
        limits: Limits,
        exit_of: Callable[[float], Exit | None],
        release: Callable[[], None],
    ) -> None:
        self._channel = channel
        self.process = process
        self._output = output
        self._limits = limits
        self._exit_of = exit_of
        self._release = release
        self.alive = True
        """False once it was closed, killed, or found dead."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def load(self, files: Sequence[tuple[str, bytes]], name: str, box: str | None = None) -> None:
        """Sends the hand-in (of `name`) and waits until the worker has sealed itself.

        Raises WorkerStartFailed, or WorkerCrashed where the hand-in itself is too much for the private folder.
        """
        request = secrets.token_hex(16)
        contents = [content for _, content in files]
        header = {"id": request, "box": box, "files": [[path, len(content)] for path, content in files]}
        deadline = time.monotonic() + self._limits.startup_s
        try:
            self._channel.send(wire.frame(header, contents, REQUEST_CAPS), deadline)
            answer, _ = self._channel.receive(deadline)
        except TooMuchWritten as error:
            self._end_for(error)
        except (ChannelClosed, DeadlinePassed, wire.WireError) as error:
            words = self._last_words()
            self.kill()
            raise WorkerStartFailed(
                f"The worker for {name!r} did not come up ({type(error).__name__}: {error}). {words}".strip(),
                "This is the grader's fault, not the student's; run `grade` with --debug.",
            ) from None
        if answer != {"id": request, "ready": True}:
            self.kill()
            raise WorkerStartFailed(
                f"The worker for {name!r} did not come up: its first message is not as agreed."
            )

    def run(self, calls: Sequence[Call], timeout_s: float = 20.0) -> list[Reply]:
        """One reply for each call, in order. `timeout_s`: wall-clock seconds for the whole batch.

        Raises WorkerTimedOut, WorkerCrashed or WorkerOutOfMemory; the worker is dead then.
        """
        if not self.alive:
            raise WorkerCrashed("The worker is no longer there.")
        deadline = time.monotonic() + timeout_s
        request = secrets.token_hex(16)
        try:
            self._channel.send(encode_calls(request, calls, REQUEST_CAPS), deadline)
            header, payload = self._channel.receive(deadline)
            if header.get("id") != request:
                raise wire.WireError("an answer that was not asked for")
            return decode_replies(header, payload, len(calls), reply_caps(self._limits))
        except DeadlinePassed:
            self.kill()
            raise WorkerTimedOut(f"There was no answer within {timeout_s:g} s.") from None
        except wire.WireError as error:
            self.kill()
            raise WorkerCrashed(f"The worker sent a broken message: {error}.") from None
        except TooMuchWritten as error:
            self._end_for(error)
        except ChannelClosed:
            raise self._death() from None

    def _end_for(self, error: TooMuchWritten) -> NoReturn:
        """The folder is over its limit: by the student's doing, or else the grader's trouble."""
        self.kill()
        if not error.confirm():
            raise WorkerStartFailed("The disk filled up, and not by the student's code.") from None
        raise WorkerCrashed(str(error)) from None

    def _death(self) -> WorkerCrashed | WorkerOutOfMemory | WorkerTimedOut:
        """Why it hung up. It may have closed the wire and live on: then it is killed."""
        ended = self._exit_of(0.5)
        words = self._last_words()
        self.kill()
        if ended is None:
            return WorkerCrashed("The code closed the connection to the grader.")
        if ended.code in (-_SIGKILL, -_SIGXCPU) and ended.cpu_s >= self._limits.cpu_s - 1:
            return WorkerTimedOut(f"The code used more than {self._limits.cpu_s} s of CPU time.")
        by_kernel = ended.code == -_SIGKILL and ended.grown_bytes > _LARGE
        if ended.code != 0 and (by_kernel or any(word in words for word in _OUT_OF_MEMORY_WORDS)):
            return WorkerOutOfMemory(
                "The code asked for more memory than the limit and its process died of it."
            )
        if ended.code < 0:
            return WorkerCrashed(
                f"The process was ended by signal {_signal_name(-ended.code)}.{_shown(words)}"
            )
        return WorkerCrashed(f"The process ended itself with exit status {ended.code}.{_shown(words)}")

    def _last_words(self) -> str:
        """The end of what went to file descriptors 1 and 2."""
        with contextlib.suppress(OSError):
            size = os.fstat(self._output).st_size
            most = min(size, self._limits.output_bytes)
            os.lseek(self._output, size - most, os.SEEK_SET)
            return os.read(self._output, most).decode("utf-8", "replace")[-1_000:].strip()
        return ""

    def kill(self) -> None:
        """Ends the process at once. Harmless on a dead one."""
        if not self.alive:
            return
        self.alive = False
        self.process.kill()
        self._channel.close()
        os.close(self._output)
        self._release()

    def close(self) -> None:
        """Ends the worker; what it wrote is gone with it."""
        self.kill()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _shown(words: str) -> str:
    return f" Its last words: {words[-300:]}" if words else ""


def watch(folder: Folder) -> Callable[[], None]:
    """Raises TooMuchWritten as soon as the folder is over its limits."""

    def look() -> None:
        excess = folder.excess()
        if excess is not None:
            raise TooMuchWritten(excess, folder.came_back)

    return look
