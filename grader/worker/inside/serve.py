"""The worker: seals itself, takes in one hand-in, and answers batches of calls until the judge hangs up."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NoReturn

from . import wire
from .calls import Caller, request_caps
from .handin import HandIn
from .output import Capture

Seal = Callable[[str, Callable[[], None]], None]
"""Gives up everything not needed; called with the private folder, and with what unpacks the hand-in on the way."""


@dataclass(frozen=True, slots=True)
class Warm:
    """What a worker has before it gets its hand-in."""

    seal: Seal
    reply_caps: wire.Caps
    harness: ModuleType | None
    library_names: frozenset[str]
    room: tuple[int, int]
    """Bytes, and files and folders, of the private folder: a hand-in may fill three quarters of it."""


class Channel:
    """Whole frames over a socket, blocking."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def receive(self) -> tuple[dict[str, Any], memoryview]:
        """One frame; ends the process where the judge hung up."""
        caps = request_caps()
        header, payload = wire.read_prefix(bytes(self._exactly(wire.PREFIX.size)), caps)
        # The judge is believed: what is checked there of an answer would be checked here of a request in vain.
        return json.loads(bytes(self._exactly(header))), self._exactly(payload)

    def _exactly(self, size: int) -> memoryview:
        buffer = memoryview(bytearray(size))
        at = 0
        while at < size:
            got = self._end.recv_into(buffer[at:])
            if not got:
                os._exit(0)
            at += got
        return buffer

    def send(self, header: dict[str, Any], buffers: list[bytes], caps: wire.Caps) -> None:
        """One frame."""
        for piece in wire.gathered(wire.frame(header, buffers, caps)):
            self._end.sendall(piece)


def serve(end: socket.socket, warm: Warm, box: str | None) -> NoReturn:
    """Takes in the hand-in, seals, and answers until the judge hangs up. `box`: the worker's private folder."""
    channel = Channel(end)
    header, payload = channel.receive()
    files = dict(_split(header["files"], payload))
    box = box or str(header["box"])
    folder, home, tmp = (os.path.join(box, name) for name in ("submission", "home", "tmp"))

    def unpack() -> None:
        for place in (folder, home, tmp):
            os.makedirs(place, exist_ok=True)
        write_files(folder, files, room=(warm.room[0] * 3 // 4, warm.room[1] * 3 // 4))

    warm.seal(box, unpack)
    os.environ.update({"HOME": home, "TMPDIR": tmp, "PWD": folder})
    tempfile.tempdir = tmp
    os.chdir(folder)
    capture = Capture(1)
    capture.start()
    caller = Caller(HandIn(folder, files, warm.library_names), warm.harness, capture, warm.reply_caps)
    channel.send({"id": header["id"], "ready": True}, [], warm.reply_caps)
    while True:
        header, payload = channel.receive()
        try:
            replies, buffers = caller.batch(header["calls"], payload)
            channel.send({"id": header["id"], "replies": replies}, buffers, warm.reply_caps)
        except MemoryError:
            os.write(2, b"out of memory while the answer was written\n")
            os._exit(1)


def _split(sizes: list[Any], payload: memoryview) -> list[tuple[str, bytes]]:
    """(path, content) of each file: the contents follow one another in the payload."""
    at, files = 0, []
    for path, size in sizes:
        files.append((str(path), bytes(payload[at : at + size])))
        at += size
    return files


def write_files(folder: str, files: Mapping[str, bytes], room: tuple[int, int]) -> None:
    """Unpacks the hand-in, code first and small files first; what is above `room` (bytes, entries) is left out.

    So is a path that could lead out of the folder. A hand-in that filled the private folder by itself would end the
    worker before it has begun, and at level strict leave out whatever comes last.
    """
    left, entries = room
    made: set[str] = set()
    for path in sorted(files, key=lambda p: (not p.endswith(".py"), len(files[p]), p)):
        content, parts = files[path], path.split("/")
        if not path or "\0" in path or path.startswith("/") or any(p in ("", ".", "..") for p in parts):
            continue
        above = {"/".join(parts[:depth]) for depth in range(1, len(parts))} - made
        if len(content) > left or 1 + len(above) > entries:
            continue
        place = os.path.join(folder, *parts)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "xb") as file:
                file.write(content)
        except (
            OSError,
            ValueError,
        ):  # a name no file can have, a folder where a file is due, or no space left
            continue
        made |= above
        left, entries = left - max(len(content), 4096), entries - 1 - len(above)
