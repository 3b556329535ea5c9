"""What goes into the gradebook and what comes out of it: frozen, and free of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from grader.model import GradeReport, Status


@dataclass(frozen=True, slots=True)
class Run:
    """One command that grades."""

    author: str
    """Who started it."""
    source: str
    """What it was told to grade."""
    seed: int
    """Of all inputs, the same for every hand-in."""
    grader_version: str
    assignment_id: str
    assignment_version: str
    assignment_sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One hand-in of one student, as the gradebook knows it."""

    student: str
    """Stable key, unique in the class."""
    name: str
    """As shown; untrusted text."""
    submission_sha256: str
    attempt: int = 1
    late: bool = False
    submitted_at: str | None = None
    members: tuple[str, ...] = ()
    """Names of a group."""
    source: str = ""
    """Where in the class it was found."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One check of one result, without its evidence."""

    check_id: str
    status: Status
    earned: Decimal
    possible: Decimal
    diagnosis: str | None
    """Id of the misconception that explains it."""
    key: str
    """Hash over what the check consisted of."""
    duration_s: float = 0.0
    diagnosis_title: str | None = None
    """What the misconception is, as a sentence."""


@dataclass(frozen=True, slots=True)
class Override:
    """A mark that a person gave. The grader's own stays where it is."""

    student: str
    check_id: str
    submission_sha256: str
    """Of the hand-in that the person saw: a later one is to be looked at again."""
    points: Decimal
    reason: str
    author: str
    created: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What the gradebook holds of one graded hand-in, but for the report itself."""

    id: int
    run: int
    entry: Entry
    created: str
    earned: Decimal
    """As the grader gave them; overrides are not in it."""
    possible: Decimal
    complete: bool
    duration_s: float
    failure: str | None = None
    """Why there is no report; then there are no marks."""
    marks: Mapping[str, Mark] = field(default_factory=dict)
    """By check id, in the order of the assignment."""


@dataclass(frozen=True, slots=True)
class Graded:
    """What is to be recorded of one hand-in."""

    entry: Entry
    report: GradeReport
    keys: Mapping[str, str]
    """By check id: what the check consisted of."""
    fingerprint: str
    """The same for the same hand-in, checks and grader: such a result is recorded once."""
