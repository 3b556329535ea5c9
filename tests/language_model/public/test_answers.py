"""Part 6: whether the numbers can be read, and as what. Which of them are right is not known here."""

import pytest

from grader.checking.outcomes import Failed, Missing
from grader.intake import Found, read_answers
from grader.numbers.parse import ParseProblem, parse_number
from grader.numbers.units import unit_named


@pytest.mark.check("6a.answers", "The number of 6a can be read")
@pytest.mark.check("6b.answers", "The numbers of 6b can be read")
@pytest.mark.check("6c.answers", "The numbers of 6c can be read")
def test_answers(check_id, kit, handed_in, note):
    part = check_id.partition(".")[0]
    answers = read_answers(handed_in("answers.toml"))
    for name, unit in kit.answers[part].items():
        answer = answers.get(f"{part}.{name}")
        if answer.status is Found.MISSING:
            raise Missing(answer.problem.message, answer.problem.next_step)
        if answer.status is not Found.FOUND:
            raise Failed(f"{name}: {answer.problem.message}", answer.problem.next_step)
        number = parse_number(answer.value, unit)
        if isinstance(number, ParseProblem):
            raise Failed(f"{name}: {number.message}", number.next_step)
        if unit:
            note(f"{name} is read as {float(number.value / unit_named('byte').factor):,.10g} bytes.")
        else:
            note(f"{name} is read as {float(number.value):,.10g}.")
