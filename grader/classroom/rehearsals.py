"""What the process that judges are forked from judges first, and forgets: hand-ins of the assignment's own.

After the model solution, everything that a right hand-in needs has been done once. After a wrong one, so has what names
mistakes: the bank is loaded, and what its entries compute on the inputs of this run is there for everyone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grader import entries
from grader.assignment import read_document
from grader.beside import load_bank
from grader.classroom.keys import with_dependencies
from grader.errors import GraderError
from grader.intake import read_submission
from grader.model import Assignment, Check, Submission

if TYPE_CHECKING:
    from grader.bank import Misconception
    from grader.checking.warm import Rehearsal
    from grader.verify.handins import HandIn

_WRONG = 2
"""Wrong ones at most: each takes about a third of a second."""
_WORTH_IT = 3
"""Checks at least that a wrong one fails and none before it."""
_QUICK_S = 30.0
"""Time limit of checks that are rehearsed with a wrong hand-in: those with a longer one train models."""


def rehearsals(assignment: Assignment, selected: Sequence[Check], *, wrong: bool) -> list[Rehearsal]:
    """The model solution, where the assignment declares one, and with `wrong` a few hand-ins that fail many checks."""
    from grader.checking.warm import Rehearsal

    declared = read_document(assignment.root).get("verify", {})
    if not isinstance(declared, dict) or not isinstance(declared.get("solution"), str):
        return []
    solution = read_submission(assignment.root / declared["solution"])
    found = [Rehearsal(solution, tuple(selected))]
    if wrong and "bank" in declared:
        bank = entries.text(declared, "bank", "[verify]")
        found += _wrong(assignment, solution, bank, selected)
    return found


def _wrong(
    assignment: Assignment, right: Submission, bank: str, selected: Sequence[Check]
) -> list[Rehearsal]:
    """The fewest misconceptions that fail the most checks, each with a second one that fails some of the same: two at
    once are what is looked for last."""
    from grader.checking.warm import Rehearsal
    from grader.verify.handins import HandIn

    quick = {check.id for check in selected if check.timeout_s <= _QUICK_S}
    usable = [m for m in load_bank(assignment, bank) if m.edits and m.diagnosed]
    fails = {m.id: quick.intersection(m.checks) for m in usable}
    solution = HandIn("model solution", right)
    covered: set[str] = set()
    found: list[Rehearsal] = []
    for _ in range(_WRONG):
        chosen = max(usable, key=lambda m: len(fails[m.id] - covered), default=None)
        if chosen is None or len(fails[chosen.id] - covered) < _WORTH_IT:
            break
        alike = sorted(usable, key=lambda m: len(fails[m.id] & fails[chosen.id]), reverse=True)
        submission = _believing([chosen, *(m for m in alike if m is not chosen)], solution)
        if submission is None:
            break
        checks = with_dependencies(assignment, [check for check in selected if check.id in fails[chosen.id]])
        found.append(Rehearsal(submission, checks))
        covered |= fails[chosen.id]
    return found


def _believing(ranked: Sequence[Misconception], solution: HandIn) -> Submission | None:
    """The hand-in of a student who believes the first and the next that can be had with it; None where the bank and
    the solution no longer fit, which `grade verify` tells the author."""
    from grader.verify.handins import misconceived

    made = None
    for misconception in ranked:
        try:
            second, made = made is not None, misconceived(misconception, made or solution)
        except GraderError:
            if made is None:
                return None
            continue
        if second:
            break
    return made.submission if made else None
