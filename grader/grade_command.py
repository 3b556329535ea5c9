"""The command `grade PATH`: one hand-in, or a class of them. Imports nothing heavy before it is needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from grader.command_options import ASSIGNMENT, PATH
from grader.console import console, ended_like_ctrl_c
from grader.errors import UsageError
from grader.exitcode import ExitCode, exit_code
from grader.frontdoor import OneOf, Seed
from grader.languages import chosen, language

if TYPE_CHECKING:
    from rich.console import Console

    from grader.intake import ClassHandIns
    from grader.languages import Language
    from grader.model import GradeReport
    from grader.options import Options
    from grader.pipeline import Progress

_FORMATS = ("html", "md", "json")
_LEVELS = ("auto", "strict", "container")


@click.command("run", hidden=True)
@click.argument("path", type=PATH)
@ASSIGNMENT
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
    type=PATH,
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
    from grader.pipeline import grade

    errors = console(stderr=True)
    with ended_like_ctrl_c(), _progress(errors) as progress:
        graded = grade(path, options, progress)
    words = language(speaks, graded.assignment.root)
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

    print_inventory(console(), found, find_assignment(assignment))
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
    errors = console(stderr=True)
    how = ClassOptions(jobs or cores(), timeout, force, author=user_name(), cluster=cluster)
    where = Outputs(out, book or str(out / "gradebook.sqlite"), formats, lang)

    def before() -> None:
        if cluster is None and runs_student_code(options):
            twin.start_over()  # comes back here as a process that shares its import of torch with the zygote
        errors.print(f"{found.path.name}: {found.layout}, {len(found)} hand-ins", markup=False)

    with ended_like_ctrl_c():
        return grade_class(
            found.hand_ins,
            str(found.path.resolve()),
            options,
            how,
            where,
            console(),
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
            terminal_summary(report, console(), written, words)
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


@contextmanager
def _progress(screen: Console) -> Iterator[Progress]:
    """A live line on a terminal, nothing where the output goes elsewhere."""
    from grader.pipeline import Progress

    if not screen.is_terminal:
        yield Progress()
        return
    with screen.status("Reading the submission, starting the worker …") as status:
        done: list[str] = []

        def started(check: Any) -> None:
            status.update(f"{len(done)} checks done · {check.id}: {check.title}")

        yield Progress(on_start=started, on_finish=lambda check, outcome: done.append(check.id))
