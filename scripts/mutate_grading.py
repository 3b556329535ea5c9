"""Grades hand-ins with a mutant in place of a module of the reference, each in a fork of one warm process.

The marks that are due are those that the unchanged reference gives; right hand-ins have full points by it. The
hand-ins' workers are asked once, before the first fork, and their answers are kept: student code does not depend on
the judge's reference, so the same question has the same answer. A question that was not asked before is put to a
worker of the fork's own.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import selectors
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from grader.assignment import load_assignment, select
from grader.checking.session import run_checks
from grader.intake import read_submission
from grader.model import CheckResult, Status, Submission
from grader.worker import Call, Reply, Worker, Zygote, ZygoteSpec
from grader.worker.handle import REQUEST_CAPS
from grader.worker.replies import encode_calls
from scripts.mutate_sources import REFERENCE, REPOSITORY, Mutant

SEED = 20
CPU_S = 10
"""Of one fork; a run over all hand-ins takes two. A mutant on which the judge never ends is killed by this."""
UNIT_TESTS_CPU_S = 120
WALL_S = 600
MEMORY = 8 * 2**30
_QUIETLY = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
"""The plugins are there already, from grading."""
_BROKEN = 0


class Kill(IntEnum):
    """What noticed a mutant; the first is the strongest."""

    MARKS = 1
    """A check gives other marks than are due, or fails by the grader's own fault."""
    WORDS = 2
    """The marks are those due, but a check says something else: another message, hint, expected value or note."""
    UNIT_TESTS = 3
    """Only the reference's own tests fail."""
    NOTHING = 4


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one mutant."""

    mutant: Mutant
    kill: Kill
    by: str
    """Hand-in and check, and what changed there; empty where nothing did."""


@dataclass(slots=True)
class HandIn:
    """A hand-in with what is due for it."""

    name: str
    submission: Submission
    right: bool
    """True where every check that is selected gives full points."""
    answers: dict[bytes, list[Reply]] = field(default_factory=dict)
    """The worker's replies, by what was asked."""
    due: tuple[CheckResult, ...] = ()


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


class Judge:
    """A warm process that knows the marks due."""

    def __init__(
        self, parts: Sequence[str], right: Iterable[Path], wrong: Iterable[Path], unit_tests: Sequence[str]
    ) -> None:
        """Grades every hand-in once with the reference as it is; raises RuntimeError where a right one loses points."""
        self._unit_tests = unit_tests
        torch.set_num_threads(1)
        self.assignment = load_assignment()
        self._checks = select(self.assignment, parts=parts)
        chosen = [(path, True) for path in right] + [(path, False) for path in wrong]
        with tempfile.TemporaryDirectory() as folder:
            self.hand_ins = [
                HandIn(path.stem, read_submission(_as_folder(path, Path(folder))), kind)
                for path, kind in chosen
            ]
        with Zygote(ZygoteSpec.of(self.assignment, ("torch",))) as zygote:
            for hand_in in self.hand_ins:
                hand_in.due = tuple(self._grade(hand_in, zygote))
                _refuse_if_not_due(hand_in)
        self._forget_reference()

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
            with contextlib.ExitStack() as stack:
                results = self._grade(hand_in, stack=stack)
            for result, due in zip(results, hand_in.due, strict=True):
                if _mark(result) != _mark(due):
                    return Kill.MARKS, f"{hand_in.name}, {due.id}: {due.status} -> {result.status}"
                if not words and _words(result) != _words(due):
                    words = f"{hand_in.name}, {due.id}: {_first_difference(_words(due), _words(result))}"
        return (Kill.WORDS, words) if words else (Kill.NOTHING, "")

    def _by_unit_tests(self, mutant: Mutant) -> tuple[int, str]:
        """In a fork: whether the reference's own tests fail."""
        self._put_in(mutant)
        failed = pytest.main([*self._unit_tests, *_QUIETLY]) != pytest.ExitCode.OK
        return (Kill.UNIT_TESTS, ", ".join(self._unit_tests)) if failed else (Kill.NOTHING, "")

    def _put_in(self, mutant: Mutant) -> None:
        self._forget_reference()
        sys.meta_path.insert(0, Changed(mutant))

    def _grade(
        self,
        hand_in: HandIn,
        zygote: Zygote | None = None,
        *,
        stack: contextlib.ExitStack | None = None,
    ) -> list[CheckResult]:
        files = [(file.path, file.content) for file in hand_in.submission.files]

        def start() -> Worker:
            source = zygote
            if source is None:
                assert stack is not None
                source = stack.enter_context(Zygote(ZygoteSpec.of(self.assignment, ("torch",))))
            return source.worker(files, hand_in.name)

        def open_worker() -> Replay:
            return Replay(hand_in.answers, start)

        results, _ = run_checks(
            self.assignment, hand_in.submission, self._checks, seed=SEED, open_worker=open_worker
        )
        return results

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


# ---------------------------------------------------------------- forks


def in_forks(
    mutants: Sequence[Mutant], look: Callable[[Mutant], tuple[int, str]], jobs: int, cpu_s: int
) -> Iterator[Verdict]:
    """`look` at each mutant in a child of its own, `jobs` at a time; a judge that does not end has noticed it."""
    waiting = list(reversed(mutants))
    with selectors.DefaultSelector() as selector:
        while waiting or selector.get_map():
            while waiting and len(selector.get_map()) < jobs:
                mutant = waiting.pop()
                pid, pipe = _fork(mutant, look, cpu_s)
                selector.register(pipe, selectors.EVENT_READ, (pid, mutant, time.monotonic() + WALL_S))
            ready = selector.select(timeout=5)
            for key, _ in ready:
                pid, mutant, _ = key.data
                selector.unregister(key.fileobj)
                with os.fdopen(key.fd, "rb") as stream:
                    said = stream.read()
                _, status = os.waitpid(pid, 0)
                yield _said(mutant, said, os.waitstatus_to_exitcode(status))
            for key in list(selector.get_map().values()):
                if time.monotonic() > key.data[2]:
                    os.kill(key.data[0], signal.SIGKILL)


def _fork(mutant: Mutant, look: Callable[[Mutant], tuple[int, str]], cpu_s: int) -> tuple[int, int]:
    """(pid, the pipe that will hold its verdict as JSON)."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, ours
    try:
        os.close(ours)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        spent = int(time.process_time()) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (spent + cpu_s, spent + cpu_s))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        said: tuple[int, str] = look(mutant)
    except BaseException:
        said = _BROKEN, traceback.format_exc()[-4_000:]
    finally:
        os.write(theirs, json.dumps(said).encode())
        os._exit(0)


def _said(mutant: Mutant, said: bytes, code: int) -> Verdict:
    """The verdict of a fork; raises RuntimeError where it failed by the fault of this program."""
    if not said and code in (-signal.SIGXCPU, -signal.SIGKILL):
        return Verdict(mutant, Kill.MARKS, "the judge does not end")
    kill, by = json.loads(said or f'[{_BROKEN}, "it died"]')
    if kill == _BROKEN:
        raise RuntimeError(f"the fork for {mutant} failed with exit code {code}: {by}")
    return Verdict(mutant, Kill(kill), by)


# ---------------------------------------------------------------- what is compared


def _mark(result: CheckResult) -> tuple[Any, ...]:
    return result.status, result.points.earned


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


def _as_folder(path: Path, scratch: Path) -> Path:
    """A single file becomes a hand-in of its own."""
    if path.is_dir():
        return path
    folder = scratch / path.stem
    folder.mkdir()
    shutil.copy(path, folder / "layers.py")
    return folder
