"""A name for a student that is safe as a file name on every system, and unique whatever the capitals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_LONGEST = 60
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
"""Names that Windows gives to devices."""


def safe_key(text: str) -> str:
    """Letters and digits of any script stay, what is between them becomes one dash or underscore."""
    text = unicodedata.normalize("NFC", text)
    kept = "".join(
        c if c.isalnum() or unicodedata.category(c) in ("Mn", "Mc") or c in "_-." else "-" for c in text
    )
    kept = re.sub(r"-*_-*", "_", re.sub(r"-{2,}", "-", kept)).strip("-_.")
    kept = _cut(kept).strip("-_.") or "student"
    return f"{kept}_" if _RESERVED.match(kept) else kept


def safe_keys(texts: Sequence[str]) -> list[str]:
    """One key for each text; those that would be equal get a number, in the order given."""
    taken: set[str] = set()
    keys = []
    for text in texts:
        key = base = safe_key(text)
        number = 1
        while _folded(key) in taken:
            number += 1
            key = f"{base}~{number}"
        taken.add(_folded(key))
        keys.append(key)
    return keys


def _folded(key: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", key).casefold())


def _cut(text: str) -> str:
    """At most 60 characters, and no more than 200 bytes, which file systems count."""
    text = text[:_LONGEST]
    while len(text.encode()) > 200:
        text = text[:-1]
    return text
