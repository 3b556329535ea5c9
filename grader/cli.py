"""The command line: parses, calls, prints, returns an ExitCode. Imports nothing heavy before it is needed."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from grader import __version__
from grader.errors import GraderError, IsolationUnavailable, UsageError
from grader.exitcode import ExitCode, exit_code

if TYPE_CHECKING:
    from rich.console import Console

    from grader.pipeline import Progress

_EPILOG = """\
\b
Exit codes: 0 all passed, 1 points lost, 2 usage, 3 needs review, 4 could not
be graded by our fault, 130 interrupted.
"""


class PathOrCommand(click.Group):
    """`grade PATH` is `grade run PATH`; a folder that is named like a command is given as ./NAME."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["run", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options of `run` may come first: `grade --public PATH`."""
        own = {"--help", "-h", "--version"}
        if args and args[0].startswith("-") and args[0] not in own:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=PathOrCommand,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    subcommand_metavar="PATH [OPTIONS] | COMMAND",
)
@click.version_option(__version__, prog_name="grade")
def main() -> None:
    """Grade a submission of the Transformer coursework.

    \b
    grade submissions/alice            grade one submission
    grade submissions/alice --part 2c  one part of it
    grade init my-work                 write the starter kit
    """


@main.command(hidden=True)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--part",
    "parts",
    multiple=True,
    metavar="ID",
    help='Only this part; "2" is all of section 2. Repeatable.',
)
@click.option("--check", "checks", multiple=True, metavar="ID", help="Only this check. Repeatable.")
@click.option("--public", is_flag=True, help="Public checks only: what a student may run.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Repeat the run of a report with this seed.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["html", "md", "json"]),
    help="Write only these. Repeatable.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the reports instead of reports/NAME."
)
@click.option(
    "--isolation", type=click.Choice(["auto", "strict", "container"]), default="auto", show_default=True,
    help="How far student code is sealed off.",
)  # fmt: skip
@click.option(
    "--unsafe-no-isolation",
    is_flag=True,
    help="Run student code unsealed: only your own, on your own machine.",
)
@click.option("--debug", is_flag=True, help="Show tracebacks of the grader's own errors.")
def run(path: Path, debug: bool, **options: Any) -> NoReturn:
    """Grade the submission at PATH and write its report."""
    with _errors_shown(debug):
        sys.exit(_run(path, debug, **options))


def _run(
    path: Path,
    debug: bool,
    *,
    parts: tuple[str, ...],
    checks: tuple[str, ...],
    public: bool,
    seed: int | None,
    formats: tuple[str, ...],
    out: Path | None,
    isolation: Any,
    unsafe_no_isolation: bool,
) -> ExitCode:
    from grader.pipeline import Options, grade
    from grader.render import FORMATS, terminal_summary, write_reports

    options = Options(
        parts=parts,
        checks=checks,
        public_only=public,
        seed=seed,
        isolation="none" if unsafe_no_isolation else isolation,
    )
    target = out or Path("reports") / (path.resolve().name or "submission")
    console, errors = _console(), _console(stderr=True)
    with _progress(errors) as progress:
        graded = grade(path, options, progress)
    written = write_reports(graded.report, target, formats or FORMATS)
    terminal_summary(graded.report, console)
    console.print(f"Report: {next(iter(written.values()))}", style="dim", markup=False, soft_wrap=True)
    if debug:
        for check, trace in graded.internal_errors.items():
            errors.print(f"\n{check}: the grader's own error\n{trace}", markup=False, highlight=False)
    return exit_code(graded.report)


@main.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--debug", is_flag=True, hidden=True)
def init(directory: Path, debug: bool) -> None:
    """Write the starter kit, what a student hands in, to DIRECTORY."""
    with _errors_shown(debug):
        from grader.starter import write_starter

        for file in write_starter(directory):
            click.echo(file)
        click.echo(f"\nFill it in, then check yourself:  grade {directory} --public")


@main.command()
@click.option("--markdown", is_flag=True, help="As Markdown.")
@click.option("--debug", is_flag=True, hidden=True)
def reference(markdown: bool, debug: bool) -> None:
    """Print every number of the coursework with its derivation (for instructors)."""
    with _errors_shown(debug):
        from grader.paths import data_root

        sys.path.append(str(data_root()))
        from reference.transformer.report import reference_report

        report = reference_report()
        click.echo(report.as_markdown() if markdown else report.as_text())


@main.command(name="list")
@click.option("--part", "parts", multiple=True, metavar="ID", help='Only this part; "2" is all of section 2.')
@click.option("--public", is_flag=True, help="Public checks only.")
@click.option("--debug", is_flag=True, hidden=True)
def list_(parts: tuple[str, ...], public: bool, debug: bool) -> None:
    """List the parts, their checks and points."""
    with _errors_shown(debug):
        from grader.listing import print_assignment

        print_assignment(_console(), parts, public_only=public)


@contextmanager
def _errors_shown(debug: bool) -> Iterator[None]:
    """A GraderError is a message and a next step; anything else is a bug of ours and says so."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("Stopped. No report was written.", err=True)
        sys.exit(ExitCode.INTERRUPTED)
    except GraderError as error:
        if debug:
            traceback.print_exc()
        click.echo(f"{click.style('error:', fg='red', bold=True)} {error.message}", err=True)
        if error.next_step:
            click.echo(f"       {error.next_step}", err=True)
        ours = not isinstance(error, UsageError)
        sys.exit(ExitCode.GRADER_ERROR if ours or isinstance(error, IsolationUnavailable) else ExitCode.USAGE)
    except Exception as error:
        if debug:
            raise
        click.echo(f"error: the grader itself failed ({type(error).__name__}: {error}).", err=True)
        click.echo("       Run it again with --debug and send us what it prints.", err=True)
        sys.exit(ExitCode.GRADER_ERROR)


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    """A live line on a terminal, nothing where the output goes elsewhere."""
    from grader.pipeline import Progress

    if not console.is_terminal:
        yield Progress()
        return
    with console.status("Reading the submission, starting the worker …") as status:
        done: list[str] = []

        def started(check: Any) -> None:
            status.update(f"{len(done)} checks done · {check.id}: {check.title}")

        yield Progress(on_start=started, on_finish=lambda check, outcome: done.append(check.id))
