"""Where the hand-ins of a class are judged: beside this process, or on the nodes of a cluster."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from grader.classroom.keys import reference_modules
from grader.classroom.rehearsals import rehearsals
from grader.errors import JudgeDied
from grader.model import Assignment, Check, CheckResult, Isolation, Submission
from grader.options import IsolationChoice, preload
from grader.worker import Zygote, ZygoteSpec

if TYPE_CHECKING:
    from grader.checking.warm import WarmJudge

_MANY = 64
"""Hand-ins from which on a second at the start is earned back: forks of large pages are cheaper, and so is naming what
was computed before."""
_WORTH_A_REHEARSAL = 4
"""Hand-ins from which on it pays to judge one of our own first: what libraries do only once is then done."""

_MOST_SESSIONS = 16
"""Collected ahead for a judge: about the root of half the hand-ins, where one more costs what it saves."""


class Judging(Protocol):
    """One submission that is being judged."""

    @property
    def closed(self) -> bool: ...
    def fileno(self) -> int:
        """Readable when `receive` has something to do."""

    def receive(self) -> bool:
        """Takes what is there; True once the result is all there."""

    def result(self) -> tuple[list[CheckResult], dict[str, str]]:
        """Results in the order of the assignment, and tracebacks of our own errors; raises JudgeDied."""

    def close(self) -> None:
        """Ends the judging if it still goes on."""


class Judges(Protocol):
    """Whoever judges."""

    @property
    def at_a_time(self) -> int:
        """Submissions to hand out at a time; may change while a class is graded."""

    @property
    def keep_time(self) -> bool:
        """Whether they stop by themselves what takes longer than its time."""

    def wait(self) -> None:
        """A moment, where there is none; raises GraderError where none has come for too long."""

    def begin(self, submission: Submission, seed: int, only: Collection[str]) -> Judging:
        """Starts to judge and returns at once. `only`: ids of the checks to run."""

    def sealed(self, judging: Judging | None) -> tuple[Isolation, Mapping[str, str]]:
        """How the student code of one judged submission was sealed, and where it ran; None: code that runs here."""


class Local:
    """Judges beside this process, forked from a warm one."""

    keep_time = False

    def __init__(self, judge: WarmJudge, zygote: Zygote | None, jobs: int) -> None:
        self._judge = judge
        self._zygote = zygote
        self._jobs = jobs

    @property
    def at_a_time(self) -> int:
        return self._jobs

    def wait(self) -> None:
        """There are always some."""

    def begin(self, submission: Submission, seed: int, only: Collection[str]) -> Judging:
        return self._judge.begin(submission, seed, only)

    def sealed(self, judging: Judging | None) -> tuple[Isolation, Mapping[str, str]]:
        from grader.pipeline import sealed

        return sealed(self._zygote)


def out_of_time(timeout_s: float) -> JudgeDied:
    """What is said of a submission that was not done in its time."""
    return JudgeDied(
        f"It was not done within {timeout_s:g} s.", "Grade it alone, or allow more time with --timeout."
    )


@contextmanager
def local(
    assignment: Assignment,
    selected: Sequence[Check],
    isolation: IsolationChoice,
    hand_ins: int,
    jobs: int,
    seed: int,
    *,
    pinned: bool = True,
) -> Iterator[Local]:
    """The process that workers are forked from, and the one that judges are forked from.

    seed: of the run. pinned: as `WarmJudge` has it.
    """
    from grader.checking.warm import WarmJudge

    modules = preload(assignment, selected)
    many = hand_ins >= _MANY
    with ExitStack() as stack:
        zygote = None
        if modules:
            spec = ZygoteSpec.of(assignment, modules, many=many)
            zygote = stack.enter_context(Zygote(spec, isolation=isolation))
        first = rehearsals(assignment, selected, wrong=many) if hand_ins >= _WORTH_A_REHEARSAL else []
        imports = reference_modules(assignment, selected) if first else ()
        judge = stack.enter_context(
            WarmJudge(
                assignment,
                selected,
                zygote,
                rehearsals=first,
                imports=imports,
                seed=seed,
                many=many,
                sessions=min(math.isqrt(hand_ins // 2), _MOST_SESSIONS),
                pinned=pinned,
            )
        )
        judge.start()
        yield Local(judge, zygote, jobs)
