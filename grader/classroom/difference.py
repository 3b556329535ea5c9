"""Whose mark changed between two runs, by how much, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from grader.gradebook import Mark, Result

HAND_IN = "another hand-in"
CHECK = "the check was changed"
CHANCE = "the same hand-in and check gave another result: look at it"
RETRIED = "our own error before"


@dataclass(frozen=True, slots=True)
class CheckChange:
    """One check that gives other points than before."""

    check_id: str
    before: Mark | None
    after: Mark | None
    why: str

    @property
    def difference(self) -> Decimal:
        """Points more than before."""
        return _earned(self.after) - _earned(self.before)


@dataclass(frozen=True, slots=True)
class Change:
    """One student whose mark changed."""

    student: str
    name: str
    before: Decimal | None
    """Points; None where there was no result."""
    after: Decimal | None
    checks: tuple[CheckChange, ...]

    @property
    def difference(self) -> Decimal:
        """Points more than before."""
        return (self.after or Decimal(0)) - (self.before or Decimal(0))


def changes(before: Mapping[str, Result], after: Mapping[str, Result]) -> list[Change]:
    """Every student whose points, or the points of whose checks, differ; the largest loss first."""
    found = []
    for student in {**before, **after}:
        old, new = before.get(student), after.get(student)
        changed = _checks(old, new)
        if changed or _points(old) != _points(new):
            named = new or old
            assert named is not None
            found.append(Change(student, named.entry.name, _points(old), _points(new), changed))
    return sorted(found, key=lambda change: (change.difference, change.student))


def _checks(old: Result | None, new: Result | None) -> tuple[CheckChange, ...]:
    old_marks = {} if old is None else old.marks
    new_marks = {} if new is None else new.marks
    same_hand_in = (
        old is not None and new is not None and old.entry.submission_sha256 == new.entry.submission_sha256
    )
    found = []
    for id in {**old_marks, **new_marks}:
        one, other = old_marks.get(id), new_marks.get(id)
        if one is None or other is None or one.earned != other.earned or one.possible != other.possible:
            found.append(CheckChange(id, one, other, _why(one, other, same_hand_in)))
    return tuple(found)


def _why(one: Mark | None, other: Mark | None, same_hand_in: bool) -> str:
    if one is None or other is None:
        return "not judged in the newer run" if other is None else "not judged in the older run"
    if not same_hand_in:
        return HAND_IN
    if one.key != other.key:
        return CHECK
    return RETRIED if one.status.value == "grader_error" else CHANCE


def _points(result: Result | None) -> Decimal | None:
    return None if result is None or result.failure is not None else result.earned


def _earned(mark: Mark | None) -> Decimal:
    return Decimal(0) if mark is None else mark.earned
