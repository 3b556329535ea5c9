"""A gradebook in a file of its own, and reports made of a few words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from grader.gradebook import Entry, Gradebook, Graded, Run
from grader.model import (
    CheckResult,
    Evidence,
    GradeReport,
    Isolation,
    Part,
    Points,
    Status,
    Visibility,
)
from grader.scoring import score

ASSIGNMENT = "pocket"
MakeGraded = Callable[..., Graded]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        yield book


@pytest.fixture
def run(book: Gradebook) -> int:
    return book.begin_run(a_run())


def a_run(source: str = "submissions") -> Run:
    return Run(
        author="ina",
        source=source,
        seed=7,
        grader_version="1",
        assignment_id=ASSIGNMENT,
        assignment_version="1",
        assignment_sha256="0" * 64,
    )


def graded(
    student: str = "ann",
    earned: str = "1.5",
    *,
    attempt: int = 1,
    content: str = "a",
    fingerprint: str | None = None,
    name: str | None = None,
) -> Graded:
    """One check of two points, `earned` of them."""
    status = {"2": Status.PASSED, "0": Status.FAILED}.get(earned, Status.PARTIAL)
    check = CheckResult(
        id="1.one",
        part="1",
        title="One",
        visibility=Visibility.PUBLIC,
        status=status,
        points=Points(Decimal(earned), Decimal(2)),
        message="m",
        hint="h",
        evidence=Evidence(),
        duration_s=0.1,
    )
    sha = content.ljust(64, "0")
    report = GradeReport(
        submission_name=name or student,
        submission_sha256=sha,
        assignment_id=ASSIGNMENT,
        assignment_title="Pocket",
        assignment_version="1",
        assignment_sha256="0" * 64,
        parts=(Part("1", "One", ""),),
        checks=(check,),
        score=score([check]),
        environment={},
        isolation=Isolation("strict", ()),
        seed=7,
        public_only=False,
        complete=True,
        created="2026-01-01T00:00:00+00:00",
    )
    entry = Entry(student=student, name=name or student, submission_sha256=sha, attempt=attempt)
    return Graded(entry, report, {"1.one": "k" * 64}, fingerprint or f"{student} {attempt} {sha} {earned}")
