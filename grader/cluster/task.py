"""What a worker of the cluster runs: hand a job to a node process, and give its answer back."""

from __future__ import annotations

import atexit
import pickle
import subprocess
import sys
from threading import Lock

from grader.cluster.order import Order, framed, read_frame


class NodeDied(Exception):
    """The process on the node ended without an answer; another try may go well."""


class _Node:
    """A node process, at the disposal of one task at a time."""

    def __init__(self, order: Order) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "grader.cluster.node"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        answer = self.ask(framed(order))
        self.refusal = None if pickle.loads(answer) is None else answer

    def ask(self, question: bytes) -> bytes:
        """The pickle of what it answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(question)
            self._process.stdin.flush()
            return read_frame(self._process.stdout)
        except (OSError, EOFError) as error:
            self.close()
            raise NodeDied(f"The judging process ended with code {self._process.returncode}.") from error

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


_lock = Lock()
_idle: dict[Order, list[_Node]] = {}


def judge(order: Order, job: bytes) -> bytes:
    """Judge one submission on this node. `job`: a framed :class:`Job`. Raises NodeDied.

    Gives the pickle of an :class:`Answer` or a :class:`Refusal`: neither is read on the way.
    """
    with _lock:
        for other in [known for known in _idle if known != order]:
            for node in _idle.pop(other):  # of an earlier run; one that still works is closed when it is done
                node.close()
        _idle.setdefault(order, [])
        idle = _idle[order].pop() if _idle[order] else None
    node = idle or _Node(order)
    if node.refusal is not None:
        node.close()
        return node.refusal
    answer = node.ask(job)  # NodeDied leaves it out of the idle ones
    with _lock:
        if order in _idle:
            _idle[order].append(node)
        else:
            node.close()
    return answer


@atexit.register
def _close_all() -> None:
    for nodes in _idle.values():
        for node in nodes:
            node.close()
    _idle.clear()
