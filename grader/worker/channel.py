"""The judge's end of a worker's wire: whole frames, sent and received before an absolute deadline."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from grader.worker.inside import wire

_AT_ONCE = 2**14
"""Bytes asked for where fewer are due."""


class ChannelClosed(Exception):
    """The other end is gone."""


class DeadlinePassed(Exception):
    """No whole frame before the deadline."""


class Channel:
    """Frames over a stream socket. A slow or silent other end costs at most the time until the deadline."""

    def __init__(
        self,
        end: socket.socket,
        caps: wire.Caps,
        watch: Callable[[], None] | None = None,
        every_s: float = 0.1,
    ) -> None:
        """`watch` is called about every `every_s` seconds of waiting, and may raise."""
        self._socket = end
        self._socket.setblocking(False)
        self._caps = caps
        self._watch = watch
        self._every_s = every_s
        self._poll = select.poll()
        self._poll.register(end)
        self._ahead = memoryview(b"")
        """Bytes that came with those asked for."""

    def send(self, pieces: Sequence[bytes], deadline: float) -> None:
        """`deadline` is a time.monotonic(); raises ChannelClosed or DeadlinePassed."""
        for piece in wire.gathered(pieces):
            view = memoryview(piece)
            while view:
                try:
                    view = view[self._socket.send(view) :]
                except BlockingIOError:
                    self._wait(select.POLLOUT, deadline)
                except OSError as error:
                    raise ChannelClosed(str(error)) from None

    def receive(self, deadline: float) -> tuple[dict[str, Any], memoryview]:
        """One frame; raises ChannelClosed, DeadlinePassed or wire.WireError."""
        if not self._ahead:
            self._wait(select.POLLIN, deadline)  # as a rule the other end is still at work
        header, payload = wire.read_prefix(bytes(self._exactly(wire.PREFIX.size, deadline)), self._caps)
        return wire.read_header(bytes(self._exactly(header, deadline))), self._exactly(payload, deadline)

    def _exactly(self, size: int, deadline: float) -> memoryview:
        """The next `size` bytes. What follows them is taken along: a small frame comes whole with its prefix."""
        at = len(self._ahead)
        if at < size:
            buffer = memoryview(bytearray(max(size, _AT_ONCE)))
            buffer[:at] = self._ahead
            while at < size:
                at += self._some(buffer[at:], deadline)
            self._ahead = buffer[:at]
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return taken

    def _some(self, room: memoryview, deadline: float) -> int:
        """Waits for bytes, puts them into `room`, and says how many they are."""
        while True:
            try:
                got = self._socket.recv_into(room)
            except BlockingIOError:
                self._wait(select.POLLIN, deadline)
                continue
            except OSError as error:
                raise ChannelClosed(str(error)) from None
            if not got:
                raise ChannelClosed("the other end was closed")
            if time.monotonic() > deadline:  # one byte at a time never runs dry, and never ends
                raise DeadlinePassed
            return got

    def _wait(self, event: int, deadline: float) -> None:
        self._poll.modify(self._socket, event)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise DeadlinePassed
            if self._watch is None:
                slice_s = left
            else:
                self._watch()
                slice_s = min(left, self._every_s)
            if self._poll.poll(1000 * slice_s):
                return

    def close(self) -> None:
        """Hangs up."""
        self._socket.close()
