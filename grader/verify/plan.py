"""Which hand-ins are graded, by which checks, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from grader.bank import Misconception
from grader.beside import load_bank
from grader.model import Assignment, Check
from grader.verify.handins import (
    EditFails,
    HandIn,
    misconceived,
    solution_at,
    starter_at,
    variants_in,
    without_the_rest,
)
from grader.verify.runs import Task
from grader.verify.settings import Group, Settings

OTHER_THREADS = 2
"""Threads of the judge in the runs that look for noise by their number; all others use one."""


@dataclass(slots=True)
class Plan:
    """Everything that is to be run."""

    solution: HandIn
    starter: HandIn | None = None
    misconceptions: dict[str, Misconception] = field(default_factory=dict)
    """By the name of their hand-in; those whose edits apply."""
    broken: list[tuple[Misconception, EditFails]] = field(default_factory=list)
    """Those whose edits do not."""
    left_out: int = 0
    """Misconceptions that name none of the selected checks."""
    variants: list[HandIn] = field(default_factory=list)
    alone: dict[str, Group] = field(default_factory=dict)
    """The solution with garbage in all that a group does not read, by the name of the hand-in."""
    handins: dict[str, HandIn] = field(default_factory=dict)
    """All of them by name."""
    tasks: list[Task] = field(default_factory=list)
    """Slow ones first, so that no core waits for the last."""
    restricted: bool = False
    """True where not all of the assignment's checks were selected."""


def make_plan(assignment: Assignment, settings: Settings, selected: Sequence[Check]) -> Plan:
    """Read what is handed in and list the runs; raises AssignmentError."""
    plan = Plan(solution_at(settings.solution))
    plan.restricted = len(selected) < len(assignment.checks)
    plan.starter = starter_at(settings.starter) if settings.starter else None
    ids = {check.id for group in settings.groups for check in group.checks}
    known = {check.id for check in assignment.checks}
    for misconception in load_bank(assignment, settings.bank):
        if plan.restricted and set(misconception.checks) <= known and not ids & set(misconception.checks):
            plan.left_out += 1
            continue
        try:
            handin = misconceived(misconception, plan.solution)
        except EditFails as problem:
            plan.broken.append((misconception, problem))
            continue
        plan.misconceptions[handin.name] = misconception
        plan.handins[handin.name] = handin
    plan.variants = variants_in(settings.variants, plan.solution) if settings.variants else []
    plan.handins |= {
        handin.name: handin for handin in (plan.solution, plan.starter, *plan.variants) if handin
    }
    for number, group in enumerate(settings.groups):
        _add_group(plan, number, group, settings)
    plan.tasks.sort(key=lambda task: settings.groups[task.group].seeds)
    return plan


def _add_group(plan: Plan, number: int, group: Group, settings: Settings) -> None:
    """The runs of one group of checks."""
    solution = plan.solution.name
    plan.tasks += [Task(solution, number, seed) for seed in range(group.seeds)]
    plan.tasks.append(Task(solution, number, 0, again=True))
    if any(check.tolerance and check.number is None for check in group.checks):
        plan.tasks += [Task(solution, number, seed, OTHER_THREADS) for seed in range(group.seeds_each)]
    if plan.starter:
        plan.tasks.append(Task(plan.starter.name, number, 0))
    alone = without_the_rest(group, plan.solution) if group.reads else None
    if alone is not None and alone.changed:
        plan.alone[alone.name], plan.handins[alone.name] = group, alone
        plan.tasks.append(Task(alone.name, number, 0))
    for name, misconception in plan.misconceptions.items():
        if group.reads_any(plan.handins[name].changed):
            related = {*misconception.checks, *misconception.may_cost} & {check.id for check in group.checks}
            plan.tasks += [Task(name, number, seed) for seed in range(group.seeds_each if related else 1)]
    for variant in plan.variants:
        if group.reads_any(variant.changed):
            plan.tasks += [Task(variant.name, number, seed) for seed in range(group.seeds_each)]
