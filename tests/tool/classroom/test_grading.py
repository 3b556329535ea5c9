"""Grading a class: everyone gets a result, nobody's trouble is another's, and nothing is done twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from decimal import Decimal

import pytest

from grader.classroom.hand_in import Tally, Watcher
from grader.gradebook import Gradebook
from grader.model import GradeReport, Status

from .conftest import Pocket, Word

Grade = Callable[..., Tally]
CLASS = [Word("ann", "right"), Word("bob", "wrong"), Word("cyd", "toolong"), Word("dan", "half")]


def earned(book: Gradebook) -> dict[str, Decimal]:
    return {student: result.earned for student, result in book.current("pocket").items()}


def test_everyone_gets_a_result(pocket: Pocket, grade: Grade, book: Gradebook) -> None:
    tally = grade(pocket(), CLASS)
    assert (tally.graded, tally.unchanged, tally.failed) == (4, 0, {})
    # bob's third check rests on the first, which he failed
    assert earned(book) == {"ann": 6, "bob": 2, "cyd": 4, "dan": 4}
    ann = book.current("pocket")["ann"]
    assert list(ann.marks) == ["1a.word", "1b.length", "1c.rests"]
    assert ann.complete
    report = book.report(ann.id)
    assert (report.submission_name, report.seed, report.isolation.level) == ("Ann", 7, "not_needed")
    assert book.runs()[0]["ended"] is not None


@pytest.mark.parametrize(
    ("word", "said"),
    [("dies", "ended without a result"), ("hangs", "not done within"), ("unreadable", "It is encrypted.")],
)
def test_one_bad_hand_in_never_stops_the_class(
    pocket: Pocket, grade: Grade, book: Gradebook, word: str, said: str
) -> None:
    tally = grade(pocket(), [Word("eve", word), *CLASS], timeout_s=5 if word == "hangs" else 60)
    assert tally.graded == 4
    assert said in tally.failed["eve"]
    failed = book.current("pocket")["eve"]
    assert failed.failure is not None
    assert said in failed.failure


def test_what_is_known_is_not_graded_again(pocket: Pocket, grade: Grade, book: Gradebook) -> None:
    grade(pocket(), CLASS)
    before = book.current("pocket")
    tally = grade(pocket(), CLASS)
    assert (tally.graded, tally.unchanged) == (0, 4)
    assert book.current("pocket") == before
    assert grade(pocket(), CLASS, force=True).graded == 4
    assert earned(book) == {student: result.earned for student, result in before.items()}
    assert [len(book.history("pocket", student)) for student in before] == [2] * 4


def test_a_new_hand_in_is_graded_and_the_old_result_kept(
    pocket: Pocket, grade: Grade, book: Gradebook
) -> None:
    grade(pocket(), [Word("ann", "wrong")])
    grade(pocket(), [Word("ann", "right", attempt=2)])
    grade(pocket(), [Word("ann", "wrong", attempt=3)])  # the very same content as the first
    assert [r.earned for r in book.history("pocket", "ann")] == [2, 6, 2]
    assert earned(book) == {"ann": 2}


def test_after_a_change_only_what_it_touches_is_run_again(
    pocket: Pocket, grade: Grade, book: Gradebook
) -> None:
    assignment = pocket()
    grade(assignment, CLASS, checks=["1a.word"])
    assert earned(book) == {"ann": 3, "bob": 0, "cyd": 3, "dan": 1}
    assert not book.current("pocket")["ann"].complete
    # The other two are added, and the first is taken over.
    tally = grade(assignment, CLASS)
    assert tally.graded == 4
    assert earned(book) == {"ann": 6, "bob": 2, "cyd": 4, "dan": 4}
    assert book.current("pocket")["ann"].complete
    # One point and a third of three are exact, also when they were taken over.
    grade(pocket(limit=9), CLASS)
    assert earned(book) == {"ann": 6, "bob": 2, "cyd": 6, "dan": 4}
    # And back: the gradebook's last result is another one than before, so it is judged again.
    assert grade(pocket(limit=5), CLASS).graded == 4
    assert earned(book) == {"ann": 6, "bob": 2, "cyd": 4, "dan": 4}


def test_a_dependency_is_run_with_what_rests_on_it(pocket: Pocket, grade: Grade, book: Gradebook) -> None:
    grade(pocket(), CLASS, checks=["1c.rests"])
    marks = book.current("pocket")["bob"].marks
    assert {id: mark.status for id, mark in marks.items()} == {
        "1a.word": Status.FAILED,
        "1c.rests": Status.BLOCKED,
    }


def test_a_failed_run_leaves_the_good_result(pocket: Pocket, grade: Grade, book: Gradebook) -> None:
    grade(pocket(), CLASS)
    broken = pocket(limit=9)
    (test_file,) = broken.root.glob("test_*.py")
    source = test_file.read_text(encoding="utf-8")
    test_file.write_text(source.replace('== "dies"', '!= ""'), encoding="utf-8")
    tally = grade(broken, CLASS)
    assert (tally.graded, len(tally.failed)) == (0, 4)
    assert earned(book) == {"ann": 6, "bob": 2, "cyd": 4, "dan": 4}


def test_stopped_in_the_middle_it_goes_on(pocket: Pocket, grade: Grade, book: Gradebook) -> None:
    seen: list[str] = []

    def stop_after_two(hand_in: object, report: GradeReport) -> None:
        seen.append(report.submission_name)
        if len(seen) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    hand_ins = [Word(f"s{i}", "right") for i in range(6)]
    with pytest.raises(KeyboardInterrupt):
        grade(pocket(), hand_ins, watcher=Watcher(on_graded=stop_after_two))
    assert len(book.current("pocket")) == 2
    assert book.unfinished_seed("pocket", "class") == 7
    tally = grade(pocket(), hand_ins)
    assert (tally.graded, tally.unchanged) == (4, 2)
    assert len(book.current("pocket")) == 6
    assert book.unfinished_seed("pocket", "class") is None


def test_a_judge_has_its_next_hand_in_before_the_last_one_is_recorded(pocket: Pocket, grade: Grade) -> None:
    seen: list[str] = []
    watcher = Watcher(
        on_start=lambda hand_in: seen.append(f"start {hand_in.student}"),
        on_graded=lambda hand_in, report: seen.append(f"graded {hand_in.student}"),
    )
    grade(pocket(), CLASS, jobs=1, watcher=watcher)
    assert seen[:3] == ["start ann", "start bob", "graded ann"]
    assert seen[-2:] == ["graded cyd", "graded dan"]
