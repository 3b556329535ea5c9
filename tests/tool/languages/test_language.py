"""Saying a finished sentence in another language: its values as they are, and nothing of a student's touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import UnknownName
from grader.languages import ENGLISH, Language, Untranslated, chosen, known_languages, language
from grader.languages.catalogue import catalogue_of
from grader.languages.pattern import pattern
from scripts.messages import ROOT

COURSEWORK = ROOT / "tests" / "transformer"


@pytest.fixture(scope="module")
def zh() -> Language:
    return language("zh", COURSEWORK)


@pytest.fixture
def small(tmp_path: Path) -> Language:
    """A language of a few words."""
    file = tmp_path / "xx.po"
    entries = {
        "It returned {kind}; a tensor{of_shape} is due.": "{kind!t} came, not a tensor{of_shape!t}",
        "a list of {n}": "LIST({n})",
        " of shape {shape}": "/{shape}",
        "{n} file{s} of {all} are broken.": "BROKEN {n}/{all}{s!-}",
        "{a} and {b}": "BOTH {a} {b}",
        "Known as it is.": "KNOWN.",
    }
    file.write_text("".join(f'msgid "{a}"\nmsgstr "{b}"\n\n' for a, b in entries.items()), "utf-8")
    return Language("xx", catalogue_of([file]))


def test_phrases_within_sentences(small: Language) -> None:
    said = small.say("It returned a list of 3; a tensor of shape (1, 2) is due.")
    assert said == "LIST(3) came, not a tensor/(1, 2)"
    assert small.say("It returned a Foo; a tensor is due.") == "a Foo came, not a tensor"


def test_what_no_message_fits_stays_and_says_so(small: Language) -> None:
    for text in ("Nobody said this.", "you and me", "It returned 3; a tensor is due", ""):
        said = small.say(text)
        assert said == text
        assert isinstance(said, Untranslated) == bool(text)


def test_only_an_ending_is_left_out(small: Language) -> None:
    assert small.say("3 files of 9 are broken.") == "BROKEN 3/9"
    assert (
        small.say("3 files and two more words of 9 are broken.")
        == "3 files and two more words of 9 are broken."
    )


def test_several_sentences(small: Language) -> None:
    said = small.say("Known as it is. This is not. 1 file of 2 are broken.")
    assert said == "KNOWN. This is not. BROKEN 1/2"


def test_values_are_found_from_the_left_and_keep_their_brackets() -> None:
    assert pattern("{a}, {b}: {c}").match("f(1, 2: 3), x: y: z") == {"a": "f(1, 2: 3)", "b": "x", "c": "y: z"}
    assert pattern("{a}, {b}").match("((, x") == {"a": "((", "b": "x"}
    assert pattern("a{b}a").match("a") is None
    assert pattern("{{n}} is {n}").match("{n} is 3") == {"n": "3"}


@pytest.mark.parametrize("message", ["{}", "{0}", "{a.b}", "{a:3}", "{a!r}", "{a"])
def test_other_placeholders_are_refused(message: str) -> None:
    with pytest.raises(ValueError, match=r"placeholder|expected|field|Single"):
        pattern(message)


def test_a_text_of_a_student_cannot_make_it_search_for_long(
    zh: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Searches are counted, not seconds: as many for a text made of separators as for any text of its length."""
    searches = 0
    find = type(zh.catalogue).find

    def counted(*given: object) -> object:
        nonlocal searches
        searches += 1
        return find(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(type(zh.catalogue), "find", counted)
    for text in (
        ", " * 3_900,
        "a: " * 2_600,
        "( [ " * 1_900,
        "A. " * 2_600,
        "x and y; or: " * 500,
        "z" * 9_000,
    ):
        assert zh.phrase(text) == text
        assert zh.say(text) == text
    assert searches < 500


def test_the_languages() -> None:
    assert known_languages() == ("en", "zh")
    assert language("en") is ENGLISH
    assert ENGLISH.say("As it is.") == "As it is."
    assert ENGLISH("{n} of {all}", n=1, all=2) == "1 of 2"
    with pytest.raises(UnknownName, match="no language 'zz'"):
        language("zz")


def test_the_option_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADE_LANG", raising=False)
    assert chosen(None) == "en"
    monkeypatch.setenv("GRADE_LANG", "zh")
    assert chosen(None) == "zh"
    assert chosen("en") == "en"


def test_chinese(zh: Language) -> None:
    assert zh.say("Your code ran out of memory (attention.py, line 3): it asked for 12.0 GB at once.") == (
        "你的代码耗尽了内存（attention.py，第 3 行）：它一次就要求 12.0 GB。"
    )
    assert zh.say("4e1.trainable is the text 'nine million', and a number is due.") == (
        "4e1.trainable 是文本 'nine million'，而应为一个数。"
    )
    assert zh.say("There is no part '9z'.") == "没有部分 '9z'。"
    assert zh.phrase("report.pdf, page 3") == "report.pdf、第 3 页"
    assert zh.phrase("0.8984 (115/128) and 0.9062 (116/128)") == "0.8984 (115/128)和0.9062 (116/128)"
    for number in ("[1, 2, 3, 4]", "1,234.5", "0.8750, 0.8984", "1e-3"):  # one notation in every language
        assert zh.phrase(number) == number
    assert zh("{day} {month} {year}, {time}", day=5, month=zh("May"), year=2026, time="09:00") == (
        "2026 年 5 月 5 日 09:00"
    )
