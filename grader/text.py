"""Cleaning of untrusted text: what a student wrote, printed or named a file, before anybody looks at it.

`storable` makes a string fit for a JSON document and changes nothing else. `clean` and `one_line` make it
fit for human eyes: terminal escapes are taken out, what is invisible or reorders its neighbours becomes a
visible escape, length is capped with a note. Escaping for the target (HTML, Markdown, terminal) comes after,
in the renderer.
"""

from __future__ import annotations

import re
import unicodedata

STORED_LIMIT = 100_000
"""Characters of one string of a report document; the worker's own caps are far lower."""
SHOWN_LIMIT = 4_000
"""Characters of one block shown to a person."""
LINE_LIMIT = 600
"""Characters of one sentence or title shown to a person."""
SHOWN_LINES = 60
"""Lines of one block shown to a person."""
NOTE_ROOM = 60
"""A text that is longer than its limit by no more than the note about it is shown whole."""
MARKS_LIMIT = 8
"""Combining marks on one letter; more would paint over the lines above and below."""

ANSI = re.compile(
    r"""\x1b\[[0-?]*[ -/]*[@-~]                     # CSI: colours, cursor movement
      | \x9b[0-?]*[ -/]*[@-~]                       # CSI as one C1 character
      | (?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])     # OSC, DCS, SOS, PM, APC: window titles, links, ...
        [^\x07\x1b\x9c]{0,4000}(?:\x07|\x1b\\|\x9c)
      | \x1b[ -/]*[0-~]                             # two-character escapes
    """,
    re.VERBOSE,
)
SURROGATE = re.compile(r"[\ud800-\udfff]")
KEPT_FORMAT = frozenset("\u200c\u200d")
"""Zero-width joiner and non-joiner: Persian, Indic scripts and emoji cannot be written without them."""
KEPT_CONTROL = frozenset("\n\t")
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
PLAIN = re.compile("[\\t\\n -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u22ff]*")
"""Nearly all text: ASCII, Latin letters, dashes, quotes, arrows, mathematics. Nothing of it is hidden or a mark."""
INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\ufffe\uffff")
"""Letters by category that show nothing, and two non-characters that XML forbids."""


def storable(text: str) -> str:
    """The same text, fit for JSON: lone surrogates visible, at most STORED_LIMIT characters and a note."""
    cut = _cut(text, STORED_LIMIT)
    return cut if cut.isascii() else SURROGATE.sub(_escape_match, cut)


def clean(text: str, limit: int = SHOWN_LIMIT, lines: int = SHOWN_LINES) -> str:
    r"""A block of text that is safe and honest to look at.

    Terminal escapes are removed; `\r\n` and `\r` become line ends; tabs and line ends stay; other control
    characters, bidirectional overrides and invisible characters show as `\x07` or `\u202e`. At most `limit`
    characters and `lines` lines are kept, and a last line says how much there was. Cleaning twice changes
    nothing more.
    """
    # A first, generous cut keeps the cost independent of what was handed in; the note counts the original.
    shown = text[: 4 * limit]
    if not PLAIN.fullmatch(shown):
        shown = visible(ANSI.sub("", shown).replace("\r\n", "\n").replace("\r", "\n"))
    rows = shown.split("\n")
    if len(text) <= 4 * limit and len(shown) <= limit + NOTE_ROOM and len(rows) <= lines + 1:
        return shown
    kept = "\n".join(rows[:lines])[:limit].rstrip()
    return f"{kept}\n… (cut here; {_size(text)} in all)"


def one_line(text: str, limit: int = LINE_LIMIT) -> str:
    """As `clean`, with every run of white space turned into one space: for titles, messages, table cells."""
    shown = text[: 4 * limit]
    if not PLAIN.fullmatch(shown):
        shown = visible(ANSI.sub("", shown), kept=KEPT_CONTROL | {"\r"})
    shown = " ".join(shown.split())
    if len(text) <= 4 * limit and len(shown) <= limit + NOTE_ROOM:
        return shown
    return f"{shown[:limit].rstrip()} … ({_size(text)} in all)"


def visible(text: str, kept: frozenset[str] = KEPT_CONTROL) -> str:
    """Show what would be invisible, or would reorder its neighbours, as a backslash escape."""
    if PLAIN.fullmatch(text):
        return text
    shown: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if char in kept or char in KEPT_FORMAT:
            shown.append(char)
        elif category in HIDDEN_CATEGORIES or char in INVISIBLE_LETTERS:
            shown.append(escape(char))
        elif marks <= MARKS_LIMIT:
            shown.append(char)
    return "".join(shown)


def escape(char: str) -> str:
    r"""One character as `\x1b`, `\u202e` or `\U000e0041`."""
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape_match(match: re.Match[str]) -> str:
    return escape(match[0])


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit + NOTE_ROOM:
        return text
    return f"{text[:limit]}… ({_size(text)} in all)"


def _size(text: str) -> str:
    return f"{len(text):,} characters"
