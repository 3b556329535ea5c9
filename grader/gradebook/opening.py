"""The gradebook that a command was given, opened for the assignment that it asks about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from grader.errors import UsageError
from grader.gradebook.store import Gradebook
from grader.model import Assignment


@contextmanager
def opened_for(address: str, assignment: Assignment) -> Iterator[Gradebook]:
    """The gradebook at `address`; raises UsageError where nothing of `assignment` was ever graded into it."""
    with Gradebook.open(address, create=False) as book:
        graded = sorted({run["assignment_id"] for run in book.runs()})
        if assignment.id not in graded:
            raise UsageError(
                f"The gradebook {address!r} holds no result of {assignment.title!r}.",
                f"It holds those of {', '.join(graded)}: name it with --assignment."
                if graded
                else "Grade a class first.",
            )
        yield book
