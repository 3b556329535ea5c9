"""Commands for authors of assignments: `grade new`, `grade import`. Imports nothing heavy."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

_PATH = click.Path(path_type=Path, readable=False)


@click.command("new", short_help="Write a new assignment, which passes `grade verify`.")
@click.argument("folder", type=_PATH, metavar="ASSIGNMENT")
@click.option("--title", metavar="TEXT", help="As printed on top of a report. [made of the folder's name]")
@click.option("--debug", is_flag=True, hidden=True)
def new(folder: Path, title: str | None, debug: bool) -> None:
    """Write a new assignment, which passes `grade verify` as it stands."""
    from grader.scaffold import new_assignment

    for file in new_assignment(folder, title):
        click.echo(file)
    name = shlex.quote(folder.as_posix())
    click.echo(f"\nProve it as it stands:  grade verify {name}")
    click.echo(f"The next three steps:   {folder / 'README.md'}")


@click.command("import", short_help="Turn a notebook or tests into the draft of one.")
@click.argument("files", type=_PATH, nargs=-1, required=True, metavar="FILE...")
@click.option("--out", type=_PATH, metavar="DIR", help="Folder of the draft. [the first file's name]")
@click.option("--title", metavar="TEXT", help="As printed on top of a report. [made of the folder's name]")
@click.option("--debug", is_flag=True, hidden=True)
def import_(files: tuple[Path, ...], out: Path | None, title: str | None, debug: bool) -> None:
    """Turn a notebook with asserts, nbgrader or otter tests into a draft."""
    from grader.importing import import_files
    from grader.importing.source import slug
    from grader.importing.summary import summary

    target = out or Path(slug(files[0].stem))
    for line in summary(import_files(files, target, title), target):
        click.echo(line)
