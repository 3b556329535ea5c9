"""Whatever numbers a report states, in whatever notation, unit and layout: they are read back exactly."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from grader.intake.prose.questions import Questions
from grader.intake.prose.reader import lines_of, read_lines
from grader.numbers import ParsedNumber, parse_number
from tests.tool.depth import tries
from tests.tool.intake.prose.writing import Amount, reports


@given(report=reports())
@tries(60)
def test_every_number_is_read_back(
    report: tuple[str, str, Mapping[str, Amount]], questions: Questions
) -> None:
    path, text, stated = report
    written = read_lines(questions, lines_of(path, text))
    units = {answer.key: answer.unit for answer in questions.answers}
    for key, amount in stated.items():
        found = written.answers.get(key)
        assert found is not None, (key, amount, text)
        values = []
        for reading in found.readings:
            number = parse_number(reading.value, units[key])
            assert isinstance(number, ParsedNumber)
            values.append(number.value)
        assert (values, found.sure) == ([amount.exact], True), (key, amount, text)


@given(
    text=st.text(max_size=400)
    | st.lists(st.sampled_from([*"4e12(a).|=$\\{}^_,% \n", "## ", "GB", "\\frac", "| "]), max_size=80).map(
        "".join
    ),
    path=st.sampled_from(["r.md", "r.txt", "r.tex", "r.html"]),
)
@tries(150)
def test_no_text_is_too_odd(text: str, path: str, questions: Questions) -> None:
    written = read_lines(questions, lines_of(path, text))
    assert all(answer.readings for answer in written.answers.values())
