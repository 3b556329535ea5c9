"""`grade` over a class: start what is warm, grade, write reports and gradebook, say what became of it."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from grader.assignment import load_assignment, read_document, select
from grader.checking.warm import WarmJudge
from grader.classroom.display import print_summary, shown
from grader.classroom.grading import WORTH_A_REHEARSAL, ClassOptions, ClassRun, HandIn, Tally
from grader.classroom.keys import with_dependencies
from grader.errors import GraderError
from grader.exitcode import ExitCode
from grader.gradebook import Gradebook
from grader.intake import read_submission
from grader.model import Assignment, Check, GradeReport, Submission
from grader.options import Options, preload
from grader.render import write_reports
from grader.worker import Zygote, ZygoteSpec


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a class run writes."""

    reports: Path
    """A folder a student below it."""
    book: str
    """File or address of the gradebook."""
    formats: tuple[str, ...]


def grade_class(
    hand_ins: Sequence[HandIn],
    source: str,
    options: Options,
    run: ClassOptions,
    outputs: Outputs,
    console: Console,
    errors: Console,
) -> ExitCode:
    """Grade `hand_ins`, found at `source`; what is in the gradebook already is not graded again."""
    assignment = load_assignment(options.assignment)
    selected = with_dependencies(
        assignment, select(assignment, options.parts, options.checks, public_only=options.public_only)
    )
    with Gradebook.open(outputs.book) as book:
        seed = options.seed
        if seed is None:
            seed = book.unfinished_seed(assignment.id, source)
        if seed is None:
            seed = secrets.randbelow(2**31)
        unwritten: dict[str, str] = {}

        def deliver(hand_in: HandIn, report: GradeReport) -> None:
            try:
                write_reports(report, outputs.reports / hand_in.student, outputs.formats)
            except GraderError as error:  # the gradebook has it: the class goes on
                unwritten[hand_in.student] = error.message

        with (
            _warm(assignment, selected, options, len(hand_ins)) as (zygote, judge),
            shown(errors, len(hand_ins), deliver) as watcher,
        ):
            tally = ClassRun(assignment, selected, book, run, watcher).grade(
                hand_ins, source=source, seed=seed, zygote=zygote, judge=judge
            )
        places: dict[str, Path | str] = {"Reports": outputs.reports, "Gradebook": outputs.book}
        keys = {hand_in.student for hand_in in hand_ins}
        results = {s: r for s, r in book.current(assignment.id).items() if s in keys}
        print_summary(console, tally, results, places)
    for student, message in unwritten.items():
        errors.print(f"{student}: {message} The result is in the gradebook.", markup=False, highlight=False)
    return _exit_code(tally)


@contextmanager
def _warm(
    assignment: Assignment, selected: Sequence[Check], options: Options, hand_ins: int
) -> Iterator[tuple[Zygote | None, WarmJudge]]:
    """The process that workers are forked from, and the one that judges are forked from."""
    modules = preload(assignment, selected)
    with ExitStack() as stack:
        zygote = None
        if modules:
            spec = ZygoteSpec.of(assignment, modules)
            zygote = stack.enter_context(Zygote(spec, isolation=options.isolation))
        rehearsal = _solution(assignment) if hand_ins >= WORTH_A_REHEARSAL else None
        judge = stack.enter_context(WarmJudge(assignment, selected, zygote, rehearsal=rehearsal))
        judge.start()
        yield zygote, judge


def _solution(assignment: Assignment) -> Submission | None:
    """The assignment's own right hand-in, if it declares one."""
    folder = read_document(assignment.root).get("verify", {}).get("solution")
    return read_submission(assignment.root / folder) if isinstance(folder, str) else None


def _exit_code(tally: Tally) -> ExitCode:
    return ExitCode.GRADER_ERROR if tally.failed else ExitCode.ALL_PASSED


def user_name() -> str:
    """Who grades, for the gradebook."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user
        return "unknown"
