"""Grading a class: several judges side by side, one result a hand-in, recorded the moment it exists.

    hand-ins -> plan (what is known already?) -> judges, as many as there are cores -> gradebook, reports

Only the judges and the workers run beside each other; this process alone decides, records and writes. What goes wrong
with one hand-in is recorded as its failure, and the class goes on.
"""

from __future__ import annotations

import gc
import selectors
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

from grader import __version__
from grader.classroom.hand_in import ClassOptions, HandIn, Tally, Watcher
from grader.classroom.judges import Judges, Judging, out_of_time
from grader.classroom.keys import check_keys
from grader.classroom.plan import Plan, plan
from grader.documents import ReportReader
from grader.errors import GraderError, JudgeDied
from grader.gradebook import Entry, Gradebook, Graded, Result, Run
from grader.model import Assignment, Check, CheckResult, GradeReport, Submission
from grader.pipeline import RunFacts, report_of
from grader.worker.host import Level

_TICK_S = 1.0
_Ready = tuple[HandIn, Submission, Plan]
"""A hand-in that was read and has to be judged."""


@dataclass(slots=True, eq=False)
class _Open:
    """A hand-in that is being judged."""

    hand_in: HandIn
    submission: Submission
    plan: Plan
    judging: Judging
    began: float


class ClassRun:
    """One run over a class. `grade` may be called once."""

    def __init__(
        self,
        assignment: Assignment,
        selected: Sequence[Check],
        book: Gradebook,
        options: ClassOptions,
        watcher: Watcher = Watcher(),  # noqa: B008
    ) -> None:
        self._assignment = assignment
        self._selected = selected
        self._book = book
        self._options = options
        self._watch = watcher
        self._keys = check_keys(assignment)
        self._order = {check.id: place for place, check in enumerate(assignment.checks)}
        self.tally = Tally()

    def grade(
        self,
        hand_ins: Iterable[HandIn],
        *,
        source: str,
        seed: int,
        judges: Judges,
    ) -> Tally:
        """Grade what is not known yet and record it; what is known is left as it is.

        judges: for the selected checks and all that they depend on. Stopped by an exception (KeyboardInterrupt),
        everything recorded so far stays, and a second run goes on.
        """
        self._number = self._book.begin_run(self._as_run(source, seed))
        self._seed = seed
        earlier = self._book.current(self._assignment.id)
        with ExitStack() as stack:
            gc.freeze()  # modules and what is known stay: they need not be searched for garbage again and again
            stack.callback(gc.unfreeze)
            self._judges = judges
            self._reports = stack.enter_context(ReportReader(self._assignment, self._sealed_as))
            self._selector = stack.enter_context(selectors.DefaultSelector())
            stack.callback(self._stop_all)
            self._waiting = self._to_do(hand_ins, earlier)
            self._next: _Ready | None = None
            self._fill()
            while self._selector.get_map() or self._is_ready():
                self._wait()
        self._book.end_run(self._number)
        return self.tally

    # ------------------------------------------------------------ before

    def _as_run(self, source: str, seed: int) -> Run:
        return Run(
            author=self._options.author,
            source=source,
            seed=seed,
            grader_version=__version__,
            assignment_id=self._assignment.id,
            assignment_version=self._assignment.version,
            assignment_sha256=self._assignment.sha256,
        )

    def _to_do(self, hand_ins: Iterable[HandIn], earlier: Mapping[str, Result]) -> Iterator[_Ready]:
        """What has to be judged, read one by one as the judges get free."""
        force = self._number if self._options.force else None
        for hand_in in hand_ins:
            try:
                submission = hand_in.read()
            except GraderError as error:
                self._fail(hand_in, _said(error), "unread")
                continue
            known = earlier.get(hand_in.student)
            todo = plan(
                self._assignment,
                self._selected,
                self._keys,
                submission.sha256,
                known,
                attempt=hand_in.attempt,
                force=force,
            )
            if todo.nothing_to_do and todo.earlier is not None:
                self.tally.unchanged += 1
                self._watch.on_unchanged(hand_in, todo.earlier)
                continue
            try:
                submission = self._reports.read(submission)
            except GraderError as error:
                self._fail(hand_in, _said(error), submission.sha256)
                continue
            yield hand_in, submission, todo

    def _sealed_as(self) -> Level:
        """Documents are opened at the level at which student code is run."""
        levels: dict[str, Level] = {"strict": "strict", "container": "container", "none": "none"}
        return levels.get(self._judges.sealed(None)[0].level, "auto")

    # ------------------------------------------------------------ while it runs

    def _fill(self) -> None:
        """Give every free judge a hand-in, and have the next one ready for the first that gets free."""
        while self._is_ready() and self._begin():
            pass

    def _is_ready(self) -> bool:
        """Whether there is another hand-in; it is read now, if it is not yet."""
        if self._next is None:
            self._next = next(self._waiting, None)
        return self._next is not None

    def _begin(self) -> bool:
        """Give the hand-in that is ready to a judge; False where none is ready, or no judge is free."""
        if self._next is None or len(self._selector.get_map()) >= self._judges.at_a_time:
            return False
        (hand_in, submission, todo), self._next = self._next, None
        self._watch.on_start(hand_in)
        judging = self._judges.begin(submission, self._seed, todo.run)
        open_ = _Open(hand_in, submission, todo, judging, time.monotonic())
        self._selector.register(judging, selectors.EVENT_READ, open_)
        return True

    def _wait(self) -> None:
        """Until a judge has something to say or has had its time."""
        self._watch.on_tick()
        if not self._selector.get_map():
            self._judges.wait()
            self._fill()
            return
        running: list[_Open] = [key.data for key in self._selector.get_map().values()]
        deadline = min(open_.began for open_ in running) + self._options.timeout_s
        wait_s = _TICK_S if self._judges.keep_time else min(max(0.0, deadline - time.monotonic()), _TICK_S)
        ready = self._selector.select(wait_s)
        now = time.monotonic()
        done = [key.data for key, _ in ready if key.data.judging.receive()]
        late = [open_ for open_ in running if open_ not in done and self._is_late(open_, now)]
        outcomes = [self._ended(open_, now) for open_ in done] + [self._stopped(open_) for open_ in late]
        try:
            self._begin()  # a judge that got free has its next hand-in while the last one is recorded
        finally:  # whatever goes wrong there, these results exist
            for record in outcomes:
                record()
        self._fill()

    def _is_late(self, open_: _Open, now: float) -> bool:
        return not self._judges.keep_time and now - open_.began > self._options.timeout_s

    def _ended(self, open_: _Open, now: float) -> Callable[[], None]:
        """Takes what its judge found, which is free then; the call records it."""
        took = round(now - open_.began, 3)
        try:
            results, _ = open_.judging.result()
        except JudgeDied as error:
            return partial(self._fail, open_.hand_in, _said(error), open_.submission.sha256, took)
        finally:
            self._close(open_)
        return partial(self._record, open_, results, took)

    def _stopped(self, open_: _Open) -> Callable[[], None]:
        """Ends its judge; the call records that it had its time."""
        self._close(open_)
        return partial(
            self._fail, open_.hand_in, _said(out_of_time(self._options.timeout_s)), open_.submission.sha256
        )

    def _record(self, open_: _Open, results: Sequence[CheckResult], took: float) -> None:
        report = self._report(open_, results, took)
        keys = {
            id: open_.plan.earlier.marks[id].key
            if id in open_.plan.taken_over and open_.plan.earlier is not None
            else self._keys[id]
            for id in (check.id for check in report.checks)
        }
        entry = entry_of(open_.hand_in, open_.submission.sha256)
        self._book.record(self._number, Graded(entry, report, keys, open_.plan.fingerprint))
        self.tally.graded += 1
        self._watch.on_graded(open_.hand_in, report)

    def _report(self, open_: _Open, results: Sequence[CheckResult], took: float) -> GradeReport:
        """With what was taken over from the earlier result, in the order of the assignment."""
        together = [result for result in results if result.id in open_.plan.run]
        if open_.plan.taken_over and open_.plan.earlier is not None:
            exact = open_.plan.earlier.marks
            for check in self._book.report(open_.plan.earlier.id).checks:
                if check.id in open_.plan.taken_over:
                    points = replace(
                        check.points, earned=exact[check.id].earned, possible=exact[check.id].possible
                    )
                    together.append(replace(check, points=points))
        together.sort(key=lambda result: self._order[result.id])
        isolation, facts = self._judges.sealed(open_.judging)
        return report_of(
            replace(open_.submission, name=open_.hand_in.name),
            together,
            RunFacts(self._assignment, self._seed, isolation, facts),
            duration_s=took,
        )

    def _fail(self, hand_in: HandIn, reason: str, sha256: str, took: float = 0.0) -> None:
        self.tally.failed[hand_in.student] = reason
        entry = entry_of(hand_in, sha256)
        self._book.record_failure(self._number, self._assignment.id, entry, reason, took)
        self._watch.on_failed(hand_in, reason)

    def _close(self, open_: _Open) -> None:
        self._selector.unregister(open_.judging)
        open_.judging.close()

    def _stop_all(self) -> None:
        """What still runs is ended; nothing of it is recorded."""
        for key in list(self._selector.get_map().values()):
            self._close(key.data)


def _said(error: GraderError) -> str:
    return f"{error.message} {error.next_step}".strip()


def entry_of(hand_in: HandIn, submission_sha256: str) -> Entry:
    """A hand-in as the gradebook knows it."""
    return Entry(
        student=hand_in.student,
        name=hand_in.name,
        submission_sha256=submission_sha256,
        attempt=hand_in.attempt,
        late=hand_in.late,
        submitted_at=hand_in.submitted_at,
        members=hand_in.members,
        source=hand_in.source,
    )
