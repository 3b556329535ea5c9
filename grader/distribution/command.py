"""`grade dist`: what is given away."""

from __future__ import annotations

from pathlib import Path

import click

from grader.errors import UsageError


@click.command("dist", short_help="Build what students get of an assignment.")
@click.argument("assignment", default="transformer", metavar="[ASSIGNMENT]")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="The archive, or the folder for it. [ASSIGNMENT-student.zip here]",
)
@click.option("--debug", is_flag=True, hidden=True)
def dist(assignment: str, out: Path | None, debug: bool) -> None:
    """Build what students get of ASSIGNMENT, an id or a folder: starter kit, public checks, and the tool for them.

    It holds no reference, hidden check, expected value or misconception: the archive is searched for each of them
    before it is written, and one hit is an error.
    """
    from grader.assignment import find_assignment
    from grader.distribution.student import student_archive
    from grader.render.files import write_bytes_atomically

    found = find_assignment(assignment)
    name = f"{found.id}-student.zip"
    target = Path(name) if out is None else out / name if out.is_dir() else out
    content = student_archive(found)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(target, content)
    except OSError as error:
        raise UsageError(
            f"{str(target)!r} cannot be written: {error.strerror}.", "Give another with -o."
        ) from None
    click.echo(target)
