"""The number on paper."""

from grader.checking.numeric import Numbers
from grader.model import Check


def test_number(number: Check, numbers: Numbers) -> None:
    numbers(number)
