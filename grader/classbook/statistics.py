"""Item analysis of a class: how hard each check is, how well it tells students apart, how reliable the whole is.

Classical test theory (Crocker & Algina, Introduction to Classical and Modern Test Theory, 1986):
    difficulty       mean share of a check's points, 0 (nobody) to 1 (everybody)
    discrimination   point-biserial correlation of a check's points with those of all the other checks
    alpha            Cronbach's: k/(k-1) · (1 - sum of the checks' variances / variance of the totals)
Only students with a mark in every check of the table enter it; a check that a person has not marked yet is left out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.gradebook import Standing
from grader.model import Check, Status

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST = 3
"""Students below whom a correlation says nothing."""


@dataclass(frozen=True, slots=True)
class CheckStatistics:
    """One check over the class. What cannot be computed is None."""

    id: str
    students: int
    """With a mark in it."""
    passed: int
    """With full points."""
    difficulty: float | None
    """Mean share of the points."""
    discrimination: float | None
    statuses: Mapping[Status, int]
    median_s: float | None
    """Median wall-clock seconds."""


@dataclass(frozen=True, slots=True)
class Misconceived:
    """A known mistake, and how many make it."""

    id: str
    title: str
    students: int
    checks: tuple[str, ...]
    """Ids of the checks that it showed in."""


@dataclass(frozen=True, slots=True)
class ClassStatistics:
    """The class."""

    students: int
    """With a result."""
    failed: int
    """Whose hand-in could not be graded."""
    possible: float
    """Most points that one of them could earn."""
    totals: tuple[float, ...]
    """Points of each student with a result, sorted."""
    mean: float | None
    median: float | None
    deviation: float | None
    """Standard deviation of the totals, n - 1."""
    alpha: float | None
    measured: int
    """Students who enter discrimination and alpha."""
    checks: tuple[CheckStatistics, ...]
    parts: Mapping[str, float]
    """Mean share of the points of each part, by part id."""
    misconceptions: tuple[Misconceived, ...]
    """The most frequent first."""
    open_reviews: int
    """Marks that a person has still to give."""


def class_statistics(standings: Iterable[Standing], checks: Sequence[Check]) -> ClassStatistics:
    """The statistics of `standings`, with the checks in the order of the assignment."""
    everyone = list(standings)
    graded = [standing for standing in everyone if standing.result.failure is None]
    totals = sorted(float(standing.earned) for standing in graded)
    discriminations, alpha, measured = _item_analysis(graded, checks)
    rows = tuple(_check(check.id, graded, discriminations.get(check.id)) for check in checks)
    return ClassStatistics(
        students=len(graded),
        failed=len(everyone) - len(graded),
        possible=max((float(standing.possible) for standing in graded), default=0.0),
        totals=tuple(totals),
        mean=sum(totals) / len(totals) if totals else None,
        median=_median(totals),
        deviation=_deviation(totals),
        alpha=alpha,
        measured=measured,
        checks=rows,
        parts=_parts(graded, checks),
        misconceptions=_misconceptions(graded),
        open_reviews=sum(len(standing.open_reviews) for standing in graded),
    )


def _check(id: str, graded: Sequence[Standing], discrimination: float | None) -> CheckStatistics:
    statuses: Counter[Status] = Counter()
    shares, durations = [], []
    for standing in graded:
        check = standing.checks.get(id)
        if check is None:
            continue
        statuses[check.mark.status] += 1
        durations.append(check.mark.duration_s)
        if not check.open and check.mark.possible:
            shares.append(float(check.earned / check.mark.possible))
    return CheckStatistics(
        id=id,
        students=len(shares),
        passed=sum(share >= 1 for share in shares),
        difficulty=sum(shares) / len(shares) if shares else None,
        discrimination=discrimination,
        statuses=dict(statuses),
        median_s=_median(sorted(durations)),
    )


def _item_analysis(
    graded: Sequence[Standing], checks: Sequence[Check]
) -> tuple[dict[str, float], float | None, int]:
    """Discrimination by check id, alpha, and over how many students."""
    import numpy as np

    marked = [c.id for c in checks if any(c.id in s.checks and not s.checks[c.id].open for s in graded)]
    rows = [
        [float(standing.checks[id].earned) for id in marked]
        for standing in graded
        if all(id in standing.checks and not standing.checks[id].open for id in marked)
    ]
    if len(rows) < FEWEST or len(marked) < 2:
        return {}, None, len(rows)
    points = np.array(rows)  # (students, checks)
    totals = points.sum(axis=1)
    found = {}
    for place, id in enumerate(marked):
        correlation = _correlation(points[:, place], totals - points[:, place])
        if correlation is not None:
            found[id] = correlation
    variance = float(totals.var(ddof=1))
    if not variance:
        return found, None, len(rows)
    k = len(marked)
    alpha = k / (k - 1) * (1 - float(points.var(axis=0, ddof=1).sum()) / variance)
    return found, alpha, len(rows)


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float | None:
    """Pearson's; None where one of them does not vary."""
    a, b = one - one.mean(), other - other.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 1e-12 else None


def _parts(graded: Sequence[Standing], checks: Sequence[Check]) -> dict[str, float]:
    """Mean share of each part's points, over all that is marked."""
    earned = dict.fromkeys((check.part for check in checks), 0.0)
    possible = dict(earned)
    for standing in graded:
        for check in checks:
            mark = standing.checks.get(check.id)
            if mark is not None and not mark.open:
                earned[check.part] += float(mark.earned)
                possible[check.part] += float(mark.mark.possible)
    return {part: earned[part] / possible[part] for part in earned if possible[part]}


def _misconceptions(graded: Sequence[Standing]) -> tuple[Misconceived, ...]:
    """Students, not checks: who makes one mistake in three checks counts once."""
    students: Counter[str] = Counter()
    titles: dict[str, str] = {}
    places: dict[str, dict[str, None]] = {}
    for standing in graded:
        marks = [check.mark for check in standing.checks.values() if check.mark.diagnosis]
        students.update({str(mark.diagnosis) for mark in marks})
        for mark in marks:
            titles.setdefault(str(mark.diagnosis), mark.diagnosis_title or str(mark.diagnosis))
            places.setdefault(str(mark.diagnosis), {})[mark.check_id] = None
    ranked = sorted(students.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(Misconceived(id, titles[id], number, tuple(places[id])) for id, number in ranked)


def _median(values: Sequence[float]) -> float | None:
    """Of sorted values."""
    if not values:
        return None
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def _deviation(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
