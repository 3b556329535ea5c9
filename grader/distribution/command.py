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
@click.option(
    "--gradescope", is_flag=True, help="Instead, an autograder.zip for Gradescope; it holds all secrets."
)
@click.option(
    "--part",
    "parts",
    multiple=True,
    metavar="ID",
    help="With --gradescope: grade this part only. Repeatable.",
)
@click.option("--debug", is_flag=True, hidden=True)
def dist(assignment: str, out: Path | None, gradescope: bool, parts: tuple[str, ...], debug: bool) -> None:
    """Build what students get of ASSIGNMENT, an id or a folder: starter kit, public checks, and the tool for them.

    It holds no reference, hidden check, expected value or misconception: the archive is searched for each of them
    before it is written, and one hit is an error.
    """
    from grader.assignment import find_assignment
    from grader.distribution.gradescope import autograder
    from grader.distribution.student import student_archive
    from grader.render.files import write_bytes_atomically

    found = find_assignment(assignment)
    if parts and not gradescope:
        raise UsageError("--part belongs to an autograder.", "Add --gradescope.")
    name = f"{found.id}-autograder.zip" if gradescope else f"{found.id}-student.zip"
    target = Path(name) if out is None else out / name if out.is_dir() else out
    content = autograder(found, parts) if gradescope else student_archive(found)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(target, content)
    except OSError as error:
        raise UsageError(
            f"{str(target)!r} cannot be written: {error.strerror}.", "Give another with -o."
        ) from None
    click.echo(target)
