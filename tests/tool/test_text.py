"""Untrusted text is made honest: no command, no invisible character, no reordering, no endless line."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.text import (
    HIDDEN_CATEGORIES,
    INVISIBLE_LETTERS,
    KEPT_CONTROL,
    KEPT_FORMAT,
    PLAIN,
    STORED_LIMIT,
    clean,
    one_line,
    storable,
)

NASTY = st.text(
    st.one_of(
        st.characters(categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Mn")),
        st.sampled_from(list("\x1b\x9b\x9d[]()0;mKJ\x07\\ \n\r\tab")),
        st.characters(),
    ),
    max_size=300,
)


def shows_something(char: str) -> bool:
    return char in KEPT_FORMAT or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(NASTY)
def test_a_block_keeps_nothing_invisible(text: str) -> None:
    assert all(shows_something(char) or char in "\n\t" for char in clean(text))


@given(NASTY)
def test_a_line_is_one_line_and_keeps_nothing_invisible(text: str) -> None:
    line = one_line(text)
    assert all(shows_something(char) for char in line)
    assert line == " ".join(line.split())


@given(NASTY, st.integers(20, 100), st.integers(2, 5))
def test_length_is_capped_and_a_second_cleaning_changes_nothing(text: str, limit: int, lines: int) -> None:
    block, line = clean(text, limit, lines), one_line(text, limit)
    assert len(block) <= limit + 60
    assert block.count("\n") <= lines
    assert clean(block, limit, lines) == block
    assert len(line) <= limit + 60
    assert one_line(line, limit) == line


@given(st.text(st.characters(categories=("L", "Nd", "P", "S")), max_size=200))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    if not any(char in "\u115f\u1160\u3164\uffa0\u2800" for char in text):
        assert clean(text) == text


def test_nothing_that_is_hidden_or_paints_over_others_is_taken_for_plain() -> None:
    plain = [char for char in map(chr, range(sys.maxunicode + 1)) if PLAIN.fullmatch(char)]
    hidden = {char for char in plain if unicodedata.category(char) in HIDDEN_CATEGORIES | {"Mn", "Me"}}
    assert hidden == KEPT_CONTROL
    assert not INVISIBLE_LETTERS & set(plain)
    assert set("aé–“…→≤") <= set(plain)


@given(st.text(st.characters(), max_size=300))
def test_a_stored_text_can_be_written_as_utf8_and_is_else_unchanged(text: str) -> None:
    stored = storable(text)
    stored.encode("utf-8")
    if not any(0xD800 <= ord(char) < 0xE000 for char in text):
        assert stored == text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b2Jgone", "gone"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b\x1b[31m[31m", r"\x1b[31m"),
        ("bell\x07", r"bell\x07"),
        ("exe\u202egnp", r"exe\u202egnp"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("name\udcff", r"name\udcff"),
        ("50 %\r\n100 %\rdone\ttab", "50 %\n100 %\ndone\ttab"),
        ("שלום مرحبا می‌خواهم", "שלום مرحبا می‌خواهم"),
        ("👩‍🔬 ≤ × –", "👩‍🔬 ≤ × –"),
        ("z" + "\u0301" * 50, "z" + "\u0301" * 8),
    ],
)
def test_known_cases(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_a_cut_says_how_much_there_was() -> None:
    assert clean("a" * 10_000_000).endswith("\n… (cut here; 10,000,000 characters in all)")
    assert one_line("a " * 5_000_000).endswith(" … (10,000,000 characters in all)")
    assert clean("line\n" * 1000, lines=3).startswith("line\nline\nline\n… (cut here")
    assert len(storable("a" * 10_000_000)) < STORED_LIMIT + 60
