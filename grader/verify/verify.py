"""The whole proof on one page."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grader.assignment import select
from grader.beside import load_quantities
from grader.checking.marks import misspelt
from grader.errors import AssignmentError
from grader.intake.prose.questions import read_questions
from grader.model import Assignment, Check
from grader.numbers.question import read_question
from grader.options import preload
from grader.verify import claims, telling
from grader.verify.case import Case
from grader.verify.imports import imports_of
from grader.verify.judges import grade_all
from grader.verify.plan import Plan, make_plan
from grader.verify.proof import Claim, Margin, Proof
from grader.verify.runs import Runs, Task
from grader.verify.settings import Settings, read_settings
from grader.verify.tolerances import margins, tolerances


@dataclass(frozen=True, slots=True)
class Progress:
    """Called as the work goes on."""

    on_plan: Callable[[int], None] = lambda tasks: None
    on_done: Callable[[Task], None] = lambda task: None


def verify(
    assignment: Assignment,
    parts: Sequence[str] = (),
    *,
    seeds: int | None = None,
    slow_seeds: int | None = None,
    jobs: int | None = None,
    progress: Progress = Progress(),
) -> Proof:
    """Prove `assignment`, or the `parts` of it that are named.

    seeds, slow_seeds: runs of the model solution in place of those declared; jobs: processes, None for one a core.
    Raises AssignmentError where it cannot be tried at all, UnknownName for a part; what is weak is in the proof.
    """
    started, cpu_before = time.perf_counter(), _cpu_s()
    selected = select(assignment, parts)
    _refuse_misspelt(assignment)
    read_questions(assignment)
    settings = read_settings(assignment, selected, seeds=seeds, slow_seeds=slow_seeds)
    with imports_of(assignment):
        plan = make_plan(assignment, settings, selected)
        quantities = load_quantities(assignment, settings.quantities)
        automatic = [check for group in settings.groups for check in group.checks]
        for check in automatic:
            if check.number:
                read_question(check, quantities)  # raises now what would be an error of each of its results
        progress.on_plan(len(plan.tasks))
        jobs = min(jobs or _cores(), len(plan.tasks))
        results = grade_all(
            assignment,
            settings.groups,
            plan.handins,
            plan.tasks,
            preload(assignment, automatic),
            jobs,
            progress.on_done,
        )
        case = Case.of(assignment, settings, plan, Runs(results))
        found = margins(case, quantities)
    return Proof(
        assignment=assignment,
        settings=settings,
        parts=tuple(parts),
        claims=_claims(case, found),
        margins=found,
        checks=claims.check_rows(case),
        misconceptions=claims.misconception_rows(case),
        remarks=_remarks(settings, plan, selected),
        gradings=len(plan.tasks),
        jobs=jobs,
        duration_s=round(time.perf_counter() - started, 1),
        cpu_s=round(_cpu_s() - cpu_before, 1),
    )


def _refuse_misspelt(assignment: Assignment) -> None:
    """A mark or a fixture that does not exist would be an error of its own in hundreds of results."""
    problems = misspelt(assignment)
    if problems:
        raise AssignmentError("\n       ".join(problems), "docs/authoring.md names what there is.")


def _claims(case: Case, found: tuple[Margin, ...]) -> tuple[Claim, ...]:
    """In the order of the table; nothing but the first where every check fails by its own error."""
    if not case.checks:
        return (claims.own_errors(case),)
    return (
        claims.own_errors(case),
        claims.reference(case),
        claims.starter(case),
        claims.misconceptions(case),
        claims.checks(case),
        tolerances(case, found),
        telling.pairs(case),
        telling.diagnoses(case),
        claims.variants(case),
        telling.determinism(case),
        telling.reach(case),
    )


def _cpu_s() -> float:
    """Of this process, and of the processes it started that have ended."""
    return sum(os.times()[:4])


def _cores() -> int:
    """Processes that pay. Elsewhere than on Linux a process cannot be forked safely once torch is imported."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


def _remarks(settings: Settings, plan: Plan, selected: Sequence[Check]) -> tuple[str, ...]:
    """What was not asked, or less often than the rest."""
    usual = max(group.seeds for group in settings.groups)
    remarks = [
        f"{group.name}: {group.seeds} seeds, not {usual}. {group.why}"
        for group in settings.groups
        if group.seeds < usual and group.why
    ]
    by_person = [check.id for check in selected if check.review]
    if by_person:
        remarks.append(f"Marked by a person, so not verified: {', '.join(by_person)}.")
    if settings.own_report and plan.variants:
        ids = ", ".join(sorted(settings.own_report))
        remarks.append(
            f"Not asked of variants, whose code is not the one that the model solution reports on: {ids}."
        )
    if plan.left_out:
        remarks.append(
            f"{plan.left_out} misconceptions name none of the checks selected and were not handed in."
        )
    return tuple(remarks)
