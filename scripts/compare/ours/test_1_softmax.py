"""The question of the comparison, asked through the wire."""

import math

import pytest

from grader.checking.outcomes import Failed
from grader.worker.calls import Call

ROWS = [[1.0, 2.0, 3.0], [0.5, -1.5, 0.0, 2.0], [-3.0, 4.0], [1000.0, 1001.0], [-5.0, 0.0, 5.0]]


def reference_softmax(row):
    largest = max(row)
    powers = [math.exp(x - largest) for x in row]
    return [p / sum(powers) for p in powers]


@pytest.mark.check("1a.softmax")
def test_softmax(check, student):
    check.asked = "softmax of five rows"
    answers = student.ask(*(Call("student:softmax", (row,)) for row in ROWS))
    for row, answer in zip(ROWS, answers, strict=True):
        expected = reference_softmax(row)
        right = isinstance(answer, list) and len(answer) == len(expected)
        right = right and all(isinstance(x, float) for x in answer)
        if not right or max(abs(x - y) for x, y in zip(answer, expected, strict=True)) > 1e-9:
            raise Failed(f"softmax({row}) is wrong.", "Divide the powers of e by their sum.")
