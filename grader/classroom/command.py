"""`grade` over a class: start what is warm, grade, write reports and gradebook, say what became of it."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.assignment import find_assignment, read_document, select
from grader.classroom.display import print_summary, shown
from grader.classroom.hand_in import ClassOptions, HandIn, Tally
from grader.classroom.keys import check_keys, reference_modules, with_dependencies
from grader.classroom.plan import plan
from grader.errors import GraderError
from grader.exitcode import ExitCode
from grader.gradebook import Gradebook, Result
from grader.intake import read_submission
from grader.model import Assignment, Check, GradeReport, Submission
from grader.options import Options, preload
from grader.render import write_reports
from grader.worker import Zygote, ZygoteSpec

if TYPE_CHECKING:
    from grader.checking.warm import WarmJudge

_WORTH_A_REHEARSAL = 4
"""Hand-ins from which on it pays to judge one of our own first: what libraries do only once is then done."""


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
    before: Callable[[], None] = lambda: None,
) -> ExitCode:
    """Grade `hand_ins`, found at `source`; what is in the gradebook already is not graded again.

    before: called once it is certain that something has to be graded, with the gradebook closed.
    """
    assignment = find_assignment(options.assignment)
    selected = with_dependencies(
        assignment, select(assignment, options.parts, options.checks, public_only=options.public_only)
    )
    if not run.force and _all_known(assignment, selected, hand_ins, outputs.book):
        with Gradebook.open(outputs.book) as book:
            tally = Tally(unchanged=len(hand_ins))
            _print(console, tally, book.current(assignment.id), hand_ins, outputs)
        return ExitCode.ALL_PASSED
    before()
    from grader.classroom.grading import ClassRun

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
        _print(console, tally, book.current(assignment.id), hand_ins, outputs)
    for student, message in unwritten.items():
        errors.print(f"{student}: {message} The result is in the gradebook.", markup=False, highlight=False)
    return _exit_code(tally)


def _all_known(
    assignment: Assignment, selected: Sequence[Check], hand_ins: Sequence[HandIn], address: str
) -> bool:
    """Whether nothing has to be run, found out without starting anything."""
    with Gradebook.open(address) as book:
        earlier = book.current(assignment.id)
    if any(hand_in.student not in earlier for hand_in in hand_ins):
        return False
    keys = check_keys(assignment)
    for hand_in in hand_ins:
        try:
            sha256 = hand_in.read().sha256
        except GraderError:
            return False
        known = earlier[hand_in.student]
        if not plan(assignment, selected, keys, sha256, known, attempt=hand_in.attempt).nothing_to_do:
            return False
    return True


def _print(
    console: Console,
    tally: Tally,
    current: Mapping[str, Result],
    hand_ins: Sequence[HandIn],
    outputs: Outputs,
) -> None:
    graded = {hand_in.student for hand_in in hand_ins}
    results = [result for student, result in current.items() if student in graded]
    places = {"Reports": str(outputs.reports), "Gradebook": outputs.book}
    print_summary(console, tally, results, places)


@contextmanager
def _warm(
    assignment: Assignment, selected: Sequence[Check], options: Options, hand_ins: int
) -> Iterator[tuple[Zygote | None, WarmJudge]]:
    """The process that workers are forked from, and the one that judges are forked from."""
    from grader.checking.warm import WarmJudge

    modules = preload(assignment, selected)
    with ExitStack() as stack:
        zygote = None
        if modules:
            spec = ZygoteSpec.of(assignment, modules)
            zygote = stack.enter_context(Zygote(spec, isolation=options.isolation))
        rehearsal = _solution(assignment) if hand_ins >= _WORTH_A_REHEARSAL else None
        imports = reference_modules(assignment, selected) if rehearsal is not None else ()
        judge = stack.enter_context(
            WarmJudge(assignment, selected, zygote, rehearsal=rehearsal, imports=imports)
        )
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
