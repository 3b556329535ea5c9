"""Phrases that an assignment declares, found in the words of a report.

A phrase is a few words: "score matrix". Each stands for every word that begins so ("matrix" for "matrix" and
"matrices" needs "matri", "element" stands for "elements"); numbers, words of at most two letters and words after "="
("=mat") are meant exactly; "…" stands for up to four words between. Case, hyphens, underscores and brackets do not
matter: "N_1" is "n 1".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_]+|[0-9][0-9,.]*[0-9]|[0-9]|∑|‖|%")
_SHORT = 2
"""Words of at most so many letters are meant exactly."""
_GAP = 4


def words_of(text: str) -> tuple[str, ...]:
    """The words and numbers of a text, in small letters, numbers without separators."""
    return tuple(word.replace(",", "").casefold() for word in _WORD.findall(text))


@lru_cache(maxsize=4096)
def spaced(text: str) -> str:
    """The same as one text, a space before and after each word."""
    return f" {' '.join(words_of(text))} "


def contains(text: str, phrases: Iterable[str]) -> bool:
    """Whether one of the phrases stands in the text."""
    return stands_in(spaced(text), phrases)


def stands_in(words: str, phrases: Iterable[str]) -> bool:
    """The same for the words of a text, as `spaced` gives them."""
    pattern = _pattern(tuple(phrases))
    return pattern is not None and pattern.search(words) is not None


def where(words: Iterable[str], phrase: str) -> int | None:
    """The place of the first word of a phrase among the words; None where it is not there."""
    text = f" {' '.join(words)} "
    pattern = _pattern((phrase,))
    found = pattern.search(text) if pattern else None
    return text.count(" ", 0, found.start()) if found else None


@lru_cache(maxsize=1024)
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str] | None:
    """All phrases as one pattern over words set apart by single spaces; each part of it reads forward only."""
    alternatives = [_alternative(phrase) for phrase in phrases]
    return re.compile("|".join(alternatives)) if alternatives else None


def _alternative(phrase: str) -> str:
    out = ""
    for piece in phrase.split():
        if piece == "…":
            out += f"(?: [^ ]+){{0,{_GAP}}}?"
            continue
        for word in words_of(piece):
            exact = piece.startswith("=") or len(word) <= _SHORT or word[0].isdigit()
            out += f" {re.escape(word)}" + ("(?= )" if exact else "[^ ]*(?= )")
    return out or "(?!)"
