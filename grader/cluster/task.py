"""What a worker of the cluster runs: hand a job to a node process, and give its answer back."""

from __future__ import annotations

import atexit
import pickle
import subprocess
import sys
from threading import Lock
from typing import Any

from grader.cluster.order import Answer, Job, Order, Refusal


class NodeDied(Exception):
    """The process on the node ended without an answer; another try may go well."""


class _Node:
    """A node process, at the disposal of one task at a time."""

    def __init__(self, order: Order) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "grader.cluster.node"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.refusal: Refusal | None = self._ask(order)

    def judge(self, job: Job) -> Answer | Refusal:
        answer: Answer | Refusal = self._ask(job)
        return answer

    def _ask(self, value: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump(value, self._process.stdin)
            self._process.stdin.flush()
            return pickle.load(self._process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
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


def judge(order: Order, job: bytes) -> Answer | Refusal:
    """Judge one submission on this node. `job`: a pickled :class:`Job`. Raises NodeDied."""
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
    answer = node.judge(pickle.loads(job))  # NodeDied leaves it out of the idle ones
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
