"""What waits for a person: the items of the review, and the marks given to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from grader.errors import UsageError
from grader.gradebook import Gradebook, Override, Standing, standings
from grader.model import Assignment, CheckResult, Status
from grader.serialise import rounded
from grader.text import clean, one_line

REASON_LIMIT = 4_000
"""Characters of a comment."""
_TEXT_LIMIT, _TEXT_LINES = 40_000, 2_000


@dataclass(frozen=True, slots=True)
class Item:
    """One answer of one student."""

    number: int
    """Its place in the queue; the address of the item for as long as the program runs."""
    student: str
    check_id: str
    result_id: int
    submission_sha256: str


class ReviewError(UsageError):
    """A mark that cannot be given."""


class Queue:
    """The answers that a person marks, in the order check by check, so that one question is marked in one go."""

    def __init__(self, book: Gradebook, assignment: Assignment, *, author: str, blind: bool) -> None:
        self._book = book
        self._assignment = assignment
        self._author = author
        self.blind = blind
        self.title = one_line(assignment.title)
        self._checks = {check.id: check for check in assignment.checks}
        self._standings = standings(book, assignment.id)
        self.items = self._items()

    def _items(self) -> tuple[Item, ...]:
        """Where names are hidden the order tells nothing either: it is that of the hand-ins' hashes."""
        found = []
        for check in self._assignment.checks:
            of_check = [
                standing
                for standing in self._standings.values()
                if check.id in standing.checks
                and standing.checks[check.id].mark.status is Status.NEEDS_REVIEW
            ]
            of_check.sort(key=self._order)
            found += [(standing, check.id) for standing in of_check]
        return tuple(
            Item(number, s.entry.student, id, s.result.id, s.entry.submission_sha256)
            for number, (s, id) in enumerate(found)
        )

    def _order(self, standing: Standing) -> tuple[str, str]:
        if self.blind:
            return standing.entry.submission_sha256, standing.entry.student
        return standing.entry.name.casefold(), standing.entry.student

    # ------------------------------------------------------------ reading

    def overview(self) -> list[dict[str, Any]]:
        """Every item in a line: who, which check, and the points where they are given."""
        given = self._book.overrides(self._assignment.id)
        return [
            {
                "number": item.number,
                "who": self._who(item),
                "check": item.check_id,
                "points": self._given(given.get((item.student, item.check_id)), item),
            }
            for item in self.items
        ]

    def detail(self, number: int) -> dict[str, Any]:
        """All that is needed to mark one item. Texts are cleaned of control characters; escaping is the page's."""
        item = self._item(number)
        result = self._result(item)
        check = self._checks[item.check_id]
        override = self._book.overrides(self._assignment.id).get((item.student, item.check_id))
        return {
            "number": number,
            "who": self._who(item),
            "check": check.id,
            "title": one_line(check.title),
            "question": clean(result.evidence.asked),
            "rubric": list(check.rubric),
            "text": clean(result.evidence.obtained or "", _TEXT_LIMIT, _TEXT_LINES),
            "place": one_line(result.evidence.location or ""),
            "found": [clean(note) for note in result.evidence.notes],
            "possible": str(rounded(check.points)),
            "points": self._given(override, item),
            "reason": override.reason if override is not None else "",
            "author": override.author if override is not None else "",
            "outdated": override is not None and override.submission_sha256 != item.submission_sha256,
        }

    def _result(self, item: Item) -> CheckResult:
        report = self._book.report(item.result_id)
        return next(check for check in report.checks if check.id == item.check_id)

    def _who(self, item: Item) -> str:
        if self.blind:
            return f"Hand-in {item.submission_sha256[:6]}"
        return one_line(self._standings[item.student].entry.name, 120)

    def _given(self, override: Override | None, item: Item) -> str | None:
        if override is None or override.submission_sha256 != item.submission_sha256:
            return None
        return str(rounded(override.points))

    def _item(self, number: int) -> Item:
        if not 0 <= number < len(self.items):
            raise ReviewError(f"There is no item {number}.", "Load the page again.")
        return self.items[number]

    # ------------------------------------------------------------ marking

    def mark(self, number: int, points: str, reason: str) -> None:
        """Give points; the reason is for the student. Raises ReviewError."""
        item = self._item(number)
        value = self._valid(points, self._checks[item.check_id].points)
        if len(reason) > REASON_LIMIT:
            raise ReviewError(f"The comment is longer than {REASON_LIMIT:,} characters.", "Shorten it.")
        self._book.give(
            self._assignment.id,
            Override(
                item.student, item.check_id, item.submission_sha256, value, reason.strip(), self._author
            ),
        )

    def undo(self, number: int) -> None:
        """Take the last mark of an item back: the one before it counts again, or none."""
        item = self._item(number)
        given = [
            row
            for row in self._book.override_history(self._assignment.id)
            if (row["student"], row["check_id"]) == (item.student, item.check_id)
            and row["submission_sha256"] == item.submission_sha256
        ]
        earlier = _standing_marks(given)
        if not earlier:
            raise ReviewError("There is no mark to take back.", "Give one first.")
        last = earlier[-1]
        taken = Override(
            item.student,
            item.check_id,
            item.submission_sha256,
            Decimal(last["points"]),
            "undone",
            self._author,
        )
        self._book.take_back(self._assignment.id, taken)
        if len(earlier) > 1:
            before = earlier[-2]
            self._book.give(
                self._assignment.id,
                Override(
                    item.student,
                    item.check_id,
                    item.submission_sha256,
                    Decimal(before["points"]),
                    before["reason"],
                    before["author"],
                ),
            )

    @staticmethod
    def _valid(text: str, possible: Decimal) -> Decimal:
        try:
            value = Decimal(text.strip().replace(",", "."))
        except InvalidOperation:
            raise ReviewError(f"{text[:40]!r} is no number of points.", "Write 2 or 1.5.") from None
        if not value.is_finite() or not 0 <= value <= possible:
            raise ReviewError(f"Points go from 0 to {rounded(possible)}.", "Write a number between them.")
        if value != round(value, 3):
            raise ReviewError("Points have three decimals at most.", "Round them.")
        return value


def _standing_marks(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is left of marks given one after the other when each taking back removes the last."""
    left: list[dict[str, Any]] = []
    for row in history:
        if row["points"] is not None:
            left.append(row)
        elif left:
            left.pop()
            if left:  # it was given once more when the later one was taken back
                left.pop()
    return left
