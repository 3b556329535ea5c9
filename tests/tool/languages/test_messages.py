"""The catalogues: complete, not stale, and filled with the values that the messages have."""

from __future__ import annotations

import polib
import pytest

from scripts import messages
from scripts.messages import ROOT, SOURCES, Source, collect, misfilled
from scripts.sentences import merged, messages_of, messages_of_template


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.catalogues)
def test_every_message_has_its_translation(source: Source) -> None:
    """After a new message: `python -m scripts.messages`, then translate what it names in the .po files."""
    found = collect(source)
    catalogues = sorted((ROOT / source.catalogues).glob("*.po"))
    assert catalogues
    assert len(found.found) > 100
    problems = [
        problem for file in catalogues for problem in messages.problems_of(polib.pofile(str(file)), found)
    ]
    assert not problems


def test_sentences_and_phrases_are_read_off_the_code() -> None:
    code = '''
"""No docstring."""
WORDS = "one"
raise ValueError("no student sees an error of the grader")
raise Failed(f"{n} of {len(all_)} values are {'not ' if x else ''}finite.", "Look at " "the second line.")
Mistake("id", "The mask has no effect", "A belief is nobody's business.", "Print the mask.")
note = "batches" + f" of {size} texts"
line = "yours"  # message
code = "self.dropout = nn.Dropout(p)"
say = words("Asked")
'''
    assert list(messages_of(code)) == [
        "{n} of {all} values are {value}finite.",
        "Look at the second line.",
        "The mask has no effect",
        "Print the mask.",
        "batches of {size} texts",
        "yours",
        "Asked",
    ]
    assert list(messages_of_template('<p>{{ _("Points: {n}", n=3) }} {{ other("no message") }}</p>')) == [
        "Points: {n}"
    ]


def test_values_with_nothing_between_them_are_one() -> None:
    assert merged("{message} {next_step} The figures are taken at their word.") == (
        "The figures are taken at their word."
    )
    assert merged("It raised {said}{at}: {why}") == "It raised {said}: {why}"


def test_a_translation_has_the_values_of_its_message() -> None:
    assert misfilled("{n} texts of {all}", "{all!t} 中的 {n}") is None
    assert misfilled("{n} text{s}", "{n} 条{s!-}") is None
    assert misfilled("{n} text{s}", "{n} 条") == "other placeholders (n)"
    assert misfilled("Yes.", "是{n}。") == "other placeholders (n)"
    assert misfilled("{n} texts", "{n!x} 条") is not None
    assert misfilled("{n} texts", "{n") is not None
