"""Commands for authors of assignments: `grade new`, `grade import`. Imports nothing heavy."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

_PATH = click.Path(path_type=Path, readable=False)


@click.command("new")
@click.argument("folder", type=_PATH, metavar="ASSIGNMENT")
@click.option("--title", metavar="TEXT", help="As printed on top of a report. [made of the folder's name]")
@click.option("--debug", is_flag=True, hidden=True)
def new(folder: Path, title: str | None, debug: bool) -> None:
    """Write a new assignment to the folder ASSIGNMENT, one that passes `grade verify` as it stands."""
    from grader.scaffold import new_assignment

    for file in new_assignment(folder, title):
        click.echo(file)
    name = shlex.quote(folder.as_posix())
    click.echo(f"\nProve it as it stands:  grade verify {name}")
    click.echo(f"The next three steps:   {folder / 'README.md'}")
