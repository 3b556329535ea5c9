"""A pocket assignment that needs no student code, and hand-ins made of a word: grading a class of them is quick."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from grader.checking.warm import WarmJudge
from grader.classroom.grading import ClassRun
from grader.classroom.hand_in import ClassOptions, Tally, Watcher
from grader.classroom.judges import Local
from grader.classroom.keys import with_dependencies
from grader.errors import GraderError
from grader.gradebook import Gradebook
from grader.model import ArtifactKind, Assignment, Check, Part, Submission, SubmittedFile

CHECKS = """
import os
import time
from decimal import Decimal
from fractions import Fraction
import pytest
from grader.checking.outcomes import Failed, Partial

LIMIT = {limit}

def word(submission):
    return submission.files[0].content.decode()

@pytest.mark.check("1a.word")
def test_word(check, submission):
    if word(submission) == "dies":
        os._exit(9)
    if word(submission) == "hangs":
        time.sleep(600)
    if word(submission) == "half":
        raise Partial("Half.", "h", fraction=Fraction(1, 3))
    if word(submission) == "wrong":
        raise Failed("Wrong.", "h")

@pytest.mark.check("1b.length")
def test_length(check, submission):
    if len(word(submission)) > LIMIT:
        raise Failed("Too long.", "h")

@pytest.mark.check("1c.rests")
def test_rests(check, shared):
    pass
"""


@dataclass(frozen=True)
class Word:
    """A hand-in of one file with one word in it."""

    student: str
    word: str
    attempt: int = 1
    late: bool = False
    submitted_at: str | None = None
    members: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.student.title()

    @property
    def source(self) -> str:
        return f"class/{self.student}"

    def read(self) -> Submission:
        if self.word == "unreadable":
            raise GraderError("It is encrypted.", "Ask for a plain archive.")
        content = self.word.encode()
        file = SubmittedFile("word.txt", content, ArtifactKind.OTHER)
        return Submission(self.student, Path(), hashlib.sha256(content).hexdigest(), (file,))


Pocket = Callable[..., Assignment]


@pytest.fixture
def pocket(tmp_path: Path) -> Pocket:
    """pocket(limit=5): the assignment; its second check depends on the limit, its third on the first."""
    root = tmp_path / "assignment"
    root.mkdir()

    def make(limit: int = 5) -> Assignment:
        # pytest knows check files by name: each test needs a name of its own
        path = root / f"test_1_{tmp_path.name}.py"
        path.write_text(CHECKS.replace("{limit}", str(limit)), encoding="utf-8")
        checks = (
            Check("1a.word", "1a", "The word", Decimal(3)),
            Check("1b.length", "1b", "Its length", Decimal(2)),
            Check("1c.rests", "1c", "What rests on the word", Decimal(1), depends_on=("1a.word",)),
        )
        parts = tuple(Part(id, id, "") for id in ("1a", "1b", "1c"))
        return Assignment("pocket", "1", "Pocket", parts, checks, root, "0" * 64)

    return make


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        yield book


@pytest.fixture
def grade(book: Gradebook) -> Callable[..., Tally]:
    """grade(assignment, hand_ins, ...): one run over them."""

    def run(
        assignment: Assignment,
        hand_ins: Sequence[Word],
        *,
        checks: Sequence[str] = (),
        jobs: int = 2,
        timeout_s: float = 60.0,
        force: bool = False,
        watcher: Watcher | None = None,
    ) -> Tally:
        selected = [check for check in assignment.checks if not checks or check.id in checks]
        options = ClassOptions(jobs=jobs, timeout_s=timeout_s, force=force, author="ina")
        with WarmJudge(assignment, with_dependencies(assignment, selected), None) as judge:
            return ClassRun(assignment, selected, book, options, watcher or Watcher()).grade(
                hand_ins, source="class", seed=7, judges=Local(judge, None, jobs)
            )

    return run
