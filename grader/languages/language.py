"""A language: fixed texts by their English message, finished sentences by the message that they were made from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grader.errors import UnknownName
from grader.languages.catalogue import Catalogue, catalogue_of
from grader.languages.pattern import balanced, pattern

VARIABLE = "GRADE_LANG"
SOURCE = "en"
"""What the messages are written in."""
FOLDER = Path(__file__).parent
LONGEST = 8_000
"""Characters of a text that is looked up; a longer one is no sentence of the grader."""
AND = " and "  # message
SEPARATORS = (
    "; or: ",  # message
    "; ",  # message
    " · ",  # message
    AND,
    ", ",  # message
)
"""Of lists, the outermost first; each is a message of its own."""
LABEL_END = ": "  # message
PHRASE_STARTS = (" (", ": ", ", ", "; ", " ")
"""What a phrase begins with that is added to another one."""
MOST_SENTENCES = 24
FEW_LETTERS, SOME_LETTERS = 5, 12
"""That a message has of its own, apart from its values, for a sentence to be taken for it, and for a text that may be
a student's; a phrase within a sentence may have fewer."""
MOST_TOGETHER = 4
"""Sentences of one text that a single message may hold, where the text as a whole is no message."""
DEEPEST = 4
"""Phrases within phrases."""


class Untranslated(str):
    """A text that stays in English on a page in another language."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """What a report is shown in. English has no catalogue: it says what it is given. Each is equal to itself alone."""

    code: str
    """As in <html lang="…">."""
    catalogue: Catalogue | None = None

    @property
    def is_source(self) -> bool:
        return self.catalogue is None

    def __call__(self, message: str, /, **values: object) -> str:
        """A fixed text, filled with its values."""
        known = self.catalogue.translation(message) if self.catalogue else None
        return (known or pattern(message)).filled(values, self.phrase)

    def say(self, text: str) -> str:
        """A finished text: sentences of the grader translated, with the values in them as they are.

        Untranslated where the catalogue has none of it.
        """
        if self.catalogue is None or not text or len(text) > LONGEST:
            return text
        said = self._sentence(text, 0) or self._by_sentence(text, 0)
        return said or Untranslated(text)

    def whole(self, text: str) -> str:
        """As `say`, for what may be a student's own text: where all of it (after "SomeError:") is one message."""
        if self.catalogue is None or len(text) > LONGEST:
            return text
        kind, colon, rest = text.partition(": ")
        if colon and " " not in kind and (said := self._found(rest, 0, SOME_LETTERS)):
            return f"{kind}{self(LABEL_END)}{said}"
        return self._found(text, 0, SOME_LETTERS) or text

    def phrase(self, text: str) -> str:
        """A value that is a phrase of the grader's own, translated; any other as it is."""
        return self._phrase(text, 0)

    def _found(self, text: str, depth: int, letters: int = 0) -> str:
        if self.catalogue is None or depth > DEEPEST or not text:
            return ""
        found = self.catalogue.find(text, letters)
        if found is None and text[0].isupper():  # a phrase that was made the beginning of a sentence
            found = self.catalogue.find(text[0].lower() + text[1:], letters)
        if found is None:
            return ""
        translation, values = found
        return translation.filled(values, lambda value: self._phrase(value, depth + 1))

    def _sentence(self, text: str, depth: int) -> str:
        """One sentence, with or without a label: "5a.total: memory of one head, in GB"; "" where it is not known."""
        if said := self._found(text, depth, FEW_LETTERS):
            return said
        label, colon, rest = text.partition(": ")
        if not colon or " " in label:
            return ""
        said = self._phrase(rest, depth + 1)
        return f"{label}{self(LABEL_END)}{said}" if said != rest else ""

    def _phrase(self, text: str, depth: int) -> str:
        if self.catalogue is None or depth > DEEPEST or not text or len(text) > LONGEST:
            return text
        place, found, quotation = text.partition(": “")
        if found:
            return f"{self._phrase(place, depth + 1)}{self(LABEL_END)}“{quotation}"
        known = self._found(text, depth) or self._halved(text, depth)
        kind, found, name = text.partition(" '")
        if not known and found and name.endswith("'"):
            return f"{self._phrase(kind, depth + 1)} '{name}"
        return known or self._listed(text, depth) or self._by_sentence(text, depth) or text

    def _halved(self, text: str, depth: int) -> str:
        """Two phrases with nothing between them, cut where the second begins; "" where neither is known."""
        for start in PHRASE_STARTS:
            at = text.find(start, 1)
            if at > 0 and (second := self._found(text[at:], depth + 1)):
                return self._phrase(text[:at], depth + 1) + second
        return ""

    def _listed(self, text: str, depth: int) -> str:
        """A list, each member by itself; "" where none is known."""
        for separator in SEPARATORS:
            members = text.split(separator)
            if 1 < len(members) <= MOST_SENTENCES and all(map(balanced, members)):
                said = [
                    self._found(member, depth + 1) or self._listed(member, depth + 1) for member in members
                ]
                figures = separator == AND and all(map(_is_number, members))
                if any(said) or figures:
                    return self(separator).join(new or old for new, old in zip(said, members, strict=True))
        return ""

    def _by_sentence(self, text: str, depth: int) -> str:
        """Sentence by sentence, as many at once as make a message; "" where none is known."""
        sentences = _sentences(text)
        if not 1 < len(sentences) <= MOST_SENTENCES:
            return ""
        out, at, any_known = "", 0, False
        while at < len(sentences):
            for many in range(min(MOST_TOGETHER, len(sentences) - at), 0, -1):
                said = self._sentence(" ".join(sentences[at : at + many]), depth + 1)
                if said:
                    break
            any_known |= bool(said)
            out = joined(out, said or sentences[at])
            at += many
        return out if any_known else ""


def _is_number(text: str) -> bool:
    """True for "0.8984 (115/128)": figures, and no words."""
    return any(map(str.isdigit, text)) and not any(map(str.isalpha, text))


def _sentences(text: str) -> list[str]:
    """Cut after . ! ? and what closes with them, where a space and no small letter follows."""
    cuts = [0]
    for at in range(1, len(text) - 1):
        before = text[at - 1] if text[at - 1] not in "\"'”)`" or at < 2 else text[at - 2]
        if text[at] == " " and before in ".!?…" and not text[at + 1].islower():
            cuts.append(at + 1)
    return [text[a:b].rstrip(" ") for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True)]


def joined(before: str, after: str) -> str:
    """Two sentences one after the other: Chinese and Japanese set no space after their full stop."""
    gap = "" if not before or before[-1] in "。？！；：」”" or not before.strip() else " "
    return before + gap + after


ENGLISH = Language(SOURCE)


def known_languages() -> tuple[str, ...]:
    """Codes of the languages that the grader speaks, English first."""
    return (SOURCE, *sorted(file.stem for file in FOLDER.glob("*.po")))


def chosen(asked: str | None) -> str:
    """The code of the language that was asked for, by --lang or else by GRADE_LANG; English where by neither."""
    return asked or os.environ.get(VARIABLE, "").strip() or SOURCE


@cache
def language(code: str, assignment: Path | None = None) -> Language:
    """The language with that code, with what an assignment brings for it; UnknownName for another.

    assignment: its folder, which may have catalogues of its own in `languages/`.
    """
    if code == SOURCE:
        return ENGLISH
    known = known_languages()
    if code not in known:
        raise UnknownName("language", code, known)
    files = [FOLDER / f"{code}.po"]
    own = assignment / "languages" / f"{code}.po" if assignment else None
    if own and own.is_file():
        files.append(own)
    return Language(code, catalogue_of(files))
