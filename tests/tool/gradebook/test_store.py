"""The gradebook: what was recorded is there, once, whole, and stays."""

from __future__ import annotations

import sqlite3
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.gradebook import Entry, Gradebook, Override
from grader.gradebook.store import GradebookError

from .conftest import ASSIGNMENT, a_run, graded


def an_override(points: str = "2", student: str = "ann") -> Override:
    return Override(student, "1.one", "a".ljust(64, "0"), Decimal(points), "well argued", "ina")


def test_a_result_comes_back_as_it_was_recorded(book: Gradebook, run: int) -> None:
    mine = graded(earned="0.3333333333333333333333333333", name='Ann "=1+1" \u202e<script>')
    assert book.record(run, mine)
    result = book.current(ASSIGNMENT)["ann"]
    assert (result.entry, result.run, result.failure) == (mine.entry, run, None)
    assert result.earned == mine.report.score.earned  # exact, though reports round to three decimals
    assert result.marks["1.one"].earned == mine.report.checks[0].points.earned
    assert result.marks["1.one"].key == "k" * 64
    report = book.report(result.id)
    assert (report.checks[0].message, report.seed) == ("m", 7)


def test_the_same_result_is_recorded_once(book: Gradebook, run: int) -> None:
    assert book.record(run, graded())
    assert not book.record(run, graded())
    assert len(book.history(ASSIGNMENT, "ann")) == 1


def test_the_latest_attempt_counts_and_of_it_the_latest_result(book: Gradebook, run: int) -> None:
    for attempt, earned in ((1, "2"), (2, "0"), (2, "1"), (1, "1.5")):
        book.record(run, graded(earned=earned, attempt=attempt))
    assert book.current(ASSIGNMENT)["ann"].earned == 1
    assert [r.earned for r in book.history(ASSIGNMENT, "ann")] == [2, 0, 1, Decimal("1.5")]


def test_a_failure_hides_no_result_of_the_attempt_but_an_older_attempt(book: Gradebook, run: int) -> None:
    entry = graded().entry
    book.record(run, graded(earned="2"))
    book.record_failure(run, ASSIGNMENT, entry, "The disk was full.")
    assert book.current(ASSIGNMENT)["ann"].earned == 2
    second = Entry(student="ann", name="ann", submission_sha256="b", attempt=2)
    book.record_failure(book.begin_run(a_run()), ASSIGNMENT, second, "It hangs.")
    current = book.current(ASSIGNMENT)["ann"]
    assert (current.failure, current.marks) == ("It hangs.", {})
    assert len(book.history(ASSIGNMENT, "ann")) == 3


def test_another_assignment_is_another_matter(book: Gradebook, run: int) -> None:
    book.record(run, graded())
    assert book.current("other") == {}
    assert book.runs("other") == []


def test_a_mark_given_counts_until_it_is_taken_back_and_all_of_it_is_kept(book: Gradebook) -> None:
    first, second = an_override("1"), an_override("2")
    book.give(ASSIGNMENT, first)
    book.give(ASSIGNMENT, second)
    given = book.overrides(ASSIGNMENT)["ann", "1.one"]
    assert (given.points, given.reason, given.author) == (2, "well argued", "ina")
    assert given.created
    book.take_back(ASSIGNMENT, second)
    assert book.overrides(ASSIGNMENT) == {}
    assert [row["points"] for row in book.override_history(ASSIGNMENT)] == ["1", "2", None]


def test_a_run_that_did_not_end_hands_its_seed_on(book: Gradebook, run: int) -> None:
    assert book.unfinished_seed(ASSIGNMENT, "submissions") == 7
    assert book.unfinished_seed(ASSIGNMENT, "elsewhere") is None
    book.end_run(run)
    assert book.unfinished_seed(ASSIGNMENT, "submissions") is None
    assert [(r["id"], r["results"]) for r in book.runs()] == [(run, 0)]


def test_several_graders_write_at_once_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    recorded: list[bool] = []
    errors: list[BaseException] = []

    def grader() -> None:
        try:
            with Gradebook.open(path) as book:
                run = book.begin_run(a_run())
                recorded.extend(book.record(run, graded(student=f"s{i}")) for i in range(25))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=grader) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sum(recorded) == 25
    with Gradebook.open(path) as book:
        assert len(book.current(ASSIGNMENT)) == 25
        assert sum(run["results"] for run in book.runs()) == 25


def test_a_missing_or_foreign_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no gradebook"):
        Gradebook.open(tmp_path / "none.sqlite", create=False)
    foreign = tmp_path / "foreign.sqlite"
    foreign.write_bytes(b"not a database at all, but long enough to be read as one" * 40)
    with pytest.raises(GradebookError, match="cannot be used"):
        Gradebook.open(foreign)
    with pytest.raises(GradebookError, match="cannot be opened"):
        Gradebook.open("nonsense+driver://host/name")


def test_a_password_is_not_shown() -> None:
    with pytest.raises(GradebookError) as caught:
        Gradebook.open("postgresql+nonsense://ina:secret@host/name")
    assert "secret" not in caught.value.message


def test_a_gradebook_of_another_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    Gradebook.open(path).close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE layout SET version = 99")
    database.close()
    with pytest.raises(GradebookError, match="layout 99"):
        Gradebook.open(path)
    opened = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    assert str(path) not in opened


def test_a_full_disk_loses_nothing_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    with Gradebook.open(path) as book:
        run = book.begin_run(a_run())
        book.record(run, graded())
        with book._writing() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(GradebookError, match="full"):  # noqa: PT012  # one of them finds no room
            for i in range(500):
                book.record(run, graded(student=f"s{i}"))
        kept = book.current(ASSIGNMENT)
    assert "ann" in kept
    assert all(result.marks for result in kept.values())
