"""Answers in words: the text of a report under the heading of a question; and the labels of texts to predict."""

from __future__ import annotations

from collections.abc import Sequence

from grader.intake.prose.claims import one_line
from grader.intake.prose.outline import path_of
from grader.intake.prose.questions import AnswerWords, LabelWords
from grader.intake.prose.statements import Statement, Table
from grader.intake.prose.words import contains, where, words_of
from grader.written import Reading, WrittenAnswer

_FEWEST_WORDS = 6
"""A text of fewer words is no answer in words."""
_LONGEST = 20_000


def read_passage(answer: AnswerWords, said: Sequence[Statement | Table]) -> WrittenAnswer | None:
    """All sentences under the question, as one text; None where there are none.

    Where no heading leads to the question, the sentences that speak of what it is about, with a note that says so.
    """
    part = path_of(answer.part)
    prose = [item for item in said if isinstance(item, Statement) and not item.printed]
    own = [item for item in prose if item.path == part]
    notes: tuple[str, ...] = ()
    if not _enough(own):
        own = [s for s in prose if part[: len(s.path)] == s.path and contains(s.text, answer.about)]
        notes = (
            "No heading leads to this question: these are the sentences of the report that speak of it.",
        )
    if not _enough(own):
        return None
    text = "\n".join(item.text.replace("\n", " ").strip() for item in own)[:_LONGEST]
    return WrittenAnswer((Reading(text, own[0].places[0][1], one_line(own[0].text)),), notes)


def _enough(said: Sequence[Statement]) -> bool:
    return sum(len(item.text.split()) for item in said) >= _FEWEST_WORDS


def read_labels(labels: LabelWords, said: Sequence[Statement | Table]) -> WrittenAnswer | None:
    """The labels in their order, where just as many are named as there are texts.

    A sentence under another heading, or under none, that names as many may list the classes instead: for a person.
    """
    part = path_of(labels.part)
    found: list[tuple[str, str, str]] = []
    for item in said:
        if item.path != part:
            continue
        if isinstance(item, Table):
            for cells, place in zip(item.rows, item.places, strict=True):
                named = [name for cell in cells for name in _named(cell, labels) if len(words_of(cell)) <= 3]
                found += [(name, place, one_line(" | ".join(cells))) for name in named]
        else:
            found += [(name, item.places[0][1], one_line(item.text)) for name in _named(item.text, labels)]
    if not found:
        return _elsewhere(labels, said)
    _, place, sentence = found[0]
    value = "\n".join(name for name, _, _ in found)
    if len(found) == labels.count:
        return WrittenAnswer((Reading(value, place, sentence),))
    why = f"{len(found)} labels are named there, and {labels.count} are due: it is not clear which text each is for."
    return WrittenAnswer((Reading(value, place, sentence),), (why,), sure=False)


def _elsewhere(labels: LabelWords, said: Sequence[Statement | Table]) -> WrittenAnswer | None:
    section = path_of(labels.part)[:1]
    readings = []
    for item in said:
        if isinstance(item, Statement) and item.path[:1] in ((), section):
            named = _named(item.text, labels)
            if len(named) == labels.count == len(set(named)):
                readings.append(Reading("\n".join(named), item.places[0][1], one_line(item.text)))
    if not readings:
        return None
    why = "No heading leads to this question: a person has to say whether these are the labels of the texts."
    return WrittenAnswer(tuple(readings[:6]), (why,), sure=False)


def _named(text: str, labels: LabelWords) -> list[str]:
    """The labels that stand in a text, in their order."""
    words = words_of(text)
    out: list[str] = []
    at = 0
    while at < len(words):
        places = {name: where(words[at:], name.removesuffix("s")) for name in labels.names}
        near = [(place, name) for name, place in places.items() if place is not None]
        if not near:
            break
        place, name = min(near)
        out.append(name)
        at += place + len(words_of(name))
    return out
