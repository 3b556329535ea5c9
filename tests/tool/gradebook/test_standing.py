"""Where a student stands: a person's mark counts for the hand-in that the person saw, and for no other."""

from __future__ import annotations

from decimal import Decimal

from grader.gradebook import Gradebook, Override, standings

from .conftest import ASSIGNMENT, graded


def given(points: str, content: str = "a") -> Override:
    return Override("ann", "1.one", content.ljust(64, "0"), Decimal(points), "r", "ina")


def test_a_mark_given_counts_and_the_graders_own_stays_visible(book: Gradebook, run: int) -> None:
    book.record(run, graded(earned="0"))
    book.give(ASSIGNMENT, given("1.25"))
    standing = standings(book, ASSIGNMENT)["ann"]
    assert (standing.earned, standing.possible, standing.final) == (Decimal("1.25"), 2, True)
    assert standing.checks["1.one"].mark.earned == 0


def test_a_mark_for_another_hand_in_is_shown_but_does_not_count(book: Gradebook, run: int) -> None:
    book.record(run, graded(earned="0", content="b", attempt=2))
    book.give(ASSIGNMENT, given("2", content="a"))
    standing = standings(book, ASSIGNMENT)["ann"]
    assert standing.earned == 0
    assert standing.checks["1.one"].override is None
    assert standing.checks["1.one"].outdated is not None


def test_a_failure_is_never_final(book: Gradebook, run: int) -> None:
    book.record_failure(run, ASSIGNMENT, graded().entry, "It hangs.")
    standing = standings(book, ASSIGNMENT)["ann"]
    assert (standing.checks, standing.earned, standing.final) == ({}, 0, False)
