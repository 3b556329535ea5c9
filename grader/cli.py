"""The command line: parses, calls, prints, returns an ExitCode. Imports nothing heavy before it is needed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from grader import __version__, author_commands, class_commands
from grader.distribution.command import dist
from grader.doctor.command import doctor
from grader.errors import UsageError
from grader.exitcode import ExitCode, exit_code
from grader.frontdoor import OneOf, PathOrCommand, Seed
from grader.languages import chosen, language
from grader.selfcheck.command import check

if TYPE_CHECKING:
    from rich.console import Console

    from grader.intake import ClassHandIns
    from grader.languages import Language
    from grader.model import GradeReport
    from grader.options import Options
    from grader.pipeline import Progress

_EPILOG = """\
\b
Exit codes: 0 passed, 1 points lost, 2 usage, 3 review, 4 our fault, 130 Ctrl-C
"""
_FORMATS = ("html", "md", "json")
_LEVELS = ("auto", "strict", "container")


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


@main.command(hidden=True)
@click.argument("path", type=click.Path(path_type=Path, readable=False))
@class_commands.ASSIGNMENT
@click.option(
    "--part",
    "parts",
    multiple=True,
    metavar="ID",
    help='This part; "2" is section 2. Repeatable.',
)
@click.option("--check", "checks", multiple=True, metavar="ID", help="This check. Repeatable.")
@click.option("--public", is_flag=True, help="Public checks only: what a student may run.")
@click.option("--seed", type=Seed(), metavar="N", help="Repeat the run of a report with this seed.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=OneOf("format", _FORMATS),
    metavar="|".join(_FORMATS),
    help="Write only these. Repeatable.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="Folder for the reports. [reports/NAME]",
)
@click.option(
    "--isolation",
    type=OneOf("level of isolation", _LEVELS),
    metavar="LEVEL",
    default="auto",
    help="How student code is sealed: auto, strict, …",
)
@click.option(
    "--unsafe-no-isolation",
    is_flag=True,
    help="Unsealed: only for code of your own.",
)
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Of a class: how many at a time.")
@click.option(
    "--timeout",
    type=click.FloatRange(1),
    metavar="S",
    default=900,
    help="Of a class: seconds for one hand-in.",
)
@click.option("--cluster", metavar="ADDRESS|local", help="Of a class: judge on this dask cluster.")
@click.option("--list", "listed", is_flag=True, help="Only show who handed in what.")
@click.option("--force", is_flag=True, help="Of a class: grade all of it again.")
@click.option("--book", metavar="FILE|ADDRESS", help="Of a class: its gradebook.")
@click.option("--lang", metavar="LANG", help="Language of the report: en, zh. [GRADE_LANG]")
@click.option("--debug", is_flag=True, help="Show tracebacks of the grader's own errors.")
def run(path: Path, **options: Any) -> NoReturn:
    """Grade the submission, or the class of them, at PATH and write reports."""
    sys.exit(_run(path, **options))


def _run(
    path: Path,
    *,
    assignment: str,
    parts: tuple[str, ...],
    checks: tuple[str, ...],
    public: bool,
    seed: int | None,
    formats: tuple[str, ...],
    out: Path | None,
    isolation: Any,
    unsafe_no_isolation: bool,
    listed: bool,
    lang: str | None,
    debug: bool,
    **of_a_class: Any,
) -> ExitCode:
    from grader.intake import read_class
    from grader.intake.classes import ONE
    from grader.options import Options, runs_student_code
    from grader.worker import twin

    speaks = chosen(lang)
    language(speaks)  # an unknown one is said before minutes of grading rather than after
    found = read_class(path)
    if listed:
        return _list_hand_ins(found, assignment)
    target = out or Path("reports") / (
        found.hand_ins[0].student if path.is_file() else path.resolve().name or "submission"
    )
    _refuse_unwritable(target)
    options = Options(
        assignment=assignment,
        parts=parts,
        checks=checks,
        public_only=public,
        seed=seed,
        isolation="none" if unsafe_no_isolation else isolation,
    )
    if found.layout != ONE:
        return _run_class(found, options, out or Path("reports"), formats or _FORMATS, speaks, **of_a_class)
    if runs_student_code(options):
        twin.start_over()  # from here on in a process that shares its import of torch with the zygote
    from grader.assignment import find_assignment
    from grader.pipeline import grade

    errors = _console(stderr=True)
    with _ended_like_ctrl_c(), _progress(errors) as progress:
        graded = grade(path, options, progress)
    words = language(speaks, find_assignment(assignment).root)
    _deliver(graded.report, target, formats or _FORMATS, words)
    if _is_of_another_assignment(assignment, path, graded.report):
        said = words(
            "Nothing that {title} asks for is in this hand-in. Was another assignment meant? "
            "Name it with --assignment.",
            title=words(graded.report.assignment_title),
        )
        errors.print(said, markup=False)
    if debug:
        for check, trace in graded.internal_errors.items():
            errors.print(f"\n{check}: the grader's own error\n{trace}", markup=False, highlight=False)
    return exit_code(graded.report)


def _is_of_another_assignment(assignment: str, path: Path, report: GradeReport) -> bool:
    """No assignment was named, and the code has other names than the coursework's and nothing that it asks for."""
    from grader.model import Status
    from grader.starter import COURSEWORK, starter_files, starter_root

    nothing = {check.status for check in report.checks} <= {Status.MISSING, Status.BLOCKED}
    if assignment != COURSEWORK or not nothing:
        return False
    code = {file.name for file in path.rglob("*.py")}
    return bool(code) and code.isdisjoint(starter_files(starter_root()))


