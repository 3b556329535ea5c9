"""Marks given in a review: within the points, kept with their author, undone one by one, evidence untouched."""

from __future__ import annotations

from decimal import Decimal

import pytest

from grader.gradebook import Gradebook, Run, standings
from grader.model import Assignment
from grader.review.queue import Queue, ReviewError

from .conftest import waiting


def test_one_question_is_marked_in_one_go(queue: Queue) -> None:
    assert [(item.check_id, item.student) for item in queue.items][:3] == [
        ("1a.words", "eve"),
        ("1a.words", "ann"),
        ("1a.words", "bob"),
    ]
    assert len(queue.items) == 6


def test_an_item_holds_what_is_needed_to_mark_it(queue: Queue) -> None:
    item = queue.detail(1)
    assert item["text"] == "A model predicts the next token."
    assert item["rubric"] == ["2 points: the token."]
    assert item["found"] == ["3 words."]
    assert (item["possible"], item["points"], item["who"]) == ("4", None, "Ann")
    assert item["place"] == "answers.toml, line 3"


def test_a_mark_is_kept_with_author_and_reason_and_changes_no_evidence(queue: Queue, book: Gradebook) -> None:
    before = book.report(queue.items[1].result_id)
    queue.mark(1, "2,5", "Good.")
    standing = standings(book, "pocket")["ann"]
    given = standing.checks["1a.words"].override
    assert given is not None
    assert (given.points, given.author, given.reason) == (Decimal("2.5"), "ina", "Good.")
    assert standing.earned == Decimal("2.5")
    assert book.report(queue.items[1].result_id) == before
    assert queue.overview()[1]["points"] == "2.5"


@pytest.mark.parametrize("points", ["5", "-1", "four", "", "NaN", "1e400", "0.0001", "inf", "١٢٣٤"])
def test_points_that_cannot_be_given(queue: Queue, book: Gradebook, points: str) -> None:
    with pytest.raises(ReviewError):
        queue.mark(0, points, "")
    assert book.overrides("pocket") == {}


def test_undo_goes_back_mark_by_mark(queue: Queue) -> None:
    for points in ("1", "2", "3"):
        queue.mark(0, points, f"r{points}")
    seen = []
    for _ in range(3):
        queue.undo(0)
        detail = queue.detail(0)
        seen.append((detail["points"], detail["reason"]))
    assert seen == [("2", "r2"), ("1", "r1"), (None, "")]
    with pytest.raises(ReviewError, match="no mark to take back"):
        queue.undo(0)
    queue.mark(0, "4", "again")
    assert queue.detail(0)["points"] == "4"


def test_blind_hides_names_and_order(book: Gradebook, pocket: Assignment) -> None:
    queue = Queue(book, pocket, author="ina", blind=True)
    shown = repr(
        [queue.overview(), [queue.detail(item.number) for item in queue.items if item.student != "eve"]]
    )
    assert "Ann" not in shown
    assert "ann" not in shown
    assert [i.submission_sha256 for i in queue.items[:3]] == sorted(
        i.submission_sha256 for i in queue.items[:3]
    )


def test_a_mark_for_an_earlier_hand_in_is_said_and_does_not_count(
    book: Gradebook, pocket: Assignment, queue: Queue
) -> None:
    queue.mark(1, "4", "Good.")
    run = book.begin_run(Run("ina", "class", 1, "1", "pocket", "1", "0" * 64))
    book.record(run, waiting("ann", "Another answer.", attempt=2))
    again = Queue(book, pocket, author="ina", blind=False)
    item = again.detail(1)
    assert (item["who"], item["points"], item["outdated"]) == ("Ann", None, True)


def test_control_characters_are_gone(queue: Queue) -> None:
    item = queue.detail(0)
    assert "\x1b" not in item["text"]
    assert "\u202e" not in item["text"]
