"""A grader that is killed at any moment loses no recorded result, doubles none, and leaves none half written."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

from grader.gradebook import Gradebook

from .conftest import ASSIGNMENT, a_run, graded

STUDENTS = 8
KILLS = 200


def write_until_killed(path: Path, kill: int, told: int) -> None:
    """Record some students, and tell each one's number once it is in."""
    with Gradebook.open(path) as book:
        run = book.begin_run(a_run())
        for number in range(STUDENTS):
            book.record(run, graded(student=f"{kill}-{number}"))
            os.write(told, bytes([number]))


def started(path: Path, kill: int) -> tuple[int, int]:
    """Pid of a grader at work, and where it tells what it has recorded."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            write_until_killed(path, kill, theirs)
        finally:
            os._exit(0)
    os.close(theirs)
    return pid, ours


def test_killed_200_times_at_random(tmp_path: Path) -> None:
    random_ = random.Random(1)
    path = tmp_path / "gradebook.sqlite"
    Gradebook.open(path).close()
    told: set[str] = set()
    for kill in range(KILLS):
        pid, ours = started(path, kill)
        # After some results, at a random moment of the next: the grader does not wait for the signal.
        for _ in range(random_.randrange(STUDENTS)):
            told.update(f"{kill}-{number}" for number in os.read(ours, 1))
        for _ in range(random_.randrange(2_000)):
            os.getppid()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while chunk := os.read(ours, 64):
            told.update(f"{kill}-{number}" for number in chunk)
        os.close(ours)
    with Gradebook.open(path) as book:
        current = book.current(ASSIGNMENT)
        assert told <= set(current), "lost"
        assert sum(run["results"] for run in book.runs()) == len(current), "doubled"
        assert all(list(result.marks) == ["1.one"] for result in current.values()), "half written"
        assert len(dict(book.reports([result.id for result in current.values()]))) == len(current)
        # Killed at different places: some before their first result, some after their last.
        counts = {sum(student.startswith(f"{kill}-") for student in current) for kill in range(KILLS)}
        assert len(counts) > 4
        assert book.record(book.begin_run(a_run()), graded(student="after"))
