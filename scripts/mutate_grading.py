"""Grades hand-ins with a mutant in place of a module of the reference, each in a fork of one warm process.

The marks that are due are those that the unchanged reference gives; right hand-ins have full points by it. The
hand-ins' workers are asked once, before the first fork, and their answers are kept: student code does not depend on
the judge's reference, so the same question has the same answer. A question that was not asked before is put to a
worker of the fork's own.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import pytest
import torch

from grader.assignment import load_assignment, select
from grader.checking.plugin import OnFinish
from grader.checking.session import run_checks
from grader.intake import read_submission
from grader.model import Assignment, Check, CheckResult, Status, Submission
from grader.worker import Call, Reply, Worker, Zygote, ZygoteSpec
from grader.worker.handle import REQUEST_CAPS
from grader.worker.replies import encode_calls
from scripts.mutate_forks import Kill, Verdict, in_forks
from scripts.mutate_sources import REFERENCE, REPOSITORY, Mutant

SEED = 20
CPU_S = 10
"""Of one fork; a run over all hand-ins takes two. A mutant on which the judge never ends is killed by this."""
UNIT_TESTS_CPU_S = 120
_QUIETLY = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
"""The plugins are there already, from grading."""


@dataclass(slots=True)
class HandIn:
    """A hand-in with what is due for it."""

    submission: Submission
    right: bool
    """True where every check that is selected gives full points."""
    answers: dict[bytes, list[Reply]] = field(default_factory=dict)
    """The worker's replies, by what was asked."""
    due: tuple[CheckResult, ...] = ()

    @property
    def name(self) -> str:
        return self.submission.name


class Replay:
    """A worker that answers from memory, and starts a real one where it has none."""

    def __init__(self, answers: dict[bytes, list[Reply]], start: Callable[[], Worker]) -> None:
        self._answers, self._start = answers, start
        self._worker: Worker | None = None

    @property
    def alive(self) -> bool:
        return self._worker is None or self._worker.alive

    def run(self, calls: Sequence[Call], timeout_s: float) -> list[Reply]:
        question = b"".join(encode_calls("", calls, REQUEST_CAPS))
        if question not in self._answers:
            self._worker = self._worker or self._start()
            self._answers[question] = self._worker.run(calls, timeout_s)
        return self._answers[question]

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()


