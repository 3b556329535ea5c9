"""From a grade report to its view: the hidden values out, the text cleaned, the points formatted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from grader.model import (
    CheckResult,
    Diagnosis,
    Evidence,
    GradeReport,
    Part,
    Plot,
    Points,
    Score,
    Status,
    Visibility,
)
from grader.render.curves import curves
from grader.render.heatmap import heatmap
from grader.render.picture import Picture, empty
from grader.render.view import LABELS, Bar, CheckView, Fact, Group, Known, PartView, ReportView, ScoreView
from grader.serialise import disclosed, rounded
from grader.text import clean, one_line

NAME_LIMIT = 120


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
        groups=_groups(checks, views),
        tally=_tally(views) if views else "no check selected",
    )


def _groups(checks: list[CheckResult], views: tuple[CheckView, ...]) -> tuple[Group, ...]:
    """A file that cannot be imported fails all checks of a part alike; so does a section left unanswered."""
    alike: dict[tuple[str, ...], list[tuple[CheckResult, CheckView]]] = {}
    for check, view in zip(checks, views, strict=True):
        if view.opened:
            alike.setdefault(_fault_of(view), []).append((check, view))
    return tuple(map(_group, alike.values()))


def _fault_of(view: CheckView) -> tuple[str, ...]:
    """What two checks share where the same went wrong: their names and the numbers in the text do not matter."""
    if view.status in (Status.PARTIAL, Status.NEEDS_REVIEW):
        return (view.id,)
    name = view.id.partition(".")[2] if view.status is Status.MISSING else view.id
    hint = view.hint.replace(f"Write {name} =", "")
    known = view.known.title if view.known else ""
    said = (view.message, hint, known)
    return (view.status, *(re.sub(r"\d+", "#", text.replace(view.id, "")) for text in said))


def _group(alike: list[tuple[CheckResult, CheckView]]) -> Group:
    if len(alike) == 1:
        ((_, view),) = alike
        return Group((view,), view.earned, view.possible)
    return Group(
        checks=tuple(view for _, view in alike),
        earned="–"
        if any(_undecided(check) for check, _ in alike)
        else _sum(c.points.earned for c, _ in alike),
        possible=_sum(check.points.possible for check, _ in alike),
    )


def _sum(points: Iterable[Decimal]) -> str:
    return shown_points(sum(points, Decimal(0)))


def _undecided(check: CheckResult) -> bool:
    return check.status in (Status.NEEDS_REVIEW, Status.GRADER_ERROR) and not check.points.earned


def _check(check: CheckResult) -> CheckView:
    undecided = _undecided(check)
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
        known=_known(check.diagnosis, check.hint) if check.diagnosis else None,
        hint=one_line(check.hint, 2_000),
        facts=_facts(check.evidence, is_prose=check.status is Status.NEEDS_REVIEW),
        output=clean(check.evidence.output or "").strip("\n"),
        notes=tuple(map(one_line, check.evidence.notes)),
        pictures=tuple(map(_picture, check.evidence.plots)),
        seconds=f"{check.duration_s:.2f} s" if check.duration_s < 10 else f"{check.duration_s:.0f} s",
    )


def _known(diagnosis: Diagnosis, hint: str) -> Known:
    title = one_line(diagnosis.title, 600)
    return Known(
        title=title if title.endswith((".", "!", "?")) else f"{title}.",
        evidence=one_line(diagnosis.evidence, 600),
        hint="" if diagnosis.hint == hint else one_line(diagnosis.hint, 2_000),
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
    if draw is None:
        return empty(plot, f"A picture of kind {one_line(plot.kind, 30)!r} cannot be drawn.")
    try:
        return draw(plot)
    except (ArithmeticError, LookupError, TypeError, ValueError):  # a picture is no reason to lose a report
        return empty(plot, "These numbers cannot be drawn.")


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
    if report.public_only and all(check.status is Status.PASSED for check in report.checks):
        return "Public checks passed. The hidden ones were not run, so this is not a mark."
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
