"""Runs the review on a loopback port until it is stopped."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from grader.review.app import Doorkeeper, make_app
from grader.review.queue import Queue


def serve(queue: Queue, *, port: int = 0, tell: Callable[[str], None]) -> None:
    """Serve until Ctrl-C; `tell` gets the one address that opens it. `port`: 0 takes a free one."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen()  # who opens the address at once waits a moment, and is not refused
        place = f"127.0.0.1:{listening.getsockname()[1]}"
        door = Doorkeeper(frozenset({place}))
        config = uvicorn.Config(make_app(queue, door), log_level="warning", access_log=False, lifespan="off")
        tell(f"http://{place}/enter?ticket={door.ticket}")
        uvicorn.Server(config).run(sockets=[listening])
