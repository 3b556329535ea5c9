"""What one check asks of a hand-in, kept, so that a wrong answer can be explained.

A check asks inside `asking`. What takes points there leaves with its diagnosis: the one misconception of the bank, or
the one pair, that gives what the student's code gave on every call of the check, where the model solution gives
something else. Nothing in the search can change a mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from typing import Any, NamedTuple

from grader.bank import Misconception
from grader.checking.evidence import Running
from grader.checking.outcomes import Outcome, StudentFault
from grader.checking.student import Student
from grader.diagnosis import Finding, Match, explain, finding
from grader.model import Status
from grader.worker.calls import Call, Raised, Reply
from reference.language_model.replay import NEAR, CannotGoTogether, Fault, Replica, Who, gap

FAR = 10 * NEAR
"""From this on results differ; in between nothing can be told."""


class _Asked(NamedTuple):
    calls: Sequence[Call]
    results: list[Any]


class Inquiry:
    """What one check asked."""

    def __init__(self, check: Running, student: Student) -> None:
        self._check = check
        self._student = student
        self._asked: list[_Asked] = []

    def ask(self, *calls: Call) -> list[Any]:
        """The values of the calls, made in one round trip; raises StudentFault where one has none."""
        replies = self._student.replies(*calls)
        self._asked.append(_Asked(calls, [_result_of(reply) for reply in replies]))
        return self._student.values(replies)

    def aside(self, call: Call) -> Any:
        """The value of a call that is none of the check's own questions: it explains a result, and is not explained."""
        with self._check.aside():
            return self._student.ask(call)[0]

    def finding(self) -> Finding:
        """Which known mistake explains all that was asked."""
        from reference.language_model.misconceptions import BANK

        section = self._check.declaration.part[0]
        bank = [m for m in BANK if any(id[0] == section for id in m.checks)]
        right = self._results(())
        if not self._asked or right is None or self._gaps(right) <= FAR:
            return Finding(None)
        telling = sum(
            gap(a, b) > FAR
            for one, other in zip(self._asked, right, strict=True)
            for a, b in _pairs(one, other)
        )
        probes = sum(len(asked.calls) for asked in self._asked)

        def agrees(who: Who) -> Match[Misconception] | None:
            replayed = self._results(who)
            if replayed is None:
                return None
            largest = self._gaps(replayed)
            return Match(who, largest, probes, telling) if largest <= NEAR else None

        return finding(explain(bank, lambda: combinations(bank, 2), agrees))

    def _results(self, who: Who) -> list[list[Any]] | None:
        """What the solution with these mistakes gives; None where they do not go together."""
        try:
            replica = Replica(who)
        except CannotGoTogether:
            return None
        return [replica.results(asked.calls) for asked in self._asked]

    def _gaps(self, replayed: list[list[Any]]) -> float:
        found = (
            gap(a, b) for one, other in zip(self._asked, replayed, strict=True) for a, b in _pairs(one, other)
        )
        return max(found, default=0.0)


def _pairs(asked: _Asked, replayed: list[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(asked.results, replayed, strict=True)


def _result_of(reply: Reply) -> Any:
    if isinstance(reply, Raised):
        return None if reply.kind == "skipped" else Fault(reply.type_name, reply.message)
    return reply.value


@contextmanager
def asking(check: Running, student: Student) -> Iterator[Inquiry]:
    """An inquiry; what takes points inside is explained by what was asked."""
    inquiry = Inquiry(check, student)
    try:
        yield inquiry
    except Outcome as outcome:
        if outcome.status in (Status.FAILED, Status.PARTIAL) and outcome.diagnosis is None:
            found = _found(inquiry)
            outcome.because(found.diagnosis)
            if found.remark and not isinstance(outcome, StudentFault):
                check.note(found.remark)
        raise


def _found(inquiry: Inquiry) -> Finding:
    try:
        return inquiry.finding()
    except (
        Exception
    ) as error:  # an error of ours costs no points, so a student must not be able to bring one about
        return Finding(None, f"The search for a known mistake broke off ({type(error).__name__}).")
