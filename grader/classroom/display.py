"""What is seen while a class is graded, and what is said when it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import mean, median

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from grader.classroom.hand_in import HandIn, Tally, Watcher
from grader.gradebook import Result
from grader.model import GradeReport, Status
from grader.serialise import rounded
from grader.text import one_line

_NAMES = 3
"""So many of the hand-ins that are being graded are named."""


_EVERY_S = 0.5
"""Seconds between two drawings of the bar, which take as long as half of all else that is done here for a hand-in."""


@contextmanager
def shown(
    console: Console,
    total: int | None,
    on_graded: Callable[[HandIn, GradeReport], None],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Watcher]:
    """A live bar on a terminal; elsewhere a line for each failure only. `on_graded` is told of each report."""
    progress = Progress(
        TextColumn("Grading"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        auto_refresh=False,  # no thread: judges are forked from this process
    )
    task = progress.add_task("grading", total=total, now="", rate="")
    running: dict[str, str] = {}
    drawn = clock()

    def draw() -> None:
        nonlocal drawn
        if clock() - drawn >= _EVERY_S:
            progress.refresh()
            drawn = clock()

    def now() -> str:
        names = list(running.values())
        return ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")

    def ended(hand_in: HandIn) -> None:
        running.pop(hand_in.student, None)
        speed = progress.tasks[0].speed
        rate = f"{speed:.1f}/s" if speed else ""
        progress.update(task, advance=1, now=now(), rate=rate)
        draw()

    def started(hand_in: HandIn) -> None:
        running[hand_in.student] = one_line(hand_in.name)
        progress.update(task, now=now())
        draw()

    def graded(hand_in: HandIn, report: GradeReport) -> None:
        on_graded(hand_in, report)
        ended(hand_in)

    def unchanged(hand_in: HandIn, result: Result) -> None:
        ended(hand_in)

    def failed(hand_in: HandIn, reason: str) -> None:
        console.print(f"{one_line(hand_in.name)}: {one_line(reason)}", markup=False, highlight=False)
        ended(hand_in)

    with progress:
        yield Watcher(started, graded, unchanged, failed, draw)


def print_summary(
    console: Console, tally: Tally, results: Sequence[Result], places: Mapping[str, str]
) -> None:
    """Numbers of the class, and where things are."""
    graded = [result for result in results if result.failure is None]
    table = Table.grid(padding=(0, 2))
    table.add_row("Graded", f"{tally.graded} now, {tally.unchanged} unchanged, {len(tally.failed)} failed")
    if graded:
        earned = [float(result.earned) for result in graded]
        most = max(result.possible for result in graded)
        spread = f"{min(earned):g} to {max(earned):g}"
        table.add_row(
            "Points", f"mean {mean(earned):.1f}, median {median(earned):g}, {spread}, of {rounded(most)}"
        )
        waiting = [result for result in graded if _waits(result)]
        if waiting:
            table.add_row(
                "Waiting", f"{len(waiting)} hold something that a person has to mark:  grade review"
            )
    for what, where in places.items():
        table.add_row(what, where)
    console.print(table, highlight=False)


def _waits(result: Result) -> bool:
    return any(mark.status is Status.NEEDS_REVIEW for mark in result.marks.values())
