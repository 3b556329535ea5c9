"""Phrases that an assignment declares, found in the words of a report.

A phrase is a few words: "score matrix". Each stands for every word that begins so ("matrix" for "matrix" and
"matrix-multiplied", "element" for "elements"); numbers, single letters and words after "=" ("=mat") are meant exactly;
"…" stands for up to four words between. Case, hyphens, underscores and brackets do not matter: "N_1" is "n 1".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_]+|[0-9][0-9,.]*[0-9]|[0-9]|∑|‖|%")
_SHORT = 2
"""Words of at most so many letters are meant exactly."""
_GAP = 4


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """The words and numbers of a text, in small letters, numbers without separators."""
    return tuple(re.sub(",", "", word).casefold() for word in _WORD.findall(text))


@lru_cache(maxsize=1024)
def _phrase(phrase: str) -> tuple[str, ...]:
    out: list[str] = []
    for piece in phrase.split():
        if piece == "…":
            out.append(piece)
        elif piece.startswith("="):
            out += [f"={word}" for word in words_of(piece[1:])]
        else:
            out += words_of(piece)
    return tuple(out)


def contains(text: str, phrases: Iterable[str]) -> bool:
    """Whether one of the phrases stands in the text."""
    return where(words_of(text), phrases) is not None


def where(words: Sequence[str], phrases: Iterable[str]) -> int | None:
    """The place of the first word of the first phrase found, the earliest in the text; None where none is there."""
    found = [at for phrase in phrases if (at := _find(words, _phrase(phrase))) is not None]
    return min(found, default=None)


def _find(words: Sequence[str], phrase: tuple[str, ...]) -> int | None:
    for start in range(len(words)):
        if _fits(words, start, phrase):
            return start
    return None


def _fits(words: Sequence[str], at: int, phrase: tuple[str, ...]) -> bool:
    for i, piece in enumerate(phrase):
        if piece == "…":
            rest = phrase[i + 1 :]
            return any(_fits(words, at + gap, rest) for gap in range(_GAP + 1))
        if at >= len(words) or not _same(words[at], piece):
            return False
        at += 1
    return bool(phrase)


def _same(word: str, piece: str) -> bool:
    if piece.startswith("="):
        return word == piece[1:]
    if len(piece) <= _SHORT or piece[0].isdigit():
        return word == piece
    return word.startswith(piece)
