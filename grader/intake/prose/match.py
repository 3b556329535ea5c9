"""Claims -> answers: which number of a report is the answer to which question.

Every claim is weighed for every key by where it stands, its unit, and the words that stand with it; never by its
value. An answer is taken where one claim, in all its forms, is ahead of every other that says something else. Steps on
the way to it are left out: a number from which a later one is computed is no result. All else is for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.intake.prose.amounts import near, same
from grader.intake.prose.claims import Claim
from grader.intake.prose.questions import AnswerWords, Questions
from grader.intake.prose.reading import Read
from grader.intake.prose.weigh import Candidate, given_numbers, weigh
from grader.intake.prose.words import contains

_AHEAD = 1.0
"""By so much the weight of the best claim has to be above that of one that says something else."""
_ENOUGH = 3.0
_EARLY = Fraction(1, 1000)
"""Two numbers of one formula within this share of each other are one, rounded on the way."""
MOST_CANDIDATES = 6


@dataclass(frozen=True, slots=True)
class Match:
    """What became of one question."""

    key: str
    candidates: tuple[Candidate, ...]
    """One: the answer. Several: a person has to say. None: nothing was found."""
    sure: bool
    why: str = ""
    """Why a person has to look, where not sure."""


def match(questions: Questions, claims: Sequence[Claim]) -> dict[str, Match]:
    """What was found for every number and shape that is declared."""
    asked = [answer for answer in questions.answers if answer.kind != "text"]
    kept = _one_key_each(_with_sources(asked, weigh(questions, claims)))
    return _one_value_each(
        asked, {answer.key: _decide(answer, kept[answer.key], questions) for answer in asked}
    )


def _one_value_each(asked: Sequence[AnswerWords], found: dict[str, Match]) -> dict[str, Match]:
    """A number that no word calls the answer to a question, and that is the answer to another one, is for a person."""
    out = dict(found)
    for answer in asked:
        own = found[answer.key]
        if not own.sure or answer.needs or contains(own.candidates[0].claim.near, answer.words):
            continue
        section = answer.part[:1]
        others = (m for m in found.values() if m is not own and m.sure and m.key[:1] == section)
        if any(_agree(own.candidates[0], other.candidates[0]) for other in others):
            out[answer.key] = Match(
                answer.key, own.candidates, False, "The same number is the answer to another question."
            )
    return out


def _with_sources(
    asked: Sequence[AnswerWords], found: Mapping[str, list[Candidate]]
) -> dict[str, list[Candidate]]:
    """A claim whose formula uses an earlier answer is the more likely to be what comes of it."""
    out: dict[str, list[Candidate]] = {}
    for answer in asked:
        sources = [c for key in answer.comes_from for c in found[key]]
        numbers = [read.number for c in sources for read in c.reads if read.number]
        kept: list[Candidate] = []
        for candidate in found[answer.key]:
            operands = [f for form in candidate.claim.forms for f in form.expression]
            uses = any(
                near(operand.plain, number.value, Fraction(1, 10**6))
                or (
                    number.unit.factor != 1 and near(operand.plain, number.value / number.unit.factor, _EARLY)
                )
                for operand in operands
                for number in numbers
            )
            kept.append(
                Candidate(candidate.claim, candidate.reads, candidate.weight + 1.5) if uses else candidate
            )
        out[answer.key] = kept
    return out


def _one_key_each(found: Mapping[str, list[Candidate]]) -> dict[str, list[Candidate]]:
    """A claim answers the question for which it weighs most; where two weigh the same, it stays with both.

    Unless it is the only one for one of them: then it is that one's answer, and not the other's.
    """
    best: dict[int, float] = {}
    for candidates in found.values():
        for candidate in candidates:
            which = id(candidate.claim)
            best[which] = max(best.get(which, 0.0), candidate.weight)
    kept = {
        key: [c for c in candidates if c.weight > best[id(c.claim)] - _AHEAD / 2]
        for key, candidates in found.items()
    }
    settled = {
        id(candidates[0].claim): key
        for key, candidates in kept.items()
        if len(candidates) == 1 and candidates[0].weight >= _ENOUGH
    }
    for key, candidates in kept.items():
        free = [c for c in candidates if settled.get(id(c.claim), key) == key]
        if free and free[0].weight >= _ENOUGH:
            kept[key] = free
    return kept


def _decide(answer: AnswerWords, kept: list[Candidate], questions: Questions) -> Match:
    if not kept:
        return Match(answer.key, (), False)
    top = max(candidate.weight for candidate in kept)
    if top < _ENOUGH:
        weak = tuple(sorted(kept, key=lambda c: -c.weight)[:MOST_CANDIDATES])
        return Match(answer.key, weak, False, "No sentence says clearly that this is the answer.")
    ahead = [c for c in kept if c.weight > top - _AHEAD]
    results = _without_steps(ahead, given_numbers(answer, questions))
    groups = _groups(results)
    shown = tuple(sorted((group[0] for group in groups), key=lambda c: -c.weight)[:MOST_CANDIDATES])
    if len(groups) > 1:
        return Match(
            answer.key,
            shown,
            False,
            "The report says more than one thing, or it is not clear which is meant.",
        )
    group = groups[0]
    chosen = max(
        group, key=lambda c: (c.best.sure, c.best.explicit, c.best.number.digits if c.best.number else 0)
    )
    if chosen.claim.conflict:
        return Match(
            answer.key, _conflicting(chosen), False, "Numbers that are set equal there are not equal."
        )
    if not chosen.best.sure:
        return Match(answer.key, (chosen,), False, "Its digits or its unit can be read in more than one way.")
    return Match(answer.key, (chosen,), True)


def _conflicting(candidate: Candidate) -> tuple[Candidate, ...]:
    """One candidate for each of the forms that disagree."""
    kept: list[Read] = []
    for read in candidate.reads:
        if not any(k.number and read.number and same(k.number, read.number) for k in kept):
            kept.append(read)
    return tuple(Candidate(candidate.claim, (read,), candidate.weight) for read in kept)


def _without_steps(candidates: list[Candidate], given: frozenset[Fraction]) -> list[Candidate]:
    """Without those that only lead to another: it stands in that one's formula, or gives it with a given number."""
    out = [
        c
        for c in candidates
        if not any(
            other is not c and other.claim.order > c.claim.order and _leads_to(c, other, candidates, given)
            for other in candidates
        )
    ]
    return out or candidates


