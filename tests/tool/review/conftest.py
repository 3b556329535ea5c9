"""A gradebook with answers that wait for a person, one of them hostile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from grader.gradebook import Entry, Gradebook, Graded, Run
from grader.model import (
    Assignment,
    Check,
    CheckResult,
    Evidence,
    GradeReport,
    Isolation,
    Part,
    Points,
    Status,
    Visibility,
)
from grader.review.app import Doorkeeper
from grader.review.queue import Queue
from grader.scoring import score

HOSTILE = (
    "</div><script>document.documentElement.dataset.owned = 'yes'</script>"
    "<img src=x onerror=\"document.documentElement.dataset.owned='yes'\">\u202e\x1b[31m"
)
ANSWERS = {"ann": "A model predicts the next token.", "bob": "It guesses.", "eve": HOSTILE}
CHECKS = (
    Check("1a.words", "1a", "It is explained", Decimal(4), review=True, rubric=("2 points: the token.",)),
    Check("1b.more", "1b", "More of it", Decimal(2), review=True),
)


@pytest.fixture
def pocket() -> Assignment:
    parts = (Part("1a", "One", ""), Part("1b", "Two", ""))
    return Assignment("pocket", "1", "Pocket <coursework>", parts, CHECKS, Path(), "0" * 64)


def waiting(student: str, text: str, attempt: int = 1) -> Graded:
    results = [
        CheckResult(
            id=check.id,
            part=check.part,
            title=check.title,
            visibility=Visibility.PUBLIC,
            status=Status.NEEDS_REVIEW,
            points=Points(Decimal(0), check.points),
            message="A person marks this answer.",
            hint="",
            evidence=Evidence(
                asked="What is it?", obtained=text, location="answers.toml, line 3", notes=("3 words.",)
            ),
            duration_s=0.0,
        )
        for check in CHECKS
    ]
    sha = hashlib.sha256(text.encode()).hexdigest()
    report = GradeReport(
        submission_name=student,
        submission_sha256=sha,
        assignment_id="pocket",
        assignment_title="Pocket",
        assignment_version="1",
        assignment_sha256="0" * 64,
        parts=(),
        checks=tuple(results),
        score=score(results),
        environment={},
        isolation=Isolation("not_needed", ()),
        seed=1,
        public_only=False,
        complete=False,
    )
    entry = Entry(student, HOSTILE if student == "eve" else student.title(), sha, attempt=attempt)
    return Graded(entry, report, {check.id: "k" for check in CHECKS}, f"{student} {sha} {attempt}")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        run = book.begin_run(Run("ina", "class", 1, "1", "pocket", "1", "0" * 64))
        for student, text in ANSWERS.items():
            book.record(run, waiting(student, text))
        yield book


@pytest.fixture
def queue(book: Gradebook, pocket: Assignment) -> Queue:
    return Queue(book, pocket, author="ina", blind=False)


@pytest.fixture
def door() -> Doorkeeper:
    return Doorkeeper(frozenset({"127.0.0.1:8000"}))
