"""What a class run does with judges that come, go, and deliver at awkward moments: no result that exists is lost."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Mapping

import pytest

from grader.classroom.grading import ClassRun
from grader.classroom.hand_in import ClassOptions
from grader.errors import ClusterUnusable
from grader.gradebook import Gradebook
from grader.model import Assignment, CheckResult, Evidence, Isolation, Points, Status, Submission, Visibility

from .conftest import Pocket, Word

CLASS = [Word(name, "right") for name in ("ann", "bob", "cyd", "dan")]


class FakeJudging:
    """All right, once it is told to deliver."""

    def __init__(self, assignment: Assignment) -> None:
        self.closed = False
        self._assignment = assignment
        self._read, self._write = os.pipe()

    def deliver(self) -> None:
        os.write(self._write, b"!")

    def fileno(self) -> int:
        return self._read

    def receive(self) -> bool:
        return os.read(self._read, 1) == b"!"

    def result(self) -> tuple[list[CheckResult], dict[str, str]]:
        results = [
            CheckResult(
                id=check.id,
                part=check.part,
                title=check.title,
                visibility=Visibility.PUBLIC,
                status=Status.PASSED,
                points=Points(check.points, check.points),
                message="Right.",
                hint="",
                evidence=Evidence(),
                duration_s=0.0,
            )
            for check in self._assignment.checks
        ]
        return results, {}

    def close(self) -> None:
        self.closed = True
        os.close(self._read)
        os.close(self._write)


class FakeJudges:
    """`deliver` is called with each hand-in that is begun, the first ones included; it may raise."""

    keep_time = False

    def __init__(
        self, assignment: Assignment, jobs: int, deliver: Callable[[list[FakeJudging]], None], gone: int = 0
    ) -> None:
        self.at_a_time = 0 if gone else jobs
        self._assignment, self._jobs, self._deliver, self._gone = assignment, jobs, deliver, gone
        self._begun: list[FakeJudging] = []

    def wait(self) -> None:
        self._gone -= 1
        self.at_a_time = 0 if self._gone else self._jobs

    def begin(self, submission: Submission, seed: int, only: Collection[str]) -> FakeJudging:
        self._begun.append(FakeJudging(self._assignment))
        self._deliver(self._begun)
        return self._begun[-1]

    def sealed(self, judging: object) -> tuple[Isolation, Mapping[str, str]]:
        return Isolation("not_needed", (), ()), {}


@pytest.fixture
def run(pocket: Pocket, book: Gradebook) -> Callable[..., ClassRun]:
    def make(timeout_s: float = 60.0) -> ClassRun:
        assignment = pocket()
        return ClassRun(assignment, assignment.checks, book, ClassOptions(jobs=2, timeout_s=timeout_s))

    return make


def graded(book: Gradebook) -> list[str]:
    return sorted(student for student, result in book.current("pocket").items() if result.failure is None)


def test_all_that_is_ready_is_recorded_before_an_error_ends_the_run(
    pocket: Pocket, book: Gradebook, run: Callable[..., ClassRun]
) -> None:
    def both_at_once_then_none(begun: list[FakeJudging]) -> None:
        if len(begun) == 2:
            for judging in begun:
                judging.deliver()
        if len(begun) == 3:
            begun.pop().close()
            raise ClusterUnusable("There is none.", "Start one.")

    judges = FakeJudges(pocket(), 2, both_at_once_then_none)
    with pytest.raises(ClusterUnusable, match="There is none"):
        run().grade(CLASS, source="class", seed=7, judges=judges)
    assert graded(book) == ["ann", "bob"]


class SlowToRead(Word):
    def read(self) -> Submission:
        time.sleep(0.8)
        return super().read()


def test_who_was_in_time_is_not_late_because_another_takes_long_to_read(
    pocket: Pocket, book: Gradebook, run: Callable[..., ClassRun]
) -> None:
    def the_second_a_little_later(begun: list[FakeJudging]) -> None:
        if len(begun) == 2:
            threading.Timer(0.2, begun[-1].deliver).start()
        else:
            begun[-1].deliver()

    judges = FakeJudges(pocket(), 2, the_second_a_little_later)
    hand_ins = [*CLASS[:3], SlowToRead("dan", "right")]
    tally = run(timeout_s=0.5).grade(hand_ins, source="class", seed=7, judges=judges)
    assert (tally.graded, tally.failed) == (4, {})


def test_judges_that_are_gone_for_a_while_are_waited_for(
    pocket: Pocket, book: Gradebook, run: Callable[..., ClassRun]
) -> None:
    judges = FakeJudges(pocket(), 2, lambda begun: begun[-1].deliver(), gone=3)
    tally = run().grade(CLASS, source="class", seed=7, judges=judges)
    assert (tally.graded, tally.failed) == (4, {})
