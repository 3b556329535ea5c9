"""What a course does with a score: said, exact, and never more than the score or less than nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.classroom.policy import BEST, Policy, counted, final_mark, read_policy
from grader.errors import UsageError
from grader.gradebook import Standing, standing_of
from tests.tool.classbook.conftest import checks, standing

DUE = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
DECLARED = checks(50, 50)


def handed_in(after: timedelta, earned: tuple[float, float] = (40, 40)) -> Standing:
    made = standing("ann", earned, DECLARED)
    entry = replace(made.entry, submitted_at=(DUE + after).isoformat())
    return standing_of(replace(made.result, entry=entry), ())


@pytest.mark.parametrize(
    ("after", "points"),
    [
        (timedelta(hours=-1), 80),
        (timedelta(0), 80),
        (timedelta(minutes=15), 80),
        (timedelta(minutes=16), 70),
        (timedelta(days=1), 70),
        (timedelta(days=1, minutes=16), 60),
        (timedelta(days=3), 50),
        (timedelta(days=3, minutes=16), 0),
    ],
)
def test_late_days(after: timedelta, points: int) -> None:
    policy = Policy(due=DUE, per_day=Decimal(10), grace_minutes=Decimal(15), days=3)
    final = final_mark(handed_in(after), policy)
    assert final.points == points
    assert bool(final.notes) == (points != 80)


def test_an_extension_and_free_days() -> None:
    late = handed_in(timedelta(days=2))
    policy = Policy(due=DUE, per_day=Decimal(10))
    assert final_mark(late, policy).points == 60
    assert final_mark(late, replace(policy, extensions={"ann": DUE + timedelta(days=5)})).points == 80
    assert final_mark(late, replace(policy, free_days=1)).points == 70


def test_a_cap_is_said() -> None:
    final = final_mark(handed_in(timedelta(0)), Policy(cap=Decimal(75)))
    assert final.points == 75
    assert "capped at 75" in final.notes[0]


def test_a_hand_in_without_a_time_is_not_late() -> None:
    made = standing("ann", (40, 40), DECLARED)
    assert final_mark(made, Policy(due=DUE, per_day=Decimal(10))).points == 80


def test_best_or_latest_attempt() -> None:
    def attempt(number: int, earned: float, failure: str | None = None) -> Standing:
        made = standing("ann", (earned, 0), DECLARED, failure=failure)
        return standing_of(replace(made.result, id=number, entry=replace(made.entry, attempt=number)), ())

    history = [attempt(1, 30).result, attempt(2, 45).result, attempt(3, 10).result]
    for policy, earned in ((Policy(), 10), (Policy(attempts=BEST), 45)):
        found = counted(history, policy)
        assert found is not None
        assert found.earned == earned
    failed = [*history, attempt(4, 0, "It hangs.").result]
    best = counted(failed, Policy(attempts=BEST))
    assert best is not None
    assert best.earned == 45
    assert counted([], Policy()) is None


@given(
    st.integers(-10_000, 100_000),
    st.decimals(0, 200, places=2),
    st.none() | st.integers(0, 9),
    st.none() | st.decimals(0, 200, places=2),
)
def test_never_more_than_the_score_nor_less_than_nothing(
    minutes: int, per_day: Decimal, days: int | None, cap: Decimal | None
) -> None:
    late = handed_in(timedelta(minutes=minutes))
    final = final_mark(late, Policy(due=DUE, per_day=per_day, days=days, cap=cap))
    assert 0 <= final.points <= late.earned
    assert final.notes or final.points == late.earned


def test_course_toml(tmp_path: Path) -> None:
    path = tmp_path / "course.toml"
    path.write_text(
        'due = 2026-11-20T23:59:00Z\nattempts = "best"\n[late]\nper_day = 12.5\ndays = 3\n'
        '[extensions]\n"ann" = 2026-11-25T23:59:00+01:00\n[cap]\npoints = 100\n'
    )
    policy = read_policy(path)
    assert (policy.due, policy.attempts, policy.per_day, policy.days) == (DUE, BEST, Decimal("12.5"), 3)
    assert policy.extensions["ann"].utcoffset() == timedelta(hours=1)
    assert policy.cap == 100


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("due = 2026-11-20", "a time with its zone"),
        ("due = 2026-11-20T23:59:00", "a time with its zone"),
        ('due = "2026-11-20T23:59:00Z"', "a time with its zone"),
        ('attempts = "first"', "attempts is"),
        ("late = 3", "late is a table"),
        ("[late]\nper_dya = 3", "did you mean|per_dya"),
        ("[late]\nper_day = -3", "0 or more"),
        ("[late]\ndays = 1.5", "whole number"),
        ("[late]\nper_day = true", "is a number"),
        ("[late]\nper_day = inf", "0 or more"),
        ("due = ", "cannot be read"),
    ],
)
def test_a_wrong_course_toml_names_the_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "course.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_policy(path)
