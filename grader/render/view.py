"""What a reader sees of a grade report: cleaned text, formatted points, wording. No markup yet.

HTML, Markdown and the terminal are drawn from this view and never from the report, so that reference values
of hidden checks, control characters and endless lines are dealt with once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from grader.model import CheckResult, Evidence, GradeReport, Part, Plot, Points, Score, Status, Visibility
from grader.render.curves import curves
from grader.render.heatmap import heatmap
from grader.render.picture import Picture, empty
from grader.serialise import disclosed, rounded
from grader.text import clean, one_line

LABELS = {
    Status.PASSED: "Passed",
    Status.PARTIAL: "Partly right",
    Status.FAILED: "Not right",
    Status.MISSING: "Not handed in",
    Status.BLOCKED: "Not asked",
    Status.TIMEOUT: "Took too long",
    Status.OUT_OF_MEMORY: "Out of memory",
    Status.CRASHED: "Crashed",
    Status.NEEDS_REVIEW: "For a person",
    Status.GRADER_ERROR: "Our fault",
}
"""What a student reads in place of the status; the JSON has the status itself."""

NAME_LIMIT = 120
GRID_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of evidence: a term and what there is to say."""

    term: str
    text: str
    is_code: bool = True
    """True for values and calls, which are set in a fixed-width face."""

    @property
    def is_grid(self) -> bool:
        """True for rows of numbers, which must not be wrapped; long lines are prose or a flood and must be."""
        rows = self.text.split("\n")
        return self.is_code and len(rows) > 1 and max(map(len, rows)) <= GRID_WIDTH


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check, ready to be set."""

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
    hint: str
    facts: tuple[Fact, ...]
    output: str
    notes: tuple[str, ...]
    pictures: tuple[Picture, ...]
    seconds: str


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


def view_of(report: GradeReport) -> ReportView:
    """The view of a report; a hidden check's reference values are gone from it."""
    report = disclosed(report)
    parts = _parts(report)
    checks = [check for part in parts for check in part.checks]
    return ReportView(
        title=one_line(report.assignment_title, NAME_LIMIT),
        student=one_line(report.submission_name, NAME_LIMIT),
        created=one_line(report.created, NAME_LIMIT),
        date=_date(report.created),
        score=_score(report.score),
        verdict=f"{_count(len(checks), 'check')}: {_tally(checks)}.",
        standing=_standing(report),
        parts=parts,
        lost=tuple(sorted((check for check in checks if check.lost > 0), key=lambda check: -check.lost)),
        notes=tuple(map(one_line, report.notes)),
        seed=report.seed,
        repeat=f"grade PATH{' --public' if report.public_only else ''} --seed {report.seed}",
        isolation=one_line(report.isolation.level),
        guarantees=tuple(map(one_line, report.isolation.guarantees)),
        caveats=tuple(map(one_line, report.isolation.caveats)),
        environment=tuple((one_line(k, 60), one_line(v, 200)) for k, v in report.environment.items()),
        identity=_identity(report),
    )


def _parts(report: GradeReport) -> tuple[PartView, ...]:
    by_part: dict[str, list[CheckResult]] = {part.id: [] for part in report.parts}
    for check in report.checks:
        by_part.setdefault(check.part, []).append(check)
    known = {part.id: part for part in report.parts}
    # A check of a part that the report does not list is shown all the same: none may be lost from sight.
    return tuple(_part(known.get(id) or Part(id, id, ""), checks) for id, checks in by_part.items())


def _part(part: Part, checks: list[CheckResult]) -> PartView:
    views = tuple(map(_check, checks))
    earned = sum((check.points.earned for check in checks), Decimal(0))
    possible = sum((check.points.possible for check in checks), Decimal(0))
    awaiting = sum((_open_points(c.points) for c in checks if c.status is Status.NEEDS_REVIEW), Decimal(0))
    excused = sum((_open_points(c.points) for c in checks if c.status is Status.GRADER_ERROR), Decimal(0))
    return PartView(
        id=one_line(part.id, 20),
        anchor=_anchor("part", part.id),
        title=one_line(part.title, 200),
        asks=one_line(part.asks),
        earned=shown_points(earned),
        possible=shown_points(possible),
        bar=_bar(possible, earned, awaiting, excused),
        checks=views,
        tally=_tally(views) if views else "no check selected",
    )


