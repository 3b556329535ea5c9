"""What a node is asked to do, and what it answers: plain data, pickled by our own code on both ends."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass
from typing import IO

from grader import __version__
from grader.classroom.keys import check_keys
from grader.model import Assignment, CheckResult, Isolation, Submission
from grader.options import IsolationChoice

_LENGTH = 8
"""Bytes that say how long the pickle after them is."""


@dataclass(frozen=True, slots=True)
class Order:
    """What one run asks of every node."""

    assignment: str
    """Id or folder."""
    identity: str
    """Of the assignment and the grader, see `identity`; a node that has others judges nothing."""
    checks: tuple[str, ...]
    isolation: IsolationChoice
    timeout_s: float
    """For one submission."""
    seed: int
    """Of the run: under it a node judges the rehearsal."""


@dataclass(frozen=True, slots=True)
class Job:
    """One submission to judge."""

    submission: Submission
    seed: int
    only: frozenset[str]
    """Ids of the checks to run."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a job."""

    results: tuple[CheckResult, ...]
    internal: dict[str, str]
    """Tracebacks of our own errors by check id."""
    isolation: Isolation
    facts: dict[str, str]
    """Of the machine and the process that ran the student's code."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a job has no answer: message and next step."""

    message: str
    next_step: str
    final: bool
    """Whether this node cannot do any job of the order."""


def framed(value: Job | Order | Answer | Refusal | None) -> bytes:
    """Pickled, with its length before it, so that it can be passed on unread."""
    data = pickle.dumps(value)
    return len(data).to_bytes(_LENGTH, "big") + data


def read_frame(stream: IO[bytes]) -> bytes:
    """The pickle of the next one; raises EOFError where there is none, or not all of one."""
    length = int.from_bytes(_all_of(stream, _LENGTH), "big")
    return _all_of(stream, length)


def _all_of(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


def identity(assignment: Assignment) -> str:
    """A hash of everything that decides on a mark: grader, declaration, checks and reference."""
    keys = check_keys(assignment)
    lines = [__version__, assignment.id, assignment.version, assignment.sha256]
    lines += [f"{id} {keys[id]}" for id in sorted(keys)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
