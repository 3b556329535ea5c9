"""Parts 2, 3d and 4: whether the answers can be read, and as what. Which of them are right is not known here."""

import pytest

from grader.checking.outcomes import Failed, Missing
from grader.intake import Found, read_answers
from grader.numbers.parse import ParseProblem, parse_number, parse_shape
from grader.numbers.units import DATA, unit_named


@pytest.mark.check("2a.answers", "The answers to 2a can be read")
@pytest.mark.check("2b.answers", "The answers to 2b can be read")
@pytest.mark.check("2c.answers", "The answers to 2c can be read")
@pytest.mark.check("2d.answers", "The answer to 2d can be read")
@pytest.mark.check("3d.answers", "The answer to 3d can be read")
@pytest.mark.check("4a.answers", "The answers to 4a can be read")
@pytest.mark.check("4b.answers", "The answer to 4b can be read")
@pytest.mark.check("4c.answers", "The answers to 4c can be read")
@pytest.mark.check("4d.answers", "The answers to 4d can be read")
@pytest.mark.check("4e1.answers", "The answer to 4e1 can be read")
@pytest.mark.check("4e2.answers", "The answer to 4e2 can be read")
@pytest.mark.check("4e3.answers", "The answers to 4e3 can be read")
def test_answers(check_id, kit, handed_in, note):
    part = check_id.partition(".")[0]
    answers = read_answers(handed_in("answers.toml"))
    missing = []
    for name, kind in kit.answers[part].items():
        key = f"{part}.{name}"
        found = answers.text(key) if kind == "text" else answers.get(key)
        if found.status is Found.FOUND:
            note(f"{name} is read as {read(name, found.value, kind)}.")
        elif found.status is not Found.MISSING:
            raise Failed(f"{name}: {found.problem.message}", found.problem.next_step)
        else:
            missing.append((name, found.problem))
    if missing:
        problem = missing[0][1]
        others = ", ".join(name for name, _ in missing[1:])
        raise Missing(
            f"{problem.message} Open as well: {others}." if others else problem.message, problem.next_step
        )


def read(name, value, kind):
    """The answer in words; fails the check where it is none of its kind."""
    if kind == "text":
        return f"a text of {len(value.split())} words"
    parsed = parse_shape(value) if kind == "shape" else parse_number(value, kind)
    if isinstance(parsed, ParseProblem):
        raise Failed(f"{name}: {parsed.message}", parsed.next_step)
    if kind == "shape":
        return str(list(parsed))
    if parsed.unit.dimension == DATA:
        return f"{plain(parsed.value / unit_named('byte').factor)} bytes"
    if kind == "percent":
        return f"{float(100 * parsed.value):.6g} %"
    return f"{plain(parsed.value)}{' nats' if kind == 'nat' else ''}"


def plain(value):
    """A whole number with commas, any other with the digits of a float."""
    return f"{int(value):,}" if value.denominator == 1 else f"{float(value):.10g}"
