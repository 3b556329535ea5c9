"""The process that judges on a node: `python -m grader.cluster.node`, started by a task, asked over its own pipes.

First comes an :class:`Order`, then one :class:`Job` after the other; each is answered by an :class:`Answer` or a
:class:`Refusal`. It is a process of its own because judges are forked, and a process with threads, as a worker of the
cluster is, must not fork. It ends when its input does.
"""

from __future__ import annotations

import os
import pickle
import select
import socket
import sys
import time
from collections.abc import Sequence
from typing import BinaryIO

from grader.assignment import find_assignment
from grader.classroom.judges import Local, local, out_of_time
from grader.cluster.order import Answer, Job, Order, Refusal, framed, identity, read_frame
from grader.errors import ClusterUnusable, GraderError
from grader.model import Assignment, Check

_MANY = 1000
"""Hand-ins to expect: judges of a cluster are worth being warmed."""


def main() -> int:
    """Answer until the input ends."""
    questions = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not come among the answers
    os.close(0)
    os.open(os.devnull, os.O_RDONLY)
    order: Order = pickle.loads(read_frame(questions))
    claim = claimed_processor()
    try:
        assignment, selected = _prepared(order)
        judging = local(assignment, selected, order.isolation, _MANY, 1, order.seed, pinned=claim is not None)
        with judging as judges:
            _serve(questions, answers, judges, order.timeout_s)
    except GraderError as error:
        _say(answers, Refusal(error.message, error.next_step, final=True))
        return 1
    return 0


def claimed_processor(name: str = "grader.cluster.node") -> socket.socket | None:
    """Puts this process, and all that it starts, on a processor that no other of this `name` and user has.

    It is this one's as long as the socket that is given back is open; None where there are more of them than
    processors. An abstract address (unix(7)) can be bound once, and is free again when its process ends, in any way.
    """
    for cpu in sorted(os.sched_getaffinity(0)):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0{name} {os.getuid()} {cpu}")
            os.sched_setaffinity(0, {cpu})
        except OSError:
            claim.close()
            continue
        return claim
    return None


def _prepared(order: Order) -> tuple[Assignment, Sequence[Check]]:
    """The assignment as this machine has it, if it is the one that is meant."""
    assignment = find_assignment(order.assignment)
    if identity(assignment) != order.identity:
        raise ClusterUnusable(
            f"{os.uname().nodename} has another version of the grader or of {order.assignment}.",
            "Install the same on every node, or give a folder that all of them share.",
        )
    wanted = set(order.checks)
    return assignment, [check for check in assignment.checks if check.id in wanted]


def _serve(questions: BinaryIO, answers: BinaryIO, judges: Local, timeout_s: float) -> None:
    _say(answers, None)
    while True:
        try:
            job: Job = pickle.loads(read_frame(questions))
        except EOFError:
            return
        _say(answers, _judged(judges, job, timeout_s))


def _judged(judges: Local, job: Job, timeout_s: float) -> Answer | Refusal:
    deadline = time.monotonic() + timeout_s
    judging = judges.begin(job.submission, job.seed, job.only)
    try:
        done = False
        while not done:
            readable, _, _ = select.select([judging], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                raise out_of_time(timeout_s)
            done = judging.receive()
        results, internal = judging.result()
    except GraderError as error:
        return Refusal(error.message, error.next_step, final=False)
    finally:
        judging.close()
    isolation, facts = judges.sealed(judging)
    return Answer(tuple(results), internal, isolation, dict(facts))


def _say(answers: BinaryIO, value: Answer | Refusal | None) -> None:
    answers.write(framed(value))
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
