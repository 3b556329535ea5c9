"""Error carried forward: what follows from a student's own earlier numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

from grader.intake import Found
from grader.model import Tolerance
from grader.numbers.book import evaluate
from grader.numbers.bounded import Bounded
from grader.numbers.compare import Outcome, compare_number, to_fraction
from grader.numbers.parse import ParsedNumber, ParseProblem, parse_number
from grader.numbers.question import Question, Sheet, readings

_MOST_GIVEN = 4
"""Of the nearest earlier numbers, how many are tried in every combination; all of them together are tried too."""
_MOST_SLACK = Fraction(1, 100)


@dataclass(frozen=True, slots=True)
class Given:
    """An earlier number of the student's that differs from the right one."""

    question: Question
    parsed: ParsedNumber
    sound: bool
    """True where it is right, only rounded."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A value that follows from some of the student's own numbers."""

    value: Fraction
    """In base units."""
    given: tuple[Given, ...]

    @property
    def sound(self) -> bool:
        """True where all of them are right, only rounded."""
        return all(g.sound for g in self.given)

    @property
    def keys(self) -> str:
        return " and ".join(g.question.key for g in self.given)

    @property
    def shown(self) -> str:
        return " and ".join(f"{g.question.key} = {g.parsed.text}" for g in self.given)

    def slack(self) -> Tolerance:
        """What the printed digits of the earlier numbers leave open: the student may have gone on with more."""
        parts = (g.parsed.last_place / 2 / abs(g.parsed.value) for g in self.given if g.parsed.value)
        return Tolerance(
            "printed digits of the earlier numbers", float(min(sum(parts, Fraction(0)), _MOST_SLACK))
        )


def carried_values(question: Question, sheet: Sheet) -> list[Carried]:
    """Every value that follows from the student's own earlier numbers, from all of them to one alone."""
    carried: dict[Fraction, Carried] = {}
    for chosen in _choices(list(_given(question, sheet))):
        value = _follow(question, chosen, sheet)
        if value is not None and value != question.expected:
            kept = carried.get(value)
            if kept is None or len(chosen) < len(kept.given):
                carried[value] = Carried(value, chosen)
    return list(carried.values())


def _choices(given: list[tuple[Given, ...]]) -> Iterator[tuple[Given, ...]]:
    """Which of the earlier numbers to go on with, in which of their readings."""
    if len(given) > _MOST_GIVEN:
        yield tuple(alternatives[0] for alternatives in given)
        yield tuple(alternatives[-1] for alternatives in given)
    near = given[:_MOST_GIVEN]
    for size in range(len(near), 0, -1):
        for chosen in combinations(near, size):
            yield from product(*chosen)


def _given(question: Question, sheet: Sheet) -> Iterator[tuple[Given, ...]]:
    """The answered numbers that this one follows from, the nearest first, except those exactly right.

    A wrong one has a second reading where it is written without a unit, and would be nearer in another.
    """
    seen: set[str] = set()
    pending = list(question.quantity.inputs)
    while pending:
        id = pending.pop(0)
        if id in seen:
            continue
        seen.add(id)
        pending.extend(sheet.quantities[id].inputs)
        earlier = sheet.question(id)
        answer = sheet.answers.get(earlier.key) if earlier else None
        if earlier is None or answer is None or answer.status is not Found.FOUND:
            continue
        parsed = parse_number(answer.value, earlier.due)
        if isinstance(parsed, ParseProblem) or not parsed.value:
            continue  # nothing is carried forward from 0: every product of it is 0, with no work behind it
        outcome, meant = _as_meant(parsed, earlier)
        if outcome is not Outcome.EXACT:
            yield tuple(Given(earlier, reading, sound=outcome is not Outcome.WRONG) for reading in meant)


def _as_meant(parsed: ParsedNumber, question: Question) -> tuple[Outcome, tuple[ParsedNumber, ...]]:
    """The reading that is right, if there is one; else the plain one, and the one nearest to what is right."""
    ways = tuple(readings(parsed, question))
    for reading in ways:
        outcome = compare_number(reading, question.expected, question.tolerance, unit=question.due).outcome
        if outcome is not Outcome.WRONG:
            return outcome, (reading,)
    nearest = min(ways, key=lambda reading: _times_off(reading.value, question.expected))
    return Outcome.WRONG, (parsed,) if nearest is parsed else (parsed, nearest)


def _times_off(value: Fraction, expected: Fraction) -> Fraction:
    """By which factor a number is off, either way; at least 1."""
    ratio = abs(value / expected) if expected else Fraction(1)
    return max(ratio, 1 / ratio) if ratio else ratio


def _follow(question: Question, chosen: tuple[Given, ...], sheet: Sheet) -> Fraction | None:
    try:
        given = {g.question.quantity.id: Bounded(g.parsed.value / g.question.native.factor) for g in chosen}
        return Fraction(
            to_fraction(evaluate(sheet.quantities, question.quantity.id, given)) * question.native.factor
        )
    except Exception:  # whatever an author's formula makes of a number that it was not written for
        return None  # nothing follows: a logarithm of a negative probability, a division by zero
