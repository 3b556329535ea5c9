"""The command line: parses, calls, prints, returns an ExitCode. Imports nothing heavy before it is needed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from grader import __version__, author_commands, book_commands, class_commands
from grader.command_options import ASSIGNMENT, DEBUG, PATH
from grader.console import console
from grader.distribution.command import dist
from grader.doctor.command import doctor
from grader.errors import UsageError
from grader.exitcode import ExitCode
from grader.frontdoor import OneOf, PathOrCommand, Seed
from grader.grade_command import run
from grader.selfcheck.command import check

_EPILOG = """\
\b
Exit codes: 0 passed, 1 points lost, 2 usage, 3 review, 4 our fault, 130 Ctrl-C
"""


def program() -> None:
    """The program `grade`: the one place from which the process may start over."""
    from grader.worker import twin

    twin.allow()
    main()


@click.group(
    "grade",
    cls=PathOrCommand,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    options_metavar="",
    subcommand_metavar="PATH [OPTIONS] | COMMAND",
)
@click.version_option(__version__, prog_name="grade")
def main() -> None:
    """Grade submissions of the Transformer coursework.

    \b
    grade submissions/alice   grade one submission
    grade submissions.zip     grade a class, as downloaded
    """


@main.command()
@click.argument("directory", type=PATH)
@ASSIGNMENT
@DEBUG
def init(directory: Path, assignment: str, debug: bool) -> None:
    """Write the starter kit, what a student hands in, to DIRECTORY."""
    from grader.starter import COURSEWORK, write_starter

    for file in write_starter(directory, assignment):
        click.echo(file)
    other = "" if assignment == COURSEWORK else f" --assignment {assignment}"
    click.echo(f"\nFill it in, then check yourself:  grade {directory}{other} --public")


@main.command(short_help="Every number of the coursework with its derivation.")
@click.option("--markdown", is_flag=True, help="As Markdown.")
@click.option(
    "--run", type=OneOf("run", ("3b", "3d")), metavar="3b|3d", help="Fine-tune, and print the table."
)
@click.option(
    "--model",
    "models",
    multiple=True,
    type=PATH,
    metavar="DIR",
    help="Train this model; twice for 3d. Without it: the fetched one, else a tiny one.",
)
@click.option(
    "--data",
    type=PATH,
    metavar="DIR",
    help="Folder with train.jsonl and test.jsonl. Without it: AG News if fetched, else the bundled corpus.",
)
@click.option(
    "--out",
    type=PATH,
    metavar="DIR",
    help="Write figures and plot there, and the trained models to DIR/checkpoints.",
)
@click.option("--seed", type=Seed(), metavar="N", default=0, help="Of shuffling, dropout and the new head.")
@DEBUG
def reference(markdown: bool, run: str | None, debug: bool, **options: Any) -> None:
    """Print every number of the coursework with its derivation, or do the real run of 3b or 3d."""
    _import_reference()
    if run is not None:
        from reference.transformer.real_run import real_run

        real_run(run, tell=click.echo, **options)
        return
    if any(options[name] for name in ("models", "data", "out")):
        raise UsageError("--model, --data and --out belong to a run.", "Add --run 3b or --run 3d.")
    from reference.transformer.report import reference_report

    report = reference_report()
    click.echo(report.as_markdown() if markdown else report.as_text())


@main.group(invoke_without_command=True, short_help="The data and models of the real run: what is here.")
@click.option("--check", "thorough", is_flag=True, help="Compare every byte with what was fetched.")
@DEBUG
@click.pass_context
def assets(context: click.Context, thorough: bool, debug: bool) -> None:
    """Show the data and models of the real run: what is here, and where it is kept."""
    if context.invoked_subcommand is None:
        from grader.assets_table import print_assets

        whole = print_assets(console(), _known_assets(), thorough=thorough)
        context.exit(ExitCode.ALL_PASSED if whole else ExitCode.GRADER_ERROR)


@assets.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--from",
    "source",
    type=PATH,
    metavar="DIR",
    help="From a mirror of the hub, or the cache of another machine.",
)
@click.option("--again", is_flag=True, help="Also what is here already.")
@DEBUG
def fetch(names: tuple[str, ...], source: Path | None, again: bool, debug: bool) -> None:
    """Fetch them once; from then on all works without a network."""
    from grader.assets_table import fetch_assets

    fetch_assets(console(), _known_assets(), names, source, again=again)


def _known_assets() -> Any:
    _import_reference()
    from reference.transformer.assets import ASSETS

    return ASSETS


def _import_reference() -> None:
    """Let `reference` be found: a wheel carries it below its own folder."""
    from grader.paths import data_root

    sys.path.append(str(data_root()))


@main.command(name="list")
@click.option("--part", "parts", multiple=True, metavar="ID", help='Only this part; "2" is all of section 2.')
@click.option("--public", is_flag=True, help="Public checks only.")
@ASSIGNMENT
@DEBUG
def list_(parts: tuple[str, ...], public: bool, assignment: str, debug: bool) -> None:
    """List the parts, their checks and points."""
    from grader.assignment import find_assignment
    from grader.listing import print_assignment

    print_assignment(console(), find_assignment(assignment), parts, public_only=public)


for command in (
    run,
    check,
    dist,
    doctor,
    class_commands.class_book,
    class_commands.review,
    book_commands.show_book,
    book_commands.diff,
    class_commands.export,
    class_commands.similar,
    author_commands.new,
    author_commands.verify,
    author_commands.import_,
):
    main.add_command(command)
