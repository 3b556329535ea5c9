"""`grade doctor`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from grader.exitcode import ExitCode

if TYPE_CHECKING:
    from grader.doctor.finding import Finding

_SIGNS = {"ok": ("✓", "green"), "optional": ("–", "dim"), "weak": ("!", "yellow"), "missing": ("✗", "red")}


@click.command("doctor", short_help="What this machine has for grading, and what is missing.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for a program.")
@click.option("--debug", is_flag=True, hidden=True)
@click.pass_context
def doctor(context: click.Context, as_json: bool, debug: bool) -> None:
    """Show what this machine has for grading: isolation, processor, packages, data, a browser; and how to get the rest.

    Nothing is fetched or changed. Exit code 0: grading works here; 4: something that it needs is missing.
    """
    found = look()
    works = not any(finding.state == "missing" for finding in found)
    if as_json:
        click.echo(json.dumps({"works": works, "findings": [f.document() for f in found]}, indent=1))
    else:
        _print(found, works)
    context.exit(ExitCode.ALL_PASSED if works else ExitCode.GRADER_ERROR)


def look() -> list[Finding]:
    """All findings, in the order in which they are worth reading."""
    from grader.doctor import files, machine
    from grader.doctor.packages import packages

    own = files.own_files()
    found = [machine.python(), machine.system(), machine.isolation(), machine.processor(), machine.memory()]
    found += [own, *packages(), files.writable(), files.cache(), files.browser()]
    return found + (files.data() if own.state == "ok" else [])


def _print(found: Sequence[Finding], works: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in found:
        sign, style = _SIGNS[finding.state]
        told = Text(finding.found)
        if finding.fix:
            told.append(f"\n{finding.fix}", style="bold" if finding.state != "optional" else "")
        table.add_row(Text(sign, style=style), Text(finding.topic), told)
    console.print(table)
    missing = [finding.topic for finding in found if finding.state == "missing"]
    weak = [finding.topic for finding in found if finding.state == "weak"]
    if not works:
        console.print(Text(f"\nGrading does not work here yet: {', '.join(missing)}.", style="bold"))
    elif weak:
        console.print(Text(f"\nGrading works here. It could be better: {', '.join(weak)}.", style="bold"))
    else:
        console.print(Text("\nGrading works here.", style="bold"))
