"""Whether something was handed in, and what to say where it was not usable."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Found(StrEnum):
    """State of one answer or one file of figures."""

    FOUND = "found"
    """There, and of the right form."""
    MISSING = "missing"
    """Not there, or still as the starter kit left it."""
    MALFORMED = "malformed"
    """There, but not readable as what it should be."""
    UNCLEAR = "unclear"
    """A written report says something, but only a person can say what is meant."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a file or an answer, for the student."""

    message: str
    """A sentence: what was found, and what is due."""
    next_step: str = ""
    """A sentence: what to do about it."""
    location: str | None = None
    """For example "answers.toml, line 12"."""

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()


def shorten(value: object, limit: int = 60) -> str:
    """`value` as one printable line of at most `limit` characters, for use inside a sentence."""
    try:
        text = str(value)
    except ValueError:  # an integer of more than 4,300 digits refuses to be printed
        return "a number with thousands of digits"
    text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def describe(value: object) -> str:
    """What a value is, in words: "the text 'ninety'", "true", "a list", "a date"."""
    if isinstance(value, str):
        return f"the text {shorten(value, 40)!r}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float, Decimal)):
        return f"the number {shorten(value, 40)}"
    if value is None:
        return "null"
    if isinstance(value, list):
        return "a list"
    return "a group of entries" if isinstance(value, dict) else f"a {type(value).__name__}"


def megabytes(size: int) -> str:
    """A size in words: "268 MB", "812 bytes"."""
    return f"{size / 1e6:,.0f} MB" if size >= 10**6 else f"{size:,} bytes"
