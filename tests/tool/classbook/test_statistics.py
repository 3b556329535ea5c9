"""Item analysis against the textbook's formulas, computed another way."""

from __future__ import annotations

import math
import statistics as std

import numpy as np
import pytest

from grader.classbook.statistics import class_statistics
from grader.model import Status

from .conftest import checks, standing

DECLARED = checks(1, 1, 2, 4)
POINTS = [
    [1, 1, 2, 4],
    [1, 0, 2, 3],
    [1, 1, 1, 2],
    [0, 1, 0, 0],
    [1, 0, 0, 1],
    [0, 0, 0, 0],
    [1, 1, 1, 4],
]


def test_difficulty_discrimination_and_alpha_are_those_of_the_textbook() -> None:
    everyone = [standing(f"s{i}", row, DECLARED) for i, row in enumerate(POINTS)]
    found = class_statistics(everyone, DECLARED)
    points = np.array(POINTS, dtype=float)
    for column, check in enumerate(found.checks):
        share = points[:, column] / float(DECLARED[column].points)
        rest = points.sum(axis=1) - points[:, column]
        assert check.difficulty == pytest.approx(share.mean())
        assert check.discrimination == pytest.approx(np.corrcoef(points[:, column], rest)[0, 1])
        assert check.passed == (share == 1).sum()
    # alpha by its other definition: from the mean of the covariances and of the variances
    covariance = np.cov(points.T)
    k = len(DECLARED)
    between = (covariance.sum() - np.trace(covariance)) / (k * (k - 1))
    assert found.alpha == pytest.approx(k * between / (np.trace(covariance) / k + (k - 1) * between))
    totals = [sum(row) for row in POINTS]
    assert (found.mean, found.median) == (pytest.approx(std.mean(totals)), std.median(totals))
    assert found.deviation == pytest.approx(std.stdev(totals))


def test_point_biserial_of_a_check_with_one_point() -> None:
    everyone = [standing(f"s{i}", row, DECLARED) for i, row in enumerate(POINTS)]
    rest = [sum(row) - row[0] for row in POINTS]
    right = [r for r, row in zip(rest, POINTS, strict=True) if row[0]]
    wrong = [r for r, row in zip(rest, POINTS, strict=True) if not row[0]]
    p = len(right) / len(POINTS)
    expected = (std.mean(right) - std.mean(wrong)) / std.pstdev(rest) * math.sqrt(p * (1 - p))
    assert class_statistics(everyone, DECLARED).checks[0].discrimination == pytest.approx(expected)


def test_what_cannot_be_computed_is_none() -> None:
    same = [standing(f"s{i}", [1, 1, 2, 4], DECLARED) for i in range(5)]
    found = class_statistics(same, DECLARED)
    assert found.alpha is None
    assert [check.discrimination for check in found.checks] == [None] * 4
    nobody = class_statistics([], DECLARED)
    assert (nobody.mean, nobody.median, nobody.deviation, nobody.alpha) == (None,) * 4
    two = class_statistics(same[:2], DECLARED)
    assert (two.measured, two.alpha, two.mean) == (2, None, 8)


def test_an_open_review_is_not_a_zero() -> None:
    everyone = [standing(f"s{i}", [*row[:3], None], DECLARED) for i, row in enumerate(POINTS)]
    found = class_statistics(everyone, DECLARED)
    last = found.checks[3]
    assert (last.students, last.difficulty, last.discrimination) == (0, None, None)
    assert found.open_reviews == len(POINTS)
    assert "4a" not in found.parts
    assert found.measured == len(POINTS)


def test_a_failed_hand_in_is_counted_apart() -> None:
    everyone = [standing("ann", [1, 1, 2, 4], DECLARED), standing("bob", [0] * 4, DECLARED, failure="x")]
    found = class_statistics(everyone, DECLARED)
    assert (found.students, found.failed, found.totals) == (1, 1, (8.0,))


def test_a_mistake_counts_students_not_checks() -> None:
    everyone = [
        standing("ann", [0, 0, 2, 4], DECLARED, diagnosis="swap"),
        standing("bob", [1, 0, 2, 4], DECLARED, diagnosis="swap"),
        standing("cyd", [0, 1, 2, 4], DECLARED, diagnosis="scale"),
    ]
    found = class_statistics(everyone, DECLARED).misconceptions
    assert [(m.id, m.students, m.checks) for m in found] == [
        ("swap", 2, ("1a.c", "2a.c")),
        ("scale", 1, ("1a.c",)),
    ]
    assert found[0].title == "Title of swap"


def test_statuses_and_times_are_counted() -> None:
    everyone = [standing(f"s{i}", row, DECLARED) for i, row in enumerate(POINTS)]
    first = class_statistics(everyone, DECLARED).checks[0]
    assert first.statuses == {Status.PASSED: 5, Status.FAILED: 2}
    assert first.median_s == 0.25
