"""Reports in other languages. A report.json is English in every language: it is translated where it is shown.

docs/languages.md says how a language is added.
"""

from __future__ import annotations

from grader.languages.language import (
    ENGLISH,
    Language,
    Untranslated,
    chosen,
    joined,
    known_languages,
    language,
)
from grader.languages.report import translated, translated_check

__all__ = [
    "ENGLISH",
    "Language",
    "Untranslated",
    "chosen",
    "joined",
    "known_languages",
    "language",
    "translated",
    "translated_check",
]
