"""A child process for each mutant, some at a time, each with a limit of CPU time and memory.

A child says what noticed its mutant, as JSON on a pipe. One that is ended by its limit has a judge that does not end,
which is noticed too; one that fails in another way is this program's fault and ends the run.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from scripts.mutate_sources import Mutant

WALL_S = 600
MEMORY = 8 * 2**30
_BROKEN = 0


class Kill(IntEnum):
    """What noticed a mutant; the first is the strongest."""

    MARKS = 1
    """A check gives other marks than are due, or fails by the grader's own fault."""
    WORDS = 2
    """The marks are those due, but a check says something else: another message, hint, expected value or note."""
    UNIT_TESTS = 3
    """Only the reference's own tests fail."""
    NOTHING = 4


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one mutant."""

    mutant: Mutant
    kill: Kill
    by: str
    """Hand-in and check, and what changed there; empty where nothing did."""


Look: TypeAlias = Callable[[Mutant], tuple[int, str]]
"""Gives a Kill and by what; called in a fork."""


def in_forks(mutants: Sequence[Mutant], look: Look, jobs: int, cpu_s: int) -> Iterator[Verdict]:
    """`look` at each mutant in a child of its own, `jobs` at a time; a judge that does not end has noticed it."""
    waiting = list(reversed(mutants))
    with selectors.DefaultSelector() as selector:
        while waiting or selector.get_map():
            while waiting and len(selector.get_map()) < jobs:
                mutant = waiting.pop()
                pid, pipe = _fork(mutant, look, cpu_s)
                selector.register(pipe, selectors.EVENT_READ, (pid, mutant, time.monotonic() + WALL_S))
            ready = selector.select(timeout=5)
            for key, _ in ready:
                pid, mutant, _ = key.data
                selector.unregister(key.fileobj)
                with os.fdopen(key.fd, "rb") as stream:
                    said = stream.read()
                _, status = os.waitpid(pid, 0)
                yield _said(mutant, said, os.waitstatus_to_exitcode(status))
            for key in list(selector.get_map().values()):
                if time.monotonic() > key.data[2]:
                    os.kill(key.data[0], signal.SIGKILL)


def _fork(mutant: Mutant, look: Look, cpu_s: int) -> tuple[int, int]:
    """(pid, the pipe that will hold its verdict as JSON)."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, ours
    try:
        os.close(ours)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        spent = int(time.process_time()) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (spent + cpu_s, spent + cpu_s))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        said: tuple[int, str] = look(mutant)
    except BaseException:
        said = _BROKEN, traceback.format_exc()[-4_000:]
    finally:
        os.write(theirs, json.dumps(said).encode())
        os._exit(0)


def _said(mutant: Mutant, said: bytes, code: int) -> Verdict:
    """The verdict of a fork; raises RuntimeError where it failed by the fault of this program."""
    if not said and code in (-signal.SIGXCPU, -signal.SIGKILL):
        return Verdict(mutant, Kill.MARKS, "the judge does not end")
    kill, by = json.loads(said or f'[{_BROKEN}, "it died"]')
    if kill == _BROKEN:
        raise RuntimeError(f"the fork for {mutant} failed with exit code {code}: {by}")
    return Verdict(mutant, Kill(kill), by)
