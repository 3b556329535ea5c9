"""How far verify is, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from grader.verify.verify import Progress


@contextmanager
def shown_progress(console: Console) -> Iterator[Progress]:
    """A bar on a terminal, nothing where the output goes elsewhere."""
    if not console.is_terminal:
        yield Progress()
        return
    columns = (
        "{task.completed} of {task.total} gradings",
        BarColumn(),
        TimeElapsedColumn(),
        "{task.description}",
    )
    with Bar(*columns, console=console, transient=True) as bar:
        work = bar.add_task("", total=None)
        yield Progress(
            on_plan=lambda tasks: bar.update(work, total=tasks, description="starting the judges"),
            on_done=lambda task: bar.update(work, advance=1, description=escape(task.handin)),
        )