def _list_hand_ins(found: ClassHandIns, assignment: str) -> ExitCode:
    from grader.assignment import find_assignment
    from grader.inventory import print_inventory

    print_inventory(_console(), found, find_assignment(assignment))
    return ExitCode.ALL_PASSED


def _run_class(
    found: ClassHandIns,
    options: Options,
    out: Path,
    formats: tuple[str, ...],
    lang: str,
    *,
    jobs: int | None,
    timeout: float,
    force: bool,
    book: str | None,
    cluster: str | None,
) -> ExitCode:
    """Grade everyone of a class."""
    from grader.classroom.command import Outputs, grade_class, user_name
    from grader.classroom.hand_in import ClassOptions, cores
    from grader.options import runs_student_code
    from grader.worker import twin

    if options.isolation == "none":
        raise UsageError(
            "A class is never graded unsealed.", "Leave --unsafe-no-isolation out, or grade one hand-in."
        )
    _refuse_unwritable(out)
    errors = _console(stderr=True)
    how = ClassOptions(jobs or cores(), timeout, force, author=user_name(), cluster=cluster)
    where = Outputs(out, book or str(out / "gradebook.sqlite"), formats, lang)

    def before() -> None:
        if cluster is None and runs_student_code(options):
            twin.start_over()  # comes back here as a process that shares its import of torch with the zygote
        errors.print(f"{found.path.name}: {found.layout}, {len(found)} hand-ins", markup=False)

    with _ended_like_ctrl_c():
        return grade_class(
            found.hand_ins,
            str(found.path.resolve()),
            options,
            how,
            where,
            _console(),
            errors,
            before=before,
        )


def _deliver(report: GradeReport, target: Path, formats: tuple[str, ...], words: Language) -> None:
    """Write the report and print its summary; where it cannot be written, the work of the run is shown first."""
    from grader.render import terminal_summary, write_reports

    written: dict[str, Path] = {}
    try:
        written = write_reports(report, target, formats, words)
    finally:
        try:
            terminal_summary(report, _console(), written, words)
            sys.stdout.flush()
        except BrokenPipeError:  # `grade PATH | head`: nobody reads on, and Python would complain at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse_unwritable(target: Path) -> None:
    """Say so before minutes of grading rather than after; raises UsageError."""
    nearest = target
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    step = "Give another folder with --out."
    if not nearest.is_dir():
        raise UsageError(f"The report cannot go to {str(target)!r}: {str(nearest)!r} is a file.", step)
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UsageError(f"The report cannot go to {str(target)!r}: you may not write there.", step)


@main.command()
@click.argument("directory", type=click.Path(path_type=Path, readable=False))
@class_commands.ASSIGNMENT
@click.option("--debug", is_flag=True, hidden=True)
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
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="Train this model; twice for 3d. Without it: the fetched one, else a tiny one.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="Folder with train.jsonl and test.jsonl. Without it: AG News if fetched, else the bundled corpus.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="Write figures and plot there, and the trained models to DIR/checkpoints.",
)
@click.option("--seed", type=Seed(), metavar="N", default=0, help="Of shuffling, dropout and the new head.")
@click.option("--debug", is_flag=True, hidden=True)
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
@click.option("--debug", is_flag=True, hidden=True)
@click.pass_context
def assets(context: click.Context, thorough: bool, debug: bool) -> None:
    """Show the data and models of the real run: what is here, and where it is kept."""
    if context.invoked_subcommand is None:
        from grader.assets_table import print_assets

        whole = print_assets(_console(), _known_assets(), thorough=thorough)
        context.exit(ExitCode.ALL_PASSED if whole else ExitCode.GRADER_ERROR)


@assets.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="From a mirror of the hub, or the cache of another machine.",
)
@click.option("--again", is_flag=True, help="Also what is here already.")
@click.option("--debug", is_flag=True, hidden=True)
def fetch(names: tuple[str, ...], source: Path | None, again: bool, debug: bool) -> None:
    """Fetch them once; from then on all works without a network."""
    from grader.assets_table import fetch_assets

    fetch_assets(_console(), _known_assets(), names, source, again=again)


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
@class_commands.ASSIGNMENT
@click.option("--debug", is_flag=True, hidden=True)
def list_(parts: tuple[str, ...], public: bool, assignment: str, debug: bool) -> None:
    """List the parts, their checks and points."""
    from grader.assignment import find_assignment
    from grader.listing import print_assignment

    print_assignment(_console(), find_assignment(assignment), parts, public_only=public)


@main.command()
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

    found, errors = find_assignment(assignment), _console(stderr=True)
    with _ended_like_ctrl_c(), shown_progress(errors) as progress:
        proof = prove(found, progress=progress, **options)
    if as_json:
        click.echo(proof_as_json(proof), nl=False)
    else:
        print_proof(proof, _console())
    if debug:
        for _, problem in proof.problems:
            if problem.trace:
                errors.print(
                    f"\n{problem.about}: its own error\n{problem.trace}", markup=False, highlight=False
                )
    return ExitCode.ALL_PASSED if proof.holds else ExitCode.POINTS_LOST


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """A SIGTERM, as of `timeout 60 grade PATH`, ends the worker and removes its files as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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


for command in (
    check,
    dist,
    doctor,
    class_commands.class_book,
    class_commands.review,
    class_commands.show_book,
    class_commands.diff,
    class_commands.export,
    class_commands.similar,
    author_commands.new,
    author_commands.import_,
):
    main.add_command(command)
