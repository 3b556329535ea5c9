"""What a reader sees of a grade report: cleaned text, formatted points, wording. No markup yet.

HTML, Markdown and the terminal are drawn from this view and never from the report, so that reference values
of hidden checks, control characters and endless lines are dealt with once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from grader.languages import joined
from grader.model import Status
from grader.render.picture import Picture

LABELS = {
    Status.PASSED: "Passed",  # message
    Status.PARTIAL: "Partly right",
    Status.FAILED: "Not right",
    Status.MISSING: "Not handed in",
    Status.BLOCKED: "Not asked",
    Status.TIMEOUT: "Took too long",
    Status.OUT_OF_MEMORY: "Out of memory",
    Status.CRASHED: "Crashed",  # message
    Status.NEEDS_REVIEW: "For a person",
    Status.GRADER_ERROR: "Our fault",
}
"""What a student reads in place of the status; the JSON has the status itself."""

GRID_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of evidence: a term and what there is to say."""

    term: str
    text: str
    is_code: bool = True
    """True for values and calls, which are set in a fixed-width face."""
    of_student: bool = False
    """True for a student's own sentences, in whatever language."""

    @property
    def is_grid(self) -> bool:
        """True for rows of numbers, which must not be wrapped; long lines are prose or a flood and must be."""
        rows = self.text.split("\n")
        return self.is_code and len(rows) > 1 and max(map(len, rows)) <= GRID_WIDTH


@dataclass(frozen=True, slots=True)
class Known:
    """The known mistake behind a result."""

    title: str
    """A sentence with its full stop."""
    evidence: str
    hint: str
    """Empty where it is the check's own."""


@dataclass(frozen=True, slots=True, eq=False)
class CheckView:
    """One check, ready to be set; the same object for hand-ins of which there is the same to say."""

    id: str
    anchor: str
    title: str
    status: Status
    label: str
    hidden: bool
    opened: bool
    """True where there is something to read: points lost, a person needed, our fault."""
    lost: Decimal
    """Points neither earned, nor waiting for a person, nor excused."""
    lost_points: str
    earned: str
    """A dash where nothing was decided: a person has to, or we failed."""
    possible: str
    worth: str
    """The points in words."""
    message: str
    known: Known | None
    hint: str
    facts: tuple[Fact, ...]
    output: str
    notes: tuple[str, ...]
    pictures: tuple[Picture, ...]

    @property
    def advice(self) -> str:
        """The hint, after the mistake where it is known: all that a list of lost points has room for."""
        return joined(self.known.title, self.hint).strip() if self.known else self.hint


@dataclass(frozen=True, slots=True)
class Group:
    """Checks of one part that went wrong in the same way, to be told once where there is little room."""

    checks: tuple[CheckView, ...]
    """At least one; the first one's message and hint stand for all."""
    earned: str
    possible: str


@dataclass(frozen=True, slots=True)
class PartView:
    """One question with its checks."""

    id: str
    anchor: str
    title: str
    asks: str
    earned: str
    possible: str
    bar: Bar
    checks: tuple[CheckView, ...]
    groups: tuple[Group, ...]
    """Every opened check exactly once, those of one fault together."""
    tally: str
    """For example "3 passed, 1 not right"."""

    @property
    def passed(self) -> tuple[CheckView, ...]:
        return tuple(check for check in self.checks if not check.opened)

    @property
    def opened(self) -> tuple[CheckView, ...]:
        return tuple(check for check in self.checks if check.opened)


@dataclass(frozen=True, slots=True)
class Bar:
    """Shares of the possible points in per cent, for a bar."""

    earned: float
    awaiting: float
    excused: float


@dataclass(frozen=True, slots=True)
class ScoreView:
    """The total in words and figures."""

    earned: str
    possible: str
    automatic_earned: str
    automatic_possible: str
    awaiting: str
    """Empty where nothing awaits a person."""
    excused: str
    """Empty where nothing went wrong by our fault."""
    bar: Bar
    perfect: bool
    """True when no automatic point was lost and none was excused."""


@dataclass(frozen=True, slots=True)
class ReportView:
    """The whole page."""

    title: str
    student: str
    created: str
    """ISO 8601, or empty."""
    date: str
    """The same for a reader."""
    score: ScoreView
    verdict: str
    """One sentence that counts the checks."""
    standing: str
    """What kind of result this is, where it is not a final mark; else empty."""
    parts: tuple[PartView, ...]
    seconds: Mapping[str, str]
    """By id of the check: how long it took."""
    lost: tuple[CheckView, ...]
    """Checks that lost points, the dearest first."""
    notes: tuple[str, ...]
    seed: int
    repeat: str
    """The command that repeats the run."""
    isolation: str
    guarantees: tuple[str, ...]
    caveats: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    identity: tuple[Fact, ...]
    """Hashes and versions."""
