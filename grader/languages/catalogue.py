"""The translations of one language, from gettext's .po files: by message, or by the pattern that a sentence fits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grader.languages.pattern import LEFT_OUT, Pattern, balanced, pattern

LEAST_LETTERS, LEAST_INSIDE = 2, 4
"""Of a pattern's own text, where it begins with it and where it begins with a value: "{a} and {b}" fits much that
nobody of the grader said."""
FEW_LETTERS, MOST_SPACES = 12, 2
SENTENCE_END = re.compile(r"[.!?] [^a-z]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message and its translation."""

    message: Pattern
    translation: Pattern
    key: str
    """The longest literal of the message: looked for before all else."""

    def fits(self, values: dict[str, str]) -> bool:
        """False where the values are more than values: sentences in front of the sentence that was meant, half a
        sentence as the size in "{size} bytes", or more left out than an ending or an article."""
        first = "" if self.message.literals[0] else values[self.message.names[0]]
        if SENTENCE_END.search(first):
            return False
        whole = not first or (first.count(" ") <= MOST_SPACES and all(map(balanced, values.values())))
        if self.message.said < FEW_LETTERS and not whole:
            return False
        how = zip(self.translation.names, self.translation.conversions, strict=True)
        return not any(kind == LEFT_OUT and " " in values[name] for name, kind in how)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What can be said in a language."""

    exact: dict[str, Pattern]
    """By the message as it is written, placeholders included."""
    patterns: tuple[Entry, ...]
    """Those that sentences are compared with, what says most first."""

    def translation(self, message: str) -> Pattern | None:
        """Of a message that is known by its own text."""
        return self.exact.get(message)

    def find(self, text: str, letters: int = 0) -> tuple[Pattern, dict[str, str]] | None:
        """The translation of a finished sentence, and the values that stand in the sentence.

        letters: that a pattern has of its own at the least.
        """
        known = self.exact.get(text)
        if known is not None and not known.names:
            return known, {}
        for entry in self.patterns:
            if entry.message.said < letters:
                break
            if entry.key in text and (values := entry.message.match(text)) is not None and entry.fits(values):
                return entry.translation, values
        return None


def catalogue_of(files: Iterable[Path]) -> Catalogue:
    """Read .po files; entries without a translation, and those marked fuzzy, are not there."""
    exact: dict[str, Pattern] = {}
    entries = []
    for file in files:
        for message, translated in _entries(file):
            exact[message] = translated
            read = pattern(message)
            if read.names and read.said >= (LEAST_LETTERS if read.literals[0].strip() else LEAST_INSIDE):
                entries.append(Entry(read, translated, read.longest))
            elif not read.names:  # what is written {{ in a message stands as { in the sentence
                exact[read.literals[0]] = translated
    return Catalogue(exact, tuple(sorted(entries, key=lambda entry: -entry.message.said)))


@cache
def _entries(file: Path) -> tuple[tuple[str, Pattern], ...]:
    import polib  # English does without

    return tuple(
        (entry.msgid, pattern(entry.msgstr))
        for entry in polib.pofile(str(file), encoding="utf-8")
        if entry.translated() and not entry.obsolete
    )
