"""The declared questions of the coursework, and a reader of one text as a report."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.assignment import load_assignment
from grader.intake.prose.questions import Questions, read_questions
from grader.intake.prose.reader import lines_of, read_lines
from grader.written import Written

Reader = Callable[..., Written]


@pytest.fixture(scope="session")
def questions() -> Questions:
    found = read_questions(load_assignment())
    assert found is not None
    return found


@pytest.fixture(scope="session")
def read(questions: Questions) -> Reader:
    """read(text, "report.md"): what the text says."""

    def reader(text: str, path: str = "report.md") -> Written:
        return read_lines(questions, lines_of(path, text))

    return reader
