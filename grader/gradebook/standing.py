"""Where each student stands: the grader's marks, and over them those that a person gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from grader.gradebook.records import Entry, Mark, Override, Result
from grader.gradebook.store import Gradebook
from grader.model import Status


@dataclass(frozen=True, slots=True)
class CheckStanding:
    """One check of one student."""

    mark: Mark
    """As the grader gave it."""
    override: Override | None
    """The mark that a person gave, for this very hand-in; it counts."""
    outdated: Override | None = None
    """A mark that a person gave for another hand-in of the student: to be looked at again, and it does not count."""

    @property
    def earned(self) -> Decimal:
        """Points that count."""
        return self.mark.earned if self.override is None else self.override.points

    @property
    def open(self) -> bool:
        """True while a person has still to mark it."""
        return self.override is None and self.mark.status is Status.NEEDS_REVIEW


@dataclass(frozen=True, slots=True)
class Standing:
    """One student."""

    entry: Entry
    result: Result
    """The result that counts; a failure has no checks."""
    checks: Mapping[str, CheckStanding]
    """By check id, in the order of the assignment."""

    @property
    def earned(self) -> Decimal:
        """Points that count, as far as they are known."""
        return sum((check.earned for check in self.checks.values()), Decimal(0))

    @property
    def possible(self) -> Decimal:
        """Points of all checks but those that failed by our fault and were not marked by a person."""
        return sum((c.mark.possible for c in self.checks.values() if not _excused(c)), Decimal(0))

    @property
    def open_reviews(self) -> tuple[str, ...]:
        """Ids of the checks that a person has still to mark."""
        return tuple(id for id, check in self.checks.items() if check.open)

    @property
    def final(self) -> bool:
        """True where it was graded and nothing of it waits for a person or for the grader."""
        return self.result.failure is None and not any(map(_waits, self.checks.values()))


def _excused(check: CheckStanding) -> bool:
    return check.override is None and check.mark.status is Status.GRADER_ERROR


def _waits(check: CheckStanding) -> bool:
    return check.open or _excused(check)


def standings(book: Gradebook, assignment_id: str) -> dict[str, Standing]:
    """Every student of the gradebook, by key."""
    given: dict[str, list[Override]] = {}
    for (student, _), override in book.overrides(assignment_id).items():
        given.setdefault(student, []).append(override)
    current = book.current(assignment_id)
    return {student: standing_of(result, given.get(student, ())) for student, result in current.items()}


def standing_of(result: Result, overrides: Iterable[Override]) -> Standing:
    """A result with the marks that a person gave to the same student."""
    given = {override.check_id: override for override in overrides}
    checks = {}
    for id, mark in result.marks.items():
        override = given.get(id)
        seen = override is not None and override.submission_sha256 == result.entry.submission_sha256
        checks[id] = CheckStanding(mark, override if seen else None, None if seen else override)
    return Standing(result.entry, result, checks)