def _leads_to(
    step: Candidate, result: Candidate, candidates: Sequence[Candidate], given: frozenset[Fraction]
) -> bool:
    if _agree(step, result):
        return False
    a, b = step.best.number, result.best.number
    if a is None or b is None or not a.value:
        return False
    for form in result.claim.forms:
        for operand in form.expression:
            if near(operand.plain, a.value, Fraction(1, 10**6)):
                return True
    ratio = b.value / a.value
    if any(near(ratio, number, Fraction(1, 10**4)) for number in given if number > 1):
        return True
    rest = b.value - a.value
    others = [r.number.value for c in candidates for r in c.reads if r.number] + list(given)
    return rest > 0 and any(rest == number for number in others)


def _groups(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Candidates that say the same, together."""
    groups: list[list[Candidate]] = []
    for candidate in sorted(candidates, key=lambda c: -(c.best.number.digits if c.best.number else 0)):
        home = next((group for group in groups if _agree(group[0], candidate)), None)
        if home is None:
            groups.append([candidate])
        else:
            home.append(candidate)
    return groups


def _agree(one: Candidate, other: Candidate) -> bool:
    """Whether any form of one is any form of the other, to the digits printed."""
    for a in one.reads:
        for b in other.reads:
            if a.number is None or b.number is None:
                if a.form.value == b.form.value:
                    return True
            elif same(a.number, b.number):
                return True
    return False
