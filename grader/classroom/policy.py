"""What a course does with a score: late days, extensions, which attempt counts, a cap. Read from course.toml.

    due = 2026-11-20T23:59:00+01:00
    attempts = "latest"              # or "best"

    [late]
    per_day = 10                     # percent of the possible points, for each day begun
    grace_minutes = 15
    days = 3                         # after so many days nothing is given; leave it out for no end
    free_days = 0                    # days that cost nothing

    [extensions]
    "doe_1042" = 2026-11-25T23:59:00+01:00     # by the student's key, as `grade book` shows it

    [cap]
    points = 100

The policy is applied after scoring. It never changes a score: it gives a final mark and says how it came about.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from grader.errors import UnknownName, UsageError
from grader.gradebook import Result, Standing
from grader.serialise import rounded

LATEST, BEST = "latest", "best"
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of a course; the defaults do nothing."""

    due: datetime | None = None
    attempts: str = LATEST
    per_day: Decimal = Decimal(0)
    """Percent of the possible points for each day begun."""
    grace_minutes: Decimal = Decimal(0)
    days: int | None = None
    """Days after which nothing is given."""
    free_days: int = 0
    extensions: Mapping[str, datetime] = field(default_factory=dict)
    """Due time by student key."""
    cap: Decimal | None = None
    """Most points."""


@dataclass(frozen=True, slots=True)
class Final:
    """A mark as the course gives it."""

    points: Decimal
    notes: tuple[str, ...]
    """What was done to the score, a sentence each; empty where nothing was."""


def final_mark(standing: Standing, policy: Policy) -> Final:
    """The score with the policy applied."""
    points, notes = standing.earned, []
    lost = _late(standing.result, standing.possible, policy)
    if lost is not None:
        taken = min(points, lost[0])
        points -= taken
        notes.append(f"{lost[1]}: {rounded(taken)} points are taken off.")
    if policy.cap is not None and points > policy.cap:
        notes.append(f"The mark is capped at {rounded(policy.cap)} points; the score is {rounded(points)}.")
        points = policy.cap
    return Final(points, tuple(notes))


def counted(history: Sequence[Result], policy: Policy) -> Result | None:
    """The result of a student's that counts: of the latest attempt or the best one; of each attempt, its latest."""
    by_attempt: dict[int, Result] = {}
    for result in history:
        if result.failure is None or result.entry.attempt not in by_attempt:
            by_attempt[result.entry.attempt] = result
    if not by_attempt:
        return None
    graded = [result for result in by_attempt.values() if result.failure is None]
    if policy.attempts == BEST and graded:
        return max(graded, key=lambda result: (result.earned, result.entry.attempt))
    return by_attempt[max(by_attempt)]


def _late(result: Result, possible: Decimal, policy: Policy) -> tuple[Decimal, str] | None:
    """Points to take off for lateness, and why; None for a hand-in in time."""
    due = policy.extensions.get(result.entry.student, policy.due)
    handed_in = _time(result.entry.submitted_at)
    if due is None or handed_in is None:
        return None
    seconds = (handed_in - due).total_seconds() - float(policy.grace_minutes) * 60
    days = math.ceil(seconds / _DAY_S) - policy.free_days
    if seconds <= 0 or days <= 0:
        return None
    if policy.days is not None and days > policy.days:
        return possible, f"Handed in {_days(days)} late, and nothing is given after {_days(policy.days)}"
    if not policy.per_day:
        return None
    return (
        possible * policy.per_day * days / 100,
        f"Handed in {_days(days)} late, {rounded(policy.per_day)} % a day",
    )


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def _time(text: str | None) -> datetime | None:
    """An ISO time; one without a zone is taken for UTC. None where there is none."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


# ---------------------------------------------------------------- course.toml

_TOP = {"due", "attempts", "late", "extensions", "cap"}
_LATE = {"per_day", "grace_minutes", "days", "free_days"}
_STEP = "docs/grading-a-class.md explains every key."


def read_policy(path: Path) -> Policy:
    """The policy in the file `path`; raises UsageError, which names the key that is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error.strerror}.", _STEP) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", _STEP) from None
    _known(document, _TOP, path)
    late, cap = _table(document, "late", path), _table(document, "cap", path)
    _known(late, _LATE, path)
    _known(cap, {"points"}, path)
    attempts = document.get("attempts", LATEST)
    if attempts not in (LATEST, BEST):
        raise UsageError(f'{path}: attempts is "{LATEST}" or "{BEST}", not {attempts!r}.', _STEP)
    extensions = _table(document, "extensions", path)
    return Policy(
        due=_when(document, "due", path) if "due" in document else None,
        attempts=attempts,
        per_day=_number(late, "per_day", path),
        grace_minutes=_number(late, "grace_minutes", path),
        days=_whole(late, "days", path) if "days" in late else None,
        free_days=_whole(late, "free_days", path),
        extensions={student: _when(extensions, student, path) for student in extensions},
        cap=_number(cap, "points", path) if "points" in cap else None,
    )


def _known(table: Mapping[str, Any], known: set[str], path: Path) -> None:
    for key in table:
        if key not in known:
            error = UnknownName("key", key, sorted(known))
            raise UsageError(f"{path}: {error.message}", error.next_step)


def _table(document: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    table = document.get(key, {})
    if not isinstance(table, dict):
        raise UsageError(f"{path}: {key} is a table: write [{key}].", _STEP)
    return table


def _when(table: Mapping[str, Any], key: str, path: Path) -> datetime:
    value = table[key]
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise UsageError(
            f"{path}: {key} is a time with its zone, such as 2026-11-20T23:59:00+01:00, without quotes.",
            _STEP,
        )
    return value


def _number(table: Mapping[str, Any], key: str, path: Path) -> Decimal:
    value = table.get(key, 0)
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, Decimal))
        or not Decimal(value).is_finite()
        or value < 0
    ):
        raise UsageError(f"{path}: {key} is a number, 0 or more.", _STEP)
    return Decimal(value)


def _whole(table: Mapping[str, Any], key: str, path: Path) -> int:
    value = _number(table, key, path)
    if value != int(value):
        raise UsageError(f"{path}: {key} is a whole number.", _STEP)
    return int(value)
