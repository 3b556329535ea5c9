"""The proof as an instructor reads it: claims with their figures, the checks, their tolerances, and what is weak."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.text import one_line
from grader.verify.proof import Margin, Measured, Proof
from grader.verify.tolerances import times

_SENTENCE_LIMIT = 600
_LEAST_ROOM = 14
"""Columns that the last cell of a row keeps, however narrow the terminal is."""


def print_proof(proof: Proof, console: Console) -> None:
    """Print all of it; texts are data, and markup in them is not interpreted."""
    part = f", part {' and '.join(proof.parts)}" if proof.parts else ""
    console.print(Text(f"{proof.assignment.title}, version {proof.assignment.version}{part}\n", style="bold"))
    console.print(_claims(proof))
    console.print()
    console.print(_checks(proof, console.width))
    if proof.margins:
        console.print()
        console.print(_margins(proof, console.width))
    if proof.remarks:
        console.print()
    for remark in proof.remarks:
        console.print(Text(f"Note: {one_line(remark, _SENTENCE_LIMIT)}", style="dim"))
    _print_problems(proof, console)
    _print_result(proof, console)


def _table(headings: Sequence[str], rows: Sequence[Sequence[Text]], width: int) -> Table:
    """Figures to the right; the last column is cut to what the others leave of the terminal."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, heading in enumerate(headings):
        table.add_column(heading, no_wrap=True, justify="right" if 0 < number < len(headings) - 1 else "left")
    taken = sum(
        2 + max((cell_len(heading), *(row[number].cell_len for row in rows)))
        for number, heading in enumerate(headings[:-1])
    )
    for row in rows:
        row[-1].truncate(max(width - taken, _LEAST_ROOM), overflow="ellipsis")
        table.add_row(*row)
    return table


def _claims(proof: Proof) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for claim in proof.claims:
        sign = Text("✓", style="green") if claim.holds else Text("✗", style="red")
        what = Text(claim.statement, style="bold")
        what.append(f"\n{claim.figures}", style="not bold")
        if not claim.holds:
            count = len(claim.problems)
            what.append(f"; {count} problem{'s' if count > 1 else ''}, below", style="not bold red")
        table.add_row(sign, what)
    return table


def _checks(proof: Proof, width: int) -> Table:
    weak = {problem.about for _, problem in proof.problems}
    rows = [
        [
            Text(row.id, style="red" if row.id in weak else ""),
            Text(f"{row.points}"),
            Text(f"{row.full}/{row.runs}"),
            Text(_points(row.starter)),
            Text(f"{len(row.caught)}" + (f": {', '.join(row.caught)}" if row.caught else "")),
        ]
        for row in proof.checks
    ]
    return _table(("Check", "Points", "Solution", "Starter", "Catches"), rows, width)


def _points(points: Decimal | None) -> str:
    return "–" if points is None else f"{points}"


def _margins(proof: Proof, width: int) -> Table:
    """Noise, tolerance and nearest wrong answer, with the factors between them, and who the nearest is."""
    rows = [
        [
            Text(margin.check),
            Text(_measured(margin.noise, margin.above_noise)),
            Text(f"{margin.tolerance:.2g}{_unit(margin)}"),
            Text(_measured(margin.nearest, margin.below_nearest)),
            Text(margin.nearest.where.removeprefix("misconception ") if margin.nearest else "–"),
        ]
        for margin in proof.margins
    ]
    return _table(("Check", "Right is off by", "Tolerance", "Wrong from", "Nearest wrong"), rows, width)


def _measured(found: Measured | None, factor: float | None) -> str:
    """A difference, and how many tolerances it is, or how many of it a tolerance is."""
    if found is None:
        return "–"
    return f"{found.value:.2g}" + (f" ({times(factor)})" if factor is not None else "")


def _unit(margin: Margin) -> str:
    return f" {margin.unit}" if margin.unit else ""


def _print_problems(proof: Proof, console: Console) -> None:
    for claim in proof.claims:
        if claim.holds:
            continue
        console.print(Text(f"\n{claim.statement}: no", style="bold red"))
        for problem in claim.problems:
            console.print(Text(f"✗ {one_line(problem.sentence, _SENTENCE_LIMIT)}", style="red"))
            console.print(Text(f"  {one_line(problem.next_step, _SENTENCE_LIMIT)}"))


def _print_result(proof: Proof, console: Console) -> None:
    processes = f"{proof.jobs} process{'es' if proof.jobs > 1 else ''}"
    spent = (
        f"{proof.gradings:,} gradings in {processes}: {proof.duration_s:.0f} s, {proof.cpu_s:.0f} s of CPU."
    )
    failed = sum(not claim.holds for claim in proof.claims)
    if failed:
        result = f"{failed} of {len(proof.claims)} claims do not hold."
    else:
        result = f"All {len(proof.claims)} claims hold."
    console.print(Text(f"\n{result} {spent}", style="bold red" if failed else "bold green"))
