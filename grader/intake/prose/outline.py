"""Which question a heading or the number of a paragraph stands for: "2.1 (a)", "4.5.1", "Q4(e)(i)", "Part 4c", "4.c".

The parts of an assignment ("2a" … "4e3") are a tree. A report numbers in its own way; a number is taken for a part only
where it leads to one that exists, and where the words of the heading do not speak for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.intake.prose.words import contains

Path = tuple[str, ...]
"""("4", "e", "1"); () where it is not known."""

_KEYWORD = (
    r"(?:for |answer(?: to)? |solution(?: to)? |ad )?(?:question|part|task|exercise|problem|section|sec\.|aufgabe|teil"
    r"|sub-?question|sub-?part|answer|solution|q\.?|ex\.?|§)"
)
_START = re.compile(rf"\s*(?:(?P<keyword>{_KEYWORD})(?![a-z]{{2}}|s\b))?\s*(?=[0-9(\[a-z])", re.IGNORECASE)
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8"}
_PIECE = re.compile(
    r"(?P<open>[(\[])?\s{0,2}(?P<what>[0-9]{1,2}|viii|vii|vi|iv|iii|ii|[a-z])(?P<close>\s{0,2}[)\]])?",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s{0,2}[.\-–/]?\s{0,2}")
_WHOLE = re.compile(r"\s*[(\[]([0-9][^()\[\]]?[^\s()\[\]]{0,4}(?:\([0-9a-z]{1,3}\)){0,2})[)\]][\s.:–—-]*")
_MOST = 5


@dataclass(frozen=True, slots=True)
class Number:
    """The number that a line begins with."""

    pieces: tuple[str, ...]
    """("2", "1", "a"); letters small, roman numbers as written."""
    end: int
    """Where the text after it begins."""
    keyword: bool
    """"Question", "Part" … stands before it."""
    bracketed: bool
    """Its last piece is in brackets or closed by one."""


def read_number(text: str) -> Number | None:
    """The number at the beginning of `text`; None where there is none. Brackets around all of it, "(2d)", count."""
    if whole := _WHOLE.match(text):
        inside = read_number(whole[1])
        if inside is not None and inside.end >= len(whole[1]):
            return Number(inside.pieces, whole.end(), inside.keyword, True)
    start = _START.match(text)
    if start is None:
        return None
    pieces: list[str] = []
    at, end, bracketed = start.end(), start.end(), False
    while len(pieces) < _MOST and (piece := _PIECE.match(text, at)):
        after = text[piece.end() : piece.end() + 1]
        if piece["open"] and not piece["close"]:
            break
        if not piece["close"] and (after.isalpha() if piece["what"].isalpha() else after.isdigit()):
            break
        if piece["what"].isupper() and not pieces and not start["keyword"]:
            break  # "A: 8 × 6144" is a matrix
        pieces.append(piece["what"].lower())
        end, bracketed = piece.end(), bool(piece["close"])
        gap = _BETWEEN.match(text, end)
        assert gap is not None
        at = gap.end()
        if " " in gap[0] and text[at : at + 1] not in ("(", "[") and not _PIECE_CLOSED.match(text, at):
            break
    if not pieces or not _ends_well(text, end, bracketed):
        return None
    gap = re.compile(r"[\s.:)\]–—⇒-]*").match(text, end)
    assert gap is not None
    return Number(tuple(pieces), gap.end(), bool(start["keyword"]), bracketed)


_PIECE_CLOSED = re.compile(r"(?:[0-9]{1,2}|viii|vii|vi|iv|iii|ii|[a-z])\s?\)", re.IGNORECASE)
_WHICH = r"(?:question|part|task|section|exercise|problem|q)\.?"
_NAMED = re.compile(
    rf"\(\s*(?:{_WHICH}\s*)?(?P<lettered>[0-9]{{1,2}}\.?[a-z](?:[.(]?[0-9ivx]{{1,4}}\)?)?)\s*\)"
    rf"|\b{_WHICH}\s+(?P<named>[0-9]{{1,2}}(?:[.a-z][0-9a-z.()]{{0,6}})?)\s*\)?[.:?!]?$",
    re.IGNORECASE,
)


def named_in(text: str) -> Number | None:
    """The number that a heading names behind its words: "Implementation (Section 2)", "How far off are you (2c)?"."""
    found = _NAMED.search(text[-120:])
    if found is None:
        return None
    written = found["lettered"] or found["named"]
    number = read_number(written)
    return number if number is not None and number.end >= len(written) else None


def _ends_well(text: str, end: int, bracketed: bool) -> bool:
    """No letter and no digit goes on behind it: "4 GB" and "3.5" begin with no number of a question."""
    return bracketed or end >= len(text) or not (text[end].isalnum() or text[end] in "%_^")


class Outline:
    """The parts of an assignment, and what their headings are called."""

    def __init__(self, parts: Iterable[str], titles: Mapping[str, Sequence[str]]) -> None:
        """titles: phrases by part or section, ("4c", "4")."""
        self.paths = {part: path_of(part) for part in parts}
        self._known = {path[:n] for path in self.paths.values() for n in range(1, len(path) + 1)}
        self._titles = {path_of(part): tuple(phrases) for part, phrases in titles.items()}
        self.chapters = True

    def parts_at(self, path: Path) -> frozenset[str]:
        """The parts at and below a path."""
        return frozenset(part for part, whole in self.paths.items() if whole[: len(path)] == path)

    def resolve(self, number: Number, current: Path, *, heading: bool = True) -> Path | None:
        """The path that a number leads to from where the report is, None where it leads to none.

        heading: False for the number of an item or a sentence, which by itself is no number of a section.
        """
        pieces = number.pieces
        lone = len(pieces) == 1 and not number.keyword and not heading
        if (
            pieces[0].isdigit()
            and (pieces[0],) in self._known
            and not lone
            and self._absolute(number, current)
        ):
            section, rest = (pieces[0],), pieces[1:]
            whole = self._walk(section, rest)
            if whole is None and len(rest) > 1 and rest[0].isdigit() and not rest[1].isdigit():
                by_letter, finer = self._walk(section, rest[1:]), self._finer(section, rest)
                if by_letter and finer and by_letter != finer:
                    return by_letter if self.chapters else finer
                whole = by_letter
            return whole or self._finer(section, rest)
        lowest = self._lowest(pieces[0], current)
        for depth in range(len(current), lowest - 1, -1):
            if path := self._walk(current[:depth], pieces):
                return path
        return None

    @staticmethod
    def _lowest(piece: str, current: Path) -> int:
        """How far up a number without its section may lead: a letter to any question of the section; "2." and "(ii)"
        only to a part of the question at hand, or the next one, for lists are numbered so too."""
        if len(piece) == 1 and piece.isalpha():
            return 1
        return max(1, len(current) - 1 if current and current[-1].isdigit() else len(current))

    def learn(self, numbers: Iterable[Number]) -> None:
        """Whether "2.1 (a)", "2.2 (d)" count letters through a section: then 2.1 is a chapter, the letter the question.

        Where a letter comes twice, as in "4.3 (a)", "4.4 (a)", it stands for a step of a question instead.
        """
        seen: list[tuple[str, str]] = []
        for number in numbers:
            if len(number.pieces) > 2 and number.pieces[1].isdigit() and not number.pieces[2].isdigit():
                seen.append((number.pieces[0], number.pieces[2]))
        self.chapters = len(set(seen)) == len(seen)

    def _absolute(self, number: Number, current: Path) -> bool:
        """Whether its first piece is a section, not an item below the current question."""
        if len(number.pieces) > 1 or number.keyword:
            return True
        return not any((*current[:n], number.pieces[0]) in self._known for n in range(2, len(current) + 1))

    def _walk(self, base: Path, pieces: Sequence[str]) -> Path | None:
        if not pieces:
            return base
        for step in self._readings(pieces[0], base):
            if (*base, step) in self._known and (found := self._walk((*base, step), pieces[1:])) is not None:
                return found
        return None

    def _finer(self, base: Path, pieces: Sequence[str]) -> Path | None:
        """The part that a number finer than the parts are belongs to: "4c (ii)" is in 4c."""
        for n in range(len(pieces) - 1, 0, -1):
            if (path := self._walk(base, pieces[:n])) in self.paths.values():
                return path
        return None

    @staticmethod
    def _readings(piece: str, base: Path) -> list[str]:
        """A letter and a number can stand for each other: 4.5 is 4e, (i) is 1."""
        out = [piece]
        if piece in _ROMAN:
            out.append(_ROMAN[piece])
        if piece.isdigit() and 0 < int(piece) <= 26:
            out.append(chr(96 + int(piece)))
        elif len(piece) == 1 and piece.isalpha():
            out.append(str(ord(piece) - 96))
        return out

    def by_title(self, text: str) -> list[Path]:
        """The paths whose declared words stand in a heading, the longest first."""
        found = [path for path, phrases in self._titles.items() if contains(text, phrases)]
        return sorted(found, key=len, reverse=True)

    def speaks_for_other_section(self, text: str, section: str) -> bool:
        """Whether the words of a heading are those of another section, and not of this one."""
        sections = {path[0] for path in self.by_title(text)}
        return bool(sections) and section not in sections


def path_of(part: str) -> Path:
    """("4", "e", "1") for "4e1"."""
    return tuple(re.findall(r"[0-9]+|[a-z]", part.lower()))
