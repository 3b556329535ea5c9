"""`grade` over a class: start what is warm, grade, write reports and gradebook, say what became of it."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grader.assignment import find_assignment, select
from grader.classroom.display import print_summary, shown
from grader.classroom.hand_in import ClassOptions, HandIn, Tally
from grader.classroom.keys import check_keys, with_dependencies
from grader.classroom.plan import plan
from grader.errors import GraderError
from grader.exitcode import ExitCode
from grader.gradebook import Gradebook, Result
from grader.languages import language
from grader.model import Assignment, Check, GradeReport
from grader.options import Options
from grader.render import write_reports

if TYPE_CHECKING:
    from grader.classroom.judges import Judges


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a class run writes."""

    reports: Path
    """A folder a student below it."""
    book: str
    """File or address of the gradebook."""
    formats: tuple[str, ...]
    lang: str = "en"
    """Code of the language that the reports are shown in."""


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
    known = None if run.force else _known(assignment, selected, hand_ins, outputs.book)
    if known is not None:
        _print(console, Tally(unchanged=len(hand_ins)), known, hand_ins, outputs)
        return ExitCode.ALL_PASSED
    before()
    words = language(outputs.lang, assignment.root)
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
                write_reports(report, outputs.reports / hand_in.student, outputs.formats, words)
            except GraderError as error:  # the gradebook has it: the class goes on
                unwritten[hand_in.student] = error.message

        with (
            _judges(assignment, selected, options, run, len(hand_ins), seed) as judges,
            shown(errors, len(hand_ins), deliver) as watcher,
        ):
            tally = ClassRun(assignment, selected, book, run, watcher).grade(
                hand_ins, source=source, seed=seed, judges=judges
            )
        _print(console, tally, book.current(assignment.id), hand_ins, outputs)
    for student, message in unwritten.items():
        errors.print(f"{student}: {message} The result is in the gradebook.", markup=False, highlight=False)
    return _exit_code(tally)


def _known(
    assignment: Assignment, selected: Sequence[Check], hand_ins: Sequence[HandIn], address: str
) -> Mapping[str, Result] | None:
    """The results that count, where nothing has to be run; found out without starting anything."""
    with Gradebook.open(address) as book:
        earlier = book.current(assignment.id)
    if any(hand_in.student not in earlier for hand_in in hand_ins):
        return None
    keys = check_keys(assignment)
    for hand_in in hand_ins:
        try:
            sha256 = hand_in.read().sha256
        except GraderError:
            return None
        known = earlier[hand_in.student]
        if not plan(assignment, selected, keys, sha256, known, attempt=hand_in.attempt).nothing_to_do:
            return None
    return earlier


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


def _judges(
    assignment: Assignment,
    selected: Sequence[Check],
    options: Options,
    run: ClassOptions,
    hand_ins: int,
    seed: int,
) -> AbstractContextManager[Judges]:
    if run.cluster is not None:
        from grader.cluster import on_cluster

        name = assignment.id if options.assignment == assignment.id else str(assignment.root)
        return on_cluster(run.cluster, name, assignment, selected, options.isolation, run, seed)
    from grader.classroom.judges import local

    return local(assignment, selected, options.isolation, hand_ins, run.jobs, seed)


def _exit_code(tally: Tally) -> ExitCode:
    return ExitCode.GRADER_ERROR if tally.failed else ExitCode.ALL_PASSED


def user_name() -> str:
    """Who grades, for the gradebook."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user
        return "unknown"
