"""From a Canvas download to the table that goes back, by the real commands, interrupted on the way."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from grader.assignment import load_assignment
from grader.gradebook import Gradebook, Override, Result, standings
from scripts.make_class import write_roster, write_zip

NUMBER = int(os.environ.get("CLASS_SIZE", "12"))
"""Students; more than a dozen take a while, and are no different."""
PARTS = ("--part", "2", "--part", "4") if NUMBER > 12 else ("--part", "4")
Grade = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def grade(tmp_path: Path) -> Grade:
    """grade("class.zip", *PARTS): the program, in a folder with a class in it."""
    write_zip(tmp_path / "class.zip", NUMBER, seed=3)
    write_roster(tmp_path / "gradebook.csv", NUMBER, seed=3)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "grader", *arguments], cwd=tmp_path, capture_output=True, text=True
        )

    return run


def interrupt_at(reports: int, folder: Path) -> None:
    """Start to grade, and Ctrl-C as soon as so many reports are there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", "class.zip", *PARTS, "--jobs", "1"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while process.poll() is None and len(list((folder / "reports").glob("*/report.html"))) < reports:
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said


def test_from_the_download_to_the_table_that_goes_back(grade: Grade, tmp_path: Path) -> None:
    book_file = tmp_path / "reports" / "gradebook.sqlite"
    assignment = load_assignment()
    kept: dict[str, Result] = {}
    for share in (6, 3):  # interrupted when a sixth has its report, and again at a third
        interrupt_at(NUMBER // share, tmp_path)
        with Gradebook.open(book_file) as book:
            now = book.current(assignment.id)
        assert len(now) >= NUMBER // share
        assert {student: now[student].id for student in kept} == {s: r.id for s, r in kept.items()}
        kept = now

    graded = grade("class.zip", *PARTS)
    assert graded.returncode == 0, graded.stderr
    counts = re.search(r"(\d+) now, (\d+) unchanged, 0 failed", graded.stdout)
    assert counts is not None
    assert int(counts[2]) >= len(kept)
    assert int(counts[1]) + int(counts[2]) == NUMBER
    assert f"a Canvas download, {NUMBER} hand-ins" in graded.stderr
    again = grade("class.zip", *PARTS)
    assert f"0 now, {NUMBER} unchanged" in again.stdout

    # A person marks the prose (the review is tested in a browser of its own).
    with Gradebook.open(book_file) as book:
        for standing in standings(book, assignment.id).values():
            for check in standing.open_reviews:
                sha = standing.entry.submission_sha256
                mark = Override(standing.entry.student, check, sha, Decimal(3), "Good.", "ina")
                book.give(assignment.id, mark)
        final = {s.entry.student: s.earned for s in standings(book, assignment.id).values()}

    written = grade("class")
    assert written.returncode == 0, written.stderr
    page = (tmp_path / "reports" / "class.html").read_text(encoding="utf-8")
    assert page.count("report.html") == NUMBER

    exported = grade("export", "canvas", "--roster", "gradebook.csv")
    assert exported.returncode == 0, exported.stderr
    assert grade("export", "canvas", "--roster", "gradebook.csv", "--check").returncode == 0
    table = (tmp_path / "reports" / "canvas.csv").read_text(encoding="utf-8")
    header, _, *rows = list(csv.reader(io.StringIO(table, newline="")))
    marks = {row[header.index("ID")]: row[-1] for row in rows}
    assert marks == {
        student.rpartition("_")[2]: str(points.quantize(Decimal("0.01"))) for student, points in final.items()
    }


def test_who_grades_what_is_shown(grade: Grade) -> None:
    graded = grade("class.zip", "--check", "4d.first")
    assert graded.returncode == 0, graded.stderr
    shown = grade("book", "--format", "csv")
    students = [row["student"] for row in csv.DictReader(io.StringIO(shown.stdout))]
    assert len(students) == NUMBER
    assert students == sorted(students)
    runs = grade("book", "--runs")
    assert "class.zip" in runs.stdout
    unknown = grade("book", "abelad_40000")
    assert unknown.returncode == 2
    assert "Did you mean" in unknown.stderr
    other = grade("export", "csv", "--assignment", "language_model")
    assert other.returncode == 2
    assert "It holds those of transformer: name it with --assignment." in other.stderr
    assert grade("export").stdout.count("\n") == 8


def test_one_bad_hand_in_in_an_archive_is_named(grade: Grade, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "class.zip", "a") as archive:
        archive.writestr("zzz_99999_900001_attention.py", b"\xff\xfe" * 10)
        archive.writestr("zzz_99999_900002_work.zip", b"PK\x03\x04 cut short")
    graded = grade("class.zip", "--check", "4d.first")
    assert f"{NUMBER} now" in graded.stdout or f"{NUMBER + 1} now" in graded.stdout, (
        graded.stdout + graded.stderr
    )
