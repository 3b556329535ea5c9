"""Softmax and entropy against the formula, and what a wrong result comes from."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed
from grader.checking.student import Student
from grader.model import Diagnosis
from grader.worker.calls import Call

Formula = Callable[[list[float]], list[float]]


def softmax(scores: list[float], base: float = math.e) -> list[float]:
    powers = [base ** (score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


def not_normalised(scores: list[float]) -> list[float]:
    return [math.exp(score - max(scores)) for score in scores]


def entropy(p: list[float]) -> list[float]:
    return [-sum(share * math.log(share) for share in p)]


KNOWN: dict[str, dict[str, Formula]] = {
    "softmax": {"base-2": lambda x: softmax(x, 2.0), "not-normalised": not_normalised},
    "entropy": {
        "bits": lambda p: [entropy(p)[0] / math.log(2)],
        "sign": lambda p: [-entropy(p)[0]],
    },
}


def judge(check: Running, obtained: object, formula: Formula, given: list[float], name: str) -> None:
    values = obtained if isinstance(obtained, list) else [obtained]
    if not all(isinstance(value, float) for value in values):
        raise Failed("Numbers are due.", "Return floats.")
    assert check.declaration.tolerance is not None
    limit = check.declaration.tolerance.absolute
    check.obtained = str(values)
    check.largest_difference = distance(values, formula(given))
    if check.largest_difference > limit:
        raise Failed("It is not what the formula gives.", "Try one.", diagnosis=diagnose(values, given, name))


def distance(values: list[float], due: list[float]) -> float:
    return max(abs(value - other) for value, other in zip(values, due, strict=True))


def diagnose(values: list[float], given: list[float], name: str) -> Diagnosis | None:
    found = [id for id, wrong in KNOWN[name].items() if distance(values, wrong(given)) < 1e-9]
    return Diagnosis(found[0], found[0], "equal", "Try one.") if len(found) == 1 else None


@pytest.mark.check("1a.softmax")
def test_softmax(check: Running, student: Student) -> None:
    scores = [random.Random(check.seed + i).uniform(-2, 2) for i in range(6)]
    (obtained,) = student.ask(Call("student:softmax", (scores,)))
    judge(check, obtained, softmax, scores, "softmax")


@pytest.mark.check("1a.large")
def test_large(check: Running, student: Student) -> None:
    (obtained,) = student.ask(Call("student:softmax", ([2000.0, 2000.0],)))
    if not isinstance(obtained, list) or distance(obtained, [0.5, 0.5]) > 1e-9:
        raise Failed("Two equal scores share the probability.", "Subtract the largest first.")


@pytest.mark.check("1b.entropy")
def test_entropy(check: Running, student: Student) -> None:
    p = softmax([random.Random(check.seed + i).uniform(-2, 2) for i in range(5)])
    (obtained,) = student.ask(Call("student:entropy", (p,)))
    judge(check, obtained, entropy, p, "entropy")