class Workers:
    """Starts a zygote when the first worker is asked for."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._zygote: Zygote | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._zygote is not None:
            self._zygote.close()

    def worker(self, submission: Submission) -> Worker:
        """A new worker that holds the hand-in."""
        if self._zygote is None:
            self._zygote = Zygote(ZygoteSpec.of(self._assignment, ("torch",)))
        return self._zygote.worker([(file.path, file.content) for file in submission.files], submission.name)


class Judge:
    """A warm process that knows the marks due."""

    def __init__(
        self, parts: Sequence[str], right: Iterable[Path], wrong: Iterable[Path], unit_tests: Sequence[str]
    ) -> None:
        """Grades every hand-in once with the reference as it is; raises RuntimeError where a right one loses points."""
        torch.set_num_threads(1)
        self.assignment = load_assignment()
        self._checks = select(self.assignment, parts=parts)
        self._unit_tests = unit_tests
        self.hand_ins = [HandIn(read_submission(path), right=True) for path in right]
        self.hand_ins += [HandIn(read_submission(path), right=False) for path in wrong]
        with Workers(self.assignment) as workers:
            for hand_in in self.hand_ins:
                hand_in.due = tuple(self._grade(hand_in, workers))
                _refuse_if_not_due(hand_in)

    # ------------------------------------------------------------ one mutant

    def verdicts(self, mutants: Sequence[Mutant], jobs: int) -> Iterator[Verdict]:
        """One for each mutant; `jobs` forks at a time. The reference's tests are run where no check notices it."""
        unnoticed = []
        for verdict in in_forks(mutants, self._by_checks, jobs, CPU_S):
            if verdict.kill is Kill.NOTHING:
                unnoticed.append(verdict.mutant)
            else:
                yield verdict
        yield from in_forks(unnoticed, self._by_unit_tests, jobs, UNIT_TESTS_CPU_S)

    def _by_checks(self, mutant: Mutant) -> tuple[int, str]:
        """In a fork: what the checks say of the hand-ins."""
        self._put_in(mutant)
        words = ""
        for hand_in in self.hand_ins:
            first = FirstDifference(hand_in)
            with Workers(self.assignment) as workers:
                results = self._grade(hand_in, workers, first.look)
            if first.found:
                return Kill.MARKS, first.found
            for result, due in zip(results, hand_in.due, strict=True):
                if result.points != due.points:
                    return Kill.MARKS, f"{hand_in.name}, {due.id}: {due.points} -> {result.points}"
                if not words and _words(result) != _words(due):
                    words = f"{hand_in.name}, {due.id}: {_first_difference(_words(due), _words(result))}"
        return (Kill.WORDS, words) if words else (Kill.NOTHING, "")

    def _by_unit_tests(self, mutant: Mutant) -> tuple[int, str]:
        """In a fork: whether the reference's own tests fail."""
        self._put_in(mutant)
        failed = pytest.main([*self._unit_tests, *_QUIETLY]) != pytest.ExitCode.OK
        return (Kill.UNIT_TESTS, ", ".join(self._unit_tests)) if failed else (Kill.NOTHING, "")

    def _grade(
        self, hand_in: HandIn, workers: Workers, on_finish: OnFinish = lambda check, status: None
    ) -> list[CheckResult]:
        results, _ = run_checks(
            self.assignment,
            hand_in.submission,
            self._checks,
            seed=SEED,
            open_worker=lambda: Replay(hand_in.answers, lambda: workers.worker(hand_in.submission)),
            on_finish=on_finish,
        )
        return results

    def _put_in(self, mutant: Mutant) -> None:
        self._forget_reference()
        sys.meta_path.insert(0, Changed(mutant))

    def _forget_reference(self) -> None:
        """Let the next session import the reference and the checks anew."""
        roots = (str(REFERENCE), str(self.assignment.root), str(REPOSITORY / "tests" / "tool"))
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(roots):
                del sys.modules[name]


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports a mutant in place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._name = f"reference.transformer.{mutant.module}"

    def find_spec(
        self, fullname: str, path: Any, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        origin = REFERENCE / f"{self._mutant.module}.py"
        return importlib.util.spec_from_file_location(fullname, origin, loader=self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.source, str(module.__file__), "exec"), vars(module))


# ---------------------------------------------------------------- what is compared


class FirstDifference:
    """Ends a session at the first check whose status is not the one due."""

    def __init__(self, hand_in: HandIn) -> None:
        self._name = hand_in.name
        self._due = {result.id: result.status for result in hand_in.due}
        self.found = ""

    def look(self, check: Check, status: Status) -> None:
        """Called after each check."""
        if status is not self._due[check.id]:
            self.found = f"{self._name}, {check.id}: {self._due[check.id]} -> {status}"
            pytest.exit(self.found)


def _words(result: CheckResult) -> tuple[str, ...]:
    """What the report says of a check, without distances, which rounding moves."""
    evidence = result.evidence
    said = (
        result.message,
        result.hint,
        evidence.asked,
        evidence.expected,
        evidence.obtained,
        *evidence.notes,
    )
    return tuple(str(text) for text in said)


def _first_difference(due: tuple[str, ...], said: tuple[str, ...]) -> str:
    pairs = [(a, b) for a, b in zip(due, said, strict=False) if a != b]
    return f"{pairs[0][0][:150]!r} -> {pairs[0][1][:150]!r}" if pairs else "another number of notes"


def _refuse_if_not_due(hand_in: HandIn) -> None:
    lost = [
        r.id for r in hand_in.due if r.points.earned < r.points.possible and r.status != Status.NEEDS_REVIEW
    ]
    if any(r.status is Status.GRADER_ERROR for r in hand_in.due) or (hand_in.right and lost):
        raise RuntimeError(
            f"{hand_in.name}: the reference as it is does not give what is due: {', '.join(lost)}"
        )