def _check(check: CheckResult) -> CheckView:
    undecided = check.status in (Status.NEEDS_REVIEW, Status.GRADER_ERROR) and not check.points.earned
    lost = Decimal(0) if undecided else _open_points(check.points)
    return CheckView(
        id=one_line(check.id, 60),
        anchor=_anchor("check", check.id),
        title=one_line(check.title, 300),
        status=check.status,
        label=LABELS[check.status],
        hidden=check.visibility is Visibility.HIDDEN,
        opened=check.status is not Status.PASSED,
        lost=lost,
        lost_points=shown_points(lost),
        earned="–" if undecided else shown_points(check.points.earned),
        possible=shown_points(check.points.possible),
        worth=_worth(check, undecided),
        message=one_line(check.message, 2_000),
        hint=one_line(check.hint, 2_000),
        facts=_facts(check.evidence, is_prose=check.status is Status.NEEDS_REVIEW),
        output=clean(check.evidence.output or "").strip("\n"),
        notes=tuple(map(one_line, check.evidence.notes)),
        pictures=tuple(map(_picture, check.evidence.plots)),
        seconds=f"{check.duration_s:.2f} s" if check.duration_s < 10 else f"{check.duration_s:.0f} s",
    )


def _worth(check: CheckResult, undecided: bool) -> str:
    possible = shown_points(check.points.possible)
    if not undecided:
        return f"{shown_points(check.points.earned)} of {possible}"
    return f"{possible} to be given" if check.status is Status.NEEDS_REVIEW else f"{possible} not counted"


def _facts(evidence: Evidence, is_prose: bool) -> tuple[Fact, ...]:
    difference, where = evidence.largest_difference, evidence.where
    facts = [("Asked", evidence.asked), ("Expected", evidence.expected), ("Obtained", evidence.obtained)]
    if difference is not None:
        size = f"{difference:,.0f}" if 1e4 <= abs(difference) < 1e15 else f"{difference:.4g}"
        facts.append(("Largest difference", f"{size} at {where}") if where else ("Difference", size))
    else:
        facts.append(("Where", where))
    shown = [Fact(term, clean(text).strip("\n"), is_code=not is_prose) for term, text in facts if text]
    if evidence.location:
        shown.append(Fact("Read from", one_line(evidence.location), is_code=False))
    return tuple(shown)


def _picture(plot: Plot) -> Picture:
    draw = {"heatmap": heatmap, "curves": curves}.get(plot.kind)
    return (
        draw(plot) if draw else empty(plot, f"A picture of kind {one_line(plot.kind, 30)!r} cannot be drawn.")
    )


def _score(score: Score) -> ScoreView:
    return ScoreView(
        earned=shown_points(score.earned),
        possible=shown_points(score.possible),
        automatic_earned=shown_points(score.automatic_earned),
        automatic_possible=shown_points(score.automatic_possible),
        awaiting=shown_points(score.awaiting_review) if score.awaiting_review else "",
        excused=shown_points(score.excused) if score.excused else "",
        bar=_bar(score.possible, score.earned, score.awaiting_review, score.excused),
        perfect=score.automatic_earned == score.automatic_possible and not score.excused,
    )


def _bar(possible: Decimal, earned: Decimal, awaiting: Decimal, excused: Decimal) -> Bar:
    def share(points: Decimal) -> float:
        return round(100 * float(points / possible), 2) if possible else 0.0

    return Bar(earned=share(earned), awaiting=share(awaiting), excused=share(excused))


def _standing(report: GradeReport) -> str:
    if report.public_only:
        return "Public checks only: not a mark."
    if report.complete:
        return ""
    if report.score.awaiting_review:
        awaiting = shown_points(report.score.awaiting_review)
        return f"Provisional: {awaiting} points are still to be given by a person."
    if report.score.excused:
        return "Provisional: some checks failed by our fault and have to be run again."
    return "Provisional: only some of the checks were run."


def _identity(report: GradeReport) -> tuple[Fact, ...]:
    assignment = f"{report.assignment_id}, version {report.assignment_version}"
    return (
        Fact("Hand-in, SHA-256", one_line(report.submission_sha256)),
        Fact("Assignment", one_line(assignment), is_code=False),
        Fact("Assignment, SHA-256", one_line(report.assignment_sha256)),
        Fact("Time taken", f"{report.duration_s:.1f} s", is_code=False),
    )


def _tally(checks: list[CheckView] | tuple[CheckView, ...]) -> str:
    counts = [(sum(check.status is status for check in checks), label) for status, label in LABELS.items()]
    return ", ".join(f"{n} {label[0].lower()}{label[1:]}" for n, label in counts if n)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _open_points(points: Points) -> Decimal:
    return points.possible - points.earned


def shown_points(points: Decimal) -> str:
    """As exported: at most three decimals and no trailing zeros."""
    return f"{rounded(points):f}"


def _anchor(kind: str, id: str) -> str:
    return f"{kind}-{re.sub(r'[^A-Za-z0-9_.-]', '-', id)[:60]}"


def _date(created: str) -> str:
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return one_line(created, NAME_LIMIT)
    zone = " UTC" if moment.tzinfo and not moment.utcoffset() else ""
    return f"{moment.day} {moment:%B %Y, %H:%M}{zone}"
