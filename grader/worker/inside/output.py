"""What student code prints: the last few thousand characters, whatever the flood."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

TAIL = 4_000


class Tail(io.TextIOBase):
    """A text stream that remembers only its end."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._fd = fd
        self._pieces: list[str] = []
        self._size = 0
        self.buffer = _Bytes(self)

    encoding = "utf-8"
    errors = "replace"

    def write(self, text: str, /) -> int:
        """Keeps the end of what was written."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._pieces.append(text[-TAIL:])
        self._size += min(len(text), TAIL)
        if self._size > 16 * TAIL:
            self._cut()
        return len(text)

    def writable(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """The file descriptor under this stream, for libraries that ask."""
        return self._fd

    def isatty(self) -> bool:
        """Never."""
        return False

    def take(self) -> str:
        """What is remembered, which is then forgotten."""
        if not self._pieces:
            return ""
        self._cut()
        text = self._pieces[0]
        self._pieces, self._size = [], 0
        return text

    def _cut(self) -> None:
        end = "".join(self._pieces)[-TAIL:]
        self._pieces, self._size = [end], len(end)


class _Bytes(io.RawIOBase):
    def __init__(self, tail: Tail) -> None:
        super().__init__()
        self._tail = tail

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        view = memoryview(data)
        self._tail.write(bytes(view[-4 * TAIL :]).decode("utf-8", "replace"))
        return len(view)


class Capture:
    """Takes over sys.stdout and sys.stderr; file descriptors 1 and 2 lead to a file (`fd`) that the judge owns."""

    def __init__(self, fd: int = 1) -> None:
        self._fd = fd
        self._tail = Tail(fd)

    def start(self) -> None:
        """Forgets what was printed through Python before; nobody else has printed since the last `take`."""
        sys.stdout = sys.stderr = self._tail
        self._tail.take()

    def take(self) -> str:
        """The last of what was printed since the last time, through Python first, then through C."""
        printed = self._tail.take()
        below = ""
        try:
            size = os.lseek(self._fd, 0, os.SEEK_END)
            if size:
                os.lseek(self._fd, max(0, size - 4 * TAIL), os.SEEK_SET)
                below = os.read(self._fd, 4 * TAIL).decode("utf-8", "replace")
                os.ftruncate(self._fd, 0)
                os.lseek(self._fd, 0, os.SEEK_SET)
        except OSError:  # the student closed it
            below = ""
        joined = printed + ("\n" if printed and below and not printed.endswith("\n") else "") + below
        return joined[-TAIL:]
