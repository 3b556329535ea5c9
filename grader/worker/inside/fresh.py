"""A worker that is a process of its own from the start, without any seal: where there is no safe fork.

Run as a program. The judge's socket is descriptor 3, or (on Windows) comes described on standard input.
First frame in: the configuration. First frame out: {"op": "ready", ...} or {"op": "failed", ...}.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import sys
import traceback
from typing import NoReturn

if __name__ == "__main__":  # run by its path: make its folder a package, so that relative imports work
    _here = os.path.dirname(os.path.abspath(__file__))
    _spec = importlib.util.spec_from_file_location(
        "grader_inside", os.path.join(_here, "__init__.py"), submodule_search_locations=[_here]
    )
    assert _spec is not None
    sys.modules["grader_inside"] = importlib.util.module_from_spec(_spec)
    __package__ = "grader_inside"

from . import handin, serve, view, warm, wire


def _socket() -> socket.socket:
    if sys.platform == "win32":
        return socket.fromshare(sys.stdin.buffer.read())
    return socket.socket(fileno=3)


def _leave_out_own_source() -> None:
    """The checkout that an editable install puts on sys.path holds names like `tests`: they are not the student's."""
    own = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    if os.path.basename(own) not in view.PACKAGE_FOLDERS:
        sys.path[:] = [p for p in sys.path if os.path.realpath(p) != os.path.realpath(own)]


def main() -> NoReturn:
    """Warms up, says so, and serves one hand-in."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end = _socket()
    channel = serve.Channel(end)
    config, _ = channel.receive()
    caps = wire.Caps(**config["reply_caps"])
    _leave_out_own_source()
    try:
        warm.set_folders(os.path.join(config["base"], view.SCRATCH))
        harness = warm.load(config["preload"], warm.Sources.read(config), config["assets"])
    except BaseException as error:
        trace = traceback.format_exc(limit=-6)
        reason = f"{type(error).__name__}: {error}"[:2_000]
        channel.send({"op": "failed", "kind": "start", "reason": reason, "trace": trace[-6_000:]}, [], caps)
        os._exit(1)
    channel.send({"op": "ready", "environment": warm.environment()}, [], caps)
    names = handin.library_names(sys.path)
    room = (config["limits"]["tmp_bytes"], config["limits"]["tmp_inodes"])
    serve.serve(end, serve.Warm(lambda _, unpack: unpack(), caps, harness, names, room), None)


if __name__ == "__main__":
    main()
