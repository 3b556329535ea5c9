"""Commands for authors of assignments: `grade new`, `import`, `verify`. Imports nothing heavy."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from grader.command_options import DEBUG, PATH
from grader.console import console, ended_like_ctrl_c
from grader.exitcode import ExitCode


@click.command("new", short_help="Write a new assignment, which passes `grade verify`.")
@click.argument("folder", type=PATH, metavar="ASSIGNMENT")
@click.option("--title", metavar="TEXT", help="As printed on top of a report. [made of the folder's name]")
@DEBUG
def new(folder: Path, title: str | None, debug: bool) -> None:
    """Write a new assignment, which passes `grade verify` as it stands."""
    from grader.scaffold import new_assignment

    for file in new_assignment(folder, title):
        click.echo(file)
    name = shlex.quote(folder.as_posix())
    click.echo(f"\nProve it as it stands:  grade verify {name}")
    click.echo(f"The next three steps:   {folder / 'README.md'}")


@click.command("import", short_help="Turn a notebook or tests into the draft of one.")
@click.argument("files", type=PATH, nargs=-1, required=True, metavar="FILE...")
@click.option("--out", type=PATH, metavar="DIR", help="Folder of the draft. [the first file's name]")
@click.option("--title", metavar="TEXT", help="As printed on top of a report. [made of the folder's name]")
@DEBUG
def import_(files: tuple[Path, ...], out: Path | None, title: str | None, debug: bool) -> None:
    """Turn a notebook with asserts, nbgrader or otter tests into a draft."""
    from grader.importing import import_files
    from grader.importing.source import slug
    from grader.importing.summary import summary

    target = out or Path(slug(files[0].stem))
    for line in summary(import_files(files, target, title), target):
        click.echo(line)


@click.command()
@click.argument("assignment", default="transformer", metavar="[ASSIGNMENT]")
@click.option("--part", "parts", multiple=True, metavar="ID", help='Only this part; "2" is all of section 2.')
@click.option("--seeds", type=click.IntRange(1), metavar="N", help="Runs of the model solution.")
@click.option("--slow-seeds", type=click.IntRange(1), metavar="N", help="The same for checks that are slow.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes; one a core where not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the proof as JSON, for a program.")
@click.option("--debug", is_flag=True, help="Show tracebacks of the checks' own errors.")
def verify(assignment: str, as_json: bool, debug: bool, **options: Any) -> NoReturn:
    """Prove the checks of ASSIGNMENT, an id or a folder.

    Right code gets its points, each known misconception loses them where it should, each tolerance lies well between
    noise and the nearest wrong answer. Exit code 1: a check is weak, and the output says which and why.
    """
    sys.exit(_verify(assignment, as_json=as_json, debug=debug, **options))


def _verify(assignment: str, *, as_json: bool, debug: bool, **options: Any) -> int:
    from grader.assignment import find_assignment
    from grader.verify import verify as prove
    from grader.verify.document import proof_as_json
    from grader.verify.progress import shown_progress
    from grader.verify.table import print_proof

    found, errors = find_assignment(assignment), console(stderr=True)
    with ended_like_ctrl_c(), shown_progress(errors) as progress:
        proof = prove(found, progress=progress, **options)
    if as_json:
        click.echo(proof_as_json(proof), nl=False)
    else:
        print_proof(proof, console())
    if debug:
        for _, problem in proof.problems:
            if problem.trace:
                errors.print(
                    f"\n{problem.about}: its own error\n{problem.trace}", markup=False, highlight=False
                )
    return ExitCode.ALL_PASSED if proof.holds else ExitCode.POINTS_LOST
