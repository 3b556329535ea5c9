"""Part 1: a check is a function that asks the student's code and holds what comes back against what is due."""

import pytest

from grader.authoring import Compare, Running, Student


@pytest.mark.check("1a.values")
def test_values(check: Running, student: Student, compare: Compare) -> None:
    """Three shapes; a temperature on either side of 1."""
    for shape, temperature in (((5,), 1.0), ((3, 4), 0.5), ((2, 3, 6), 2.0)):
        check.asked = f"softmax of scores of shape {shape} with temperature {temperature}"
        scores = check.normal(*shape)
        obtained = student.call("softmax", scores, temperature)
        compare(obtained, lambda solution: solution.softmax(scores, temperature))


@pytest.mark.check("1a.large")
def test_large(check: Running, student: Student, compare: Compare) -> None:
    check.asked = "softmax of scores of about 1,000 with temperature 0.5"
    scores = 1000 + check.normal(3, 4)
    obtained = student.call("softmax", scores, 0.5)
    compare(
        obtained,
        lambda solution: solution.softmax(scores, 0.5),
        hint="What is exp(2000) in float32, and what may be subtracted from all scores?",
    )
