"""Putting a diagnosis behind whatever takes points: when it is looked for, and that nothing in it can change a mark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from grader.checking.evidence import Running
from grader.checking.outcomes import Outcome, StudentFault
from grader.diagnosis import Finding
from grader.model import Diagnosis, Status


@contextmanager
def explained(check: Running, find: Callable[[], Finding]) -> Iterator[None]:
    """What takes points inside leaves with its diagnosis, unless it has one, or with a note that there is none."""
    try:
        yield
    except Outcome as outcome:
        if outcome.status in (Status.FAILED, Status.PARTIAL) and outcome.diagnosis is None:
            found = _found(find)
            outcome.because(found.diagnosis)
            if found.remark and not isinstance(outcome, StudentFault):
                check.note(found.remark)
        raise


def _found(find: Callable[[], Finding]) -> Finding:
    try:
        return find()
    except Outcome:  # the student's code ended the worker, or answered something odd
        return Finding(None)
    except (
        Exception
    ) as error:  # an error of ours costs no points, so a student must not be able to bring one about
        return Finding(None, f"The search for a known mistake broke off ({type(error).__name__}).")


def seen(id: str, evidence: str) -> Diagnosis:
    """The misconception `id`, which the check has seen for itself; `evidence` says how."""
    from reference.transformer.misconceptions import BANK

    found = next(m for m in BANK if m.id == id)
    return Diagnosis(found.id, found.title, evidence, found.hint)
