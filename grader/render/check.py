"""One check of a grade report: from its result to what a reader sees of it."""

from __future__ import annotations

import re
from dataclasses import fields
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any

from grader.languages import Language, Untranslated, translated_check
from grader.model import CheckResult, Diagnosis, Evidence, Plot, Points, Status, Visibility
from grader.render.curves import curves
from grader.render.heatmap import heatmap
from grader.render.picture import Picture, empty
from grader.render.view import LABELS, CheckView, Fact, Known
from grader.serialise import rounded
from grader.text import LINE_LIMIT, clean, one_line

REMEMBERED = 256
"""Checks that are not made ready, or set, a second time: most hand-ins of a class get the same results for most."""
_TOLD = tuple(field.name for field in fields(CheckResult) if field.name != "duration_s")
_SAID = attrgetter(*_TOLD)
"""All of a check but its time."""


def view_of_check(check: CheckResult, words: Language) -> CheckView:
    """The same object for all checks that differ in nothing but their time."""
    return _view(_SAID(check), words)


@lru_cache(maxsize=REMEMBERED)
def _view(said: tuple[Any, ...], words: Language) -> CheckView:
    check = translated_check(CheckResult(**dict(zip(_TOLD, said, strict=True)), duration_s=0.0), words)
    undecided = is_undecided(check)
    lost = Decimal(0) if undecided else open_points(check.points)
    return CheckView(
        id=shown_id(check),
        anchor=anchor_of("check", check.id),
        title=line(check.title, 300),
        status=check.status,
        label=words(LABELS[check.status]),
        hidden=check.visibility is Visibility.HIDDEN,
        opened=check.status is not Status.PASSED,
        lost=lost,
        lost_points=shown_points(lost),
        earned="–" if undecided else shown_points(check.points.earned),
        possible=shown_points(check.points.possible),
        worth=_worth(check, undecided, words),
        message=line(check.message, 2_000),
        known=_known(check.diagnosis, check.hint, words) if check.diagnosis else None,
        hint=line(check.hint, 2_000),
        facts=_facts(check.evidence, words, is_prose=check.status is Status.NEEDS_REVIEW),
        output=clean(check.evidence.output or "").strip("\n"),
        notes=tuple(map(line, check.evidence.notes)),
        pictures=tuple(_picture(plot, words) for plot in check.evidence.plots),
    )


def shown_id(check: CheckResult) -> str:
    """On one line."""
    return one_line(check.id, 60)


def shown_seconds(duration_s: float) -> str:
    """With its unit."""
    return f"{duration_s:.2f} s" if duration_s < 10 else f"{duration_s:.0f} s"


def _known(diagnosis: Diagnosis, hint: str, words: Language) -> Known:
    title = line(diagnosis.title, 600)
    return Known(
        title=title
        if title.endswith(tuple(".!?。！？"))
        else like(title, words("{sentence}.", sentence=title)),  # message
        evidence=line(diagnosis.evidence, 600),
        hint="" if diagnosis.hint == hint else line(diagnosis.hint, 2_000),
    )


def _worth(check: CheckResult, undecided: bool, words: Language) -> str:
    possible = shown_points(check.points.possible)
    if not undecided:
        return words("{earned} of {possible}", earned=shown_points(check.points.earned), possible=possible)
    if check.status is Status.NEEDS_REVIEW:
        return words("{possible} to be given", possible=possible)
    return words("{possible} not counted", possible=possible)


def _facts(evidence: Evidence, words: Language, is_prose: bool) -> tuple[Fact, ...]:
    difference, where = evidence.largest_difference, evidence.where
    facts = [
        (words("Asked"), evidence.asked),
        (words("Expected"), evidence.expected),
        (obtained := words("Obtained"), evidence.obtained),
    ]
    if difference is not None:
        size = f"{difference:,.0f}" if 1e4 <= abs(difference) < 1e15 else f"{difference:.4g}"
        at = words("{size} at {where}", size=size, where=where)
        facts.append((words("Largest difference"), at) if where else (words("Difference"), size))
    else:
        facts.append((words("Where"), where))
    shown = [
        Fact(term, like(text, clean(text).strip("\n")), not is_prose, is_prose and term == obtained)
        for term, text in facts
        if text
    ]
    if evidence.location:
        shown.append(Fact(words("Read from"), line(evidence.location), is_code=False))
    return tuple(shown)


def _picture(plot: Plot, words: Language) -> Picture:
    draw = {"heatmap": heatmap, "curves": curves}.get(plot.kind)
    if draw is None:
        kind = repr(one_line(plot.kind, 30))
        return empty(plot, words("A picture of kind {kind} cannot be drawn.", kind=kind))
    try:
        return draw(plot, words)
    except (ArithmeticError, LookupError, TypeError, ValueError):  # a picture is no reason to lose a report
        return empty(plot, words("These numbers cannot be drawn."))


def is_undecided(check: CheckResult) -> bool:
    """Where a person has to mark it, or we failed, and nothing is earned yet."""
    return check.status in (Status.NEEDS_REVIEW, Status.GRADER_ERROR) and not check.points.earned


def open_points(points: Points) -> Decimal:
    """What was not earned."""
    return points.possible - points.earned


def shown_points(points: Decimal) -> str:
    """As exported: at most three decimals and no trailing zeros."""
    return f"{rounded(points):f}"


def anchor_of(kind: str, id: str) -> str:
    """An id that is fit for a link within the page."""
    return f"{kind}-{re.sub(r'[^A-Za-z0-9_.-]', '-', id)[:60]}"


def line(text: str, limit: int = LINE_LIMIT) -> str:
    """As one_line; what stays in English remains known as such."""
    return like(text, one_line(text, limit))


def like(text: str, shown: str) -> str:
    """`shown`, known to stay in English where `text` is."""
    return Untranslated(shown) if isinstance(text, Untranslated) else shown
