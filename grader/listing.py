"""`grade list`: the assignment as a table."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.assignment import select
from grader.model import Assignment, Visibility
from grader.serialise import rounded


def print_assignment(
    console: Console, assignment: Assignment, parts: Sequence[str] = (), *, public_only: bool = False
) -> None:
    """Print parts, checks and points; raises UnknownName for a part that does not exist."""
    checks = select(assignment, parts, public_only=public_only)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Check", no_wrap=True)
    table.add_column("Points", justify="right")
    table.add_column("What is judged")
    for part in assignment.parts:
        of_part = [c for c in checks if c.part == part.id]
        if not of_part:
            continue
        total = sum((c.points for c in of_part), Decimal(0))
        table.add_row(
            Text(part.id, style="bold"),
            Text(f"{rounded(total)}", style="bold"),
            Text(part.title, style="bold"),
        )
        for check in of_part:
            marks = [] if check.visibility is Visibility.PUBLIC else ["hidden"]
            marks += ["marked by a person"] if check.review else []
            title = Text(check.title)
            if marks:
                title.append(f"  ({', '.join(marks)})", style="dim")
            table.add_row(f"  {check.id}", f"{rounded(check.points)}", title)
    total = sum((c.points for c in checks), Decimal(0))
    console.print(Text(f"{assignment.title}, version {assignment.version}\n", style="bold"))
    console.print(table)
    console.print(f"\n{len(checks)} checks, {rounded(total)} points.")
