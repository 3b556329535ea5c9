"""What one check asks of a hand-in, kept, so that a wrong answer can be explained.

A check asks inside `asking`. What takes points there leaves with its diagnosis: the one misconception of the bank, or
the one pair, that gives what the student's code gave on every call of the check, where the model solution gives
something else. Nothing in the search can change a mark.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import combinations
from typing import Any, NamedTuple

from grader.bank import Misconception
from grader.checking.evidence import Running
from grader.checking.outcomes import Outcome, StudentFault
from grader.checking.student import Student
from grader.checking.threads import one_thread
from grader.diagnosis import Finding, Match, finding
from grader.model import Status
from grader.worker.calls import Call, Raised, Reply
from reference.language_model.replay import NEAR, CannotGoTogether, Fault, Own, Replica, Who, gap

FAR = 10 * NEAR
"""From this on results differ; in between nothing can be told."""

_LOST = (Status.TIMEOUT, Status.CRASHED, Status.OUT_OF_MEMORY)
"""A function of the student's that ends so in the search is not called for the next hypothesis: each may cost 20 s."""


class _Asked(NamedTuple):
    calls: Sequence[Call]
    results: list[Any]


class Inquiry:
    """What one check asked."""

    def __init__(self, check: Running, student: Student, on: Sequence[str] = ()) -> None:
        """on: functions of the student's that what is asked about calls."""
        self._check = check
        self._student = student
        self._on = on
        self._asked: list[_Asked] = []
        self._lost = False

    def ask(self, *calls: Call) -> list[Any]:
        """The values of the calls, made in one round trip; raises StudentFault where one has none."""
        replies = self._student.replies(*calls)
        self._asked.append(_Asked(calls, [_result_of(reply) for reply in replies]))
        return self._student.values(replies)

    def aside(self, call: Call) -> Any:
        """The value of a call that is none of the check's own questions: it explains a result, and is not explained."""
        with self._check.aside():
            return self._student.ask(call)[0]

    def probe(self, call: Call) -> None:
        """Ask more, for the search alone: what comes back costs nothing."""
        with self._check.aside(), suppress(StudentFault):
            self.ask(call)

    def finding(self) -> Finding:
        """Which known mistake explains all that was asked: on top of right functions, else of the student's own."""
        from reference.language_model.misconceptions import BANK

        id = self._check.declaration.id
        section = [m for m in BANK if any(check[0] == id[0] for check in m.checks)]
        here = [m for m in section if id in (*m.checks, *m.may_cost)]
        right = self._gaps((), {})
        if right is None or max(right, default=0.0) <= FAR:
            return Finding(None)  # the model solution gives the same: what is wrong is something else then
        found = self._matches(zip(section), {})
        if not found and self._on:
            found = self._matches(zip(here), {name: self._own(name) for name in self._on})
        return finding(found or self._matches(combinations(here, 2), {}))

    def _own(self, name: str) -> Callable[..., Any]:
        def ask(*given: Any, **named: Any) -> Any:
            try:
                return self.aside(Call(f"student:{name}", given, named))
            except StudentFault as fault:
                self._lost |= fault.status in _LOST
                raise

        return ask

    def _matches(self, hypotheses: Iterable[Who], own: Own) -> list[Match[Misconception]]:
        """Those that agree with all that was asked, and of which the model solution is told apart by it."""
        right = self._gaps((), own) or [0.0]
        telling = sum(gap > FAR for gap in right)
        found = []
        for who in hypotheses if telling else ():
            if self._lost:
                return []
            gaps = self._gaps(who, own, most=NEAR)
            if gaps:
                found.append(Match(who, max(gaps), len(gaps), telling))
        return found

    def _gaps(self, who: Who, own: Own, most: float = math.inf) -> list[float] | None:
        """How far the solution with these mistakes is off, by call; None where they do not go together, or where one
        is off by more than `most`."""
        try:
            replica = Replica(who, own)
        except CannotGoTogether:
            return None
        gaps = []
        for asked in self._asked:
            for result, replayed in zip(asked.results, replica.results(asked.calls), strict=True):
                gaps.append(gap(result, replayed))
                if gaps[-1] > most:
                    return None
        return gaps


def _result_of(reply: Reply) -> Any:
    if isinstance(reply, Raised):
        return None if reply.kind == "skipped" else Fault(reply.type_name, reply.message)
    return reply.value


@contextmanager
def asking(check: Running, student: Student, on: Sequence[str] = ()) -> Iterator[Inquiry]:
    """An inquiry; what takes points inside is explained by what was asked."""
    inquiry = Inquiry(check, student, on)
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
        with one_thread():
            return inquiry.finding()
    except (
        Exception
    ) as error:  # an error of ours costs no points, so a student must not be able to bring one about
        return Finding(None, f"The search for a known mistake broke off ({type(error).__name__}).")
