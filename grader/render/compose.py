"""From a grade report to its view: the hidden values out, the text cleaned, the points formatted, part by part."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from grader.languages import ENGLISH, Language, translated
from grader.model import (
    CheckResult,
    GradeReport,
    Part,
    Score,
    Status,
)
from grader.render.check import (
    anchor_of,
    is_undecided,
    line,
    open_points,
    shown_id,
    shown_points,
    shown_seconds,
    view_of_check,
)
from grader.render.view import LABELS, Bar, CheckView, Fact, Group, PartView, ReportView, ScoreView
from grader.serialise import disclosed
from grader.text import one_line

NAME_LIMIT = 120
MONTHS = (
    "January",  # message
    "February",  # message
    "March",  # message
    "April",  # message
    "May",  # message
    "June",  # message
    "July",  # message
    "August",  # message
    "September",  # message
    "October",  # message
    "November",  # message
    "December",  # message
)


def view_of(report: GradeReport, words: Language = ENGLISH) -> ReportView:
    """The view of a report in a language; a hidden check's reference values are gone from it."""
    report = translated(disclosed(report), words)
    parts = _parts(report, words)
    checks = [check for part in parts for check in part.checks]
    return ReportView(
        title=line(report.assignment_title, NAME_LIMIT),
        student=one_line(report.submission_name, NAME_LIMIT),
        created=one_line(report.created, NAME_LIMIT),
        date=_date(report.created, words),
        score=_score(report.score),
        verdict=_verdict(checks, words),
        standing=_standing(report, words),
        parts=parts,
        seconds={shown_id(check): shown_seconds(check.duration_s) for check in report.checks},
        lost=tuple(sorted((check for check in checks if check.lost > 0), key=lambda check: -check.lost)),
        notes=tuple(map(line, report.notes)),
        seed=report.seed,
        repeat=f"grade PATH{' --public' if report.public_only else ''} --seed {report.seed}",
        isolation=one_line(report.isolation.level),
        guarantees=tuple(map(line, report.isolation.guarantees)),
        caveats=tuple(map(line, report.isolation.caveats)),
        environment=tuple(
            (one_line(k, 60), one_line(words.phrase(v), 200)) for k, v in report.environment.items()
        ),
        identity=_identity(report, words),
    )


def _parts(report: GradeReport, words: Language) -> tuple[PartView, ...]:
    by_part: dict[str, list[CheckResult]] = {part.id: [] for part in report.parts}
    for check in report.checks:
        by_part.setdefault(check.part, []).append(check)
    known = {part.id: part for part in report.parts}
    # A check of a part that the report does not list is shown all the same: none may be lost from sight.
    return tuple(_part(known.get(id) or Part(id, id, ""), checks, words) for id, checks in by_part.items())


def _part(part: Part, checks: list[CheckResult], words: Language) -> PartView:
    views = tuple(view_of_check(check, words) for check in checks)
    earned = sum((check.points.earned for check in checks), Decimal(0))
    possible = sum((check.points.possible for check in checks), Decimal(0))
    awaiting = sum((open_points(c.points) for c in checks if c.status is Status.NEEDS_REVIEW), Decimal(0))
    excused = sum((open_points(c.points) for c in checks if c.status is Status.GRADER_ERROR), Decimal(0))
    return PartView(
        id=one_line(part.id, 20),
        anchor=anchor_of("part", part.id),
        title=line(part.title, 200),
        asks=line(part.asks),
        earned=shown_points(earned),
        possible=shown_points(possible),
        bar=_bar(possible, earned, awaiting, excused),
        checks=views,
        groups=_groups(checks, views),
        tally=_tally(views, words) if views else words("no check selected"),
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
    hint = view.hint.replace(name, "") if view.status is Status.MISSING else view.hint
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
        if any(is_undecided(check) for check, _ in alike)
        else _sum(c.points.earned for c, _ in alike),
        possible=_sum(check.points.possible for check, _ in alike),
    )


def _sum(points: Iterable[Decimal]) -> str:
    return shown_points(sum(points, Decimal(0)))


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


def _standing(report: GradeReport, words: Language) -> str:
    if report.public_only and all(check.status is Status.PASSED for check in report.checks):
        return words("Public checks passed. The hidden ones were not run, so this is not a mark.")
    if report.public_only:
        return words("Public checks only: not a mark.")
    if report.complete:
        return ""
    if report.score.awaiting_review:
        awaiting = shown_points(report.score.awaiting_review)
        return words("Provisional: {awaiting} points are still to be given by a person.", awaiting=awaiting)
    if report.score.excused:
        return words("Provisional: some checks failed by our fault and have to be run again.")
    return words("Provisional: only some of the checks were run.")


def _identity(report: GradeReport, words: Language) -> tuple[Fact, ...]:
    assignment = words("{id}, version {version}", id=report.assignment_id, version=report.assignment_version)
    return (
        Fact(words("Hand-in, SHA-256"), one_line(report.submission_sha256)),
        Fact(words("Assignment"), one_line(assignment), is_code=False),
        Fact(words("Assignment, SHA-256"), one_line(report.assignment_sha256)),
        Fact(words("Time taken"), f"{report.duration_s:.1f} s", is_code=False),
    )


def _verdict(checks: list[CheckView], words: Language) -> str:
    tally = _tally(checks, words)
    if len(checks) == 1:
        return words("1 check: {tally}.", tally=tally)
    return words("{n} checks: {tally}.", n=len(checks), tally=tally)


def _tally(checks: list[CheckView] | tuple[CheckView, ...], words: Language) -> str:
    """For example "3 passed, 1 not right"."""
    counts = Counter(check.status for check in checks)
    labels = [(n, label) for status, label in LABELS.items() if (n := counts[status])]
    told = [words("{n} {label}", n=n, label=_small(words(label))) for n, label in labels]  # message
    return words(", ").join(told)


def _small(label: str) -> str:
    return label[0].lower() + label[1:]


def _date(created: str, words: Language) -> str:
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return one_line(created, NAME_LIMIT)
    zone = " UTC" if moment.tzinfo and not moment.utcoffset() else ""
    return words(
        "{day} {month} {year}, {time}",  # message
        day=moment.day,
        month=words(MONTHS[moment.month - 1]),
        year=moment.year,
        time=f"{moment:%H:%M}{zone}",
    )
