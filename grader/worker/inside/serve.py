"""The worker: seals itself, takes in one hand-in, and answers batches of calls until the judge hangs up."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NoReturn

from . import wire
from .calls import Caller, request_caps
from .handin import HandIn
from .output import Capture
from .seal import Limits, Sealer

CHANNEL = 3
"""The file descriptor of the wire."""


@dataclass(frozen=True, slots=True)
class Warm:
    """What a worker inherits from its zygote."""

    sealer: Sealer
    limits: Limits
    reply_caps: wire.Caps
    harness: ModuleType | None
    library_names: frozenset[str]
    warm_bytes: int


class _Channel:
    """Whole frames over a file descriptor, blocking."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def receive(self) -> tuple[dict[str, Any], memoryview]:
        """One frame; ends the process where the judge hung up."""
        caps = request_caps()
        header, payload = wire.read_prefix(bytes(self._exactly(wire.PREFIX.size)), caps)
        return wire.read_header(bytes(self._exactly(header))), self._exactly(payload)

    def _exactly(self, size: int) -> memoryview:
        buffer = memoryview(bytearray(size))
        at = 0
        while at < size:
            got = os.readv(self._fd, [buffer[at:]])
            if not got:
                os._exit(0)
            at += got
        return buffer

    def send(self, header: dict[str, Any], buffers: list[bytes], caps: wire.Caps) -> None:
        """One frame."""
        for piece in wire.frame(header, buffers, caps):
            view = memoryview(piece)
            while view:
                view = view[os.write(self._fd, view) :]


def run(channel: int, output: int, box: str, warm: Warm) -> NoReturn:
    """In a fresh fork of the zygote; never returns. `box`: the worker's private folder."""
    code = 1
    try:
        _take_over_descriptors(channel, output, warm.sealer.open_files)
        _serve(_Channel(CHANNEL), box, warm)
        code = 0
    finally:
        os._exit(code)


def _take_over_descriptors(channel: int, output: int, still_needed: Iterable[int]) -> None:
    """0 reads nothing, 1 and 2 write to the judge's file, 3 is the wire; all others are closed."""
    os.setsid()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(channel, CHANNEL)  # channel is above 3: the zygote's own socket was there, and is closed by this
    start = CHANNEL + 1
    for fd in sorted(still_needed):
        os.closerange(start, fd)
        start = fd + 1
    os.closerange(start, 65_536)


def _serve(channel: _Channel, box: str, warm: Warm) -> None:
    header, payload = channel.receive()
    files = dict(_split(header["files"], payload))
    folder = os.path.join(box, "submission")
    home, tmp = os.path.join(box, "home"), os.path.join(box, "tmp")

    def unpack() -> None:
        for place in (folder, home, tmp):
            os.makedirs(place, exist_ok=True)
        write_files(folder, files)

    warm.sealer.seal(box, warm.limits, warm.warm_bytes, unpack)
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
            gc.collect()
            sys.stderr = sys.__stderr__
            os.write(2, b"out of memory while the answer was written\n")
            raise


def _split(sizes: list[Any], payload: memoryview) -> list[tuple[str, bytes]]:
    """(path, content) of each file: the contents follow one another in the payload."""
    at, files = 0, []
    for path, size in sizes:
        files.append((str(path), bytes(payload[at : at + size])))
        at += size
    return files


def write_files(folder: str, files: Mapping[str, bytes]) -> None:
    """Unpacks the hand-in; a path that could lead out of the folder is left out, and so is what does not fit."""
    for path, content in files.items():
        parts = path.split("/")
        if not path or "\0" in path or path.startswith("/") or any(p in ("", ".", "..") for p in parts):
            continue
        place = os.path.join(folder, *parts)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "xb") as file:
                file.write(content)
        except OSError:  # a name too long, a folder where a file is due, or the private folder is full
            continue
