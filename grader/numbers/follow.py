"""Error carried forward: what follows from a student's own earlier numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
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
_MOST_SLACK = Tolerance("printed digits of the earlier numbers", 0.02)
"""Of the value: more would carry forward what has nothing to do with the earlier number."""


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
    spread: Callable[[], Fraction]
    """By how much the printed digits of those leave the value open, either way, in base units: takes a while."""

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

    def explains_loosely(self, parsed: ParsedNumber) -> bool:
        """Whether it is this value as far as the printed digits of the earlier numbers tell: the student may have gone
        on with more."""
        if compare_number(parsed, self.value, _MOST_SLACK).outcome is Outcome.WRONG:
            return False
        share = self.spread() / abs(self.value) if self.value else Fraction(0)
        slack = Tolerance(_MOST_SLACK.why, min(float(share), _MOST_SLACK.relative))
        return compare_number(parsed, self.value, slack).outcome is not Outcome.WRONG


def carried_values(question: Question, sheet: Sheet) -> list[Carried]:
    """Every value that follows from the student's own earlier numbers, from all of them to one alone."""
    carried: dict[Fraction, Carried] = {}
    for chosen in _choices(list(_given(question, sheet))):
        value = _follow(question, chosen, sheet)
        if value is not None and value != question.expected:
            kept = carried.get(value)
            if kept is None or len(chosen) < len(kept.given):
                carried[value] = Carried(value, chosen, partial(_spread, question, chosen, value, sheet))
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


def _spread(question: Question, chosen: tuple[Given, ...], value: Fraction, sheet: Sheet) -> Fraction:
    """How far the value moves, at most, as each of the numbers moves by half a unit of its last digit."""
    moved = Fraction(0)
    for place, given in enumerate(chosen):
        ends = (given.parsed.value + sign * given.parsed.last_place / 2 for sign in (-1, 1))
        nearby = (
            _follow(question, (*chosen[:place], _moved_to(given, end), *chosen[place + 1 :]), sheet)
            for end in ends
        )
        moved += max((abs(found - value) for found in nearby if found is not None), default=Fraction(0))
    return moved


def _moved_to(given: Given, value: Fraction) -> Given:
    """The same number, a little larger or smaller."""
    return replace(given, parsed=replace(given.parsed, value=value))


def _follow(question: Question, chosen: tuple[Given, ...], sheet: Sheet) -> Fraction | None:
    try:
        given = {g.question.quantity.id: Bounded(g.parsed.value / g.question.native.factor) for g in chosen}
        return Fraction(
            to_fraction(evaluate(sheet.quantities, question.quantity.id, given)) * question.native.factor
        )
    except Exception:  # whatever an author's formula makes of a number that it was not written for
        return None  # nothing follows: a logarithm of a negative probability, a division by zero
