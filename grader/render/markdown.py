"""Escaping for Markdown (CommonMark with GitHub's tables): untrusted text can make no markup of its own."""

from __future__ import annotations

import re
from functools import lru_cache

SPECIAL = re.compile(r"[\\`*_\[\]{}~|$#]")
LINE_START = re.compile(r"^(?:[-+](?=[-+\s]|$)|=|:(?=-)|\d{1,9}[.)](?=\s|$))")
"""What would begin a list, a rule or a heading; `>` is an entity by then and `#` is escaped everywhere."""
LINK_START = re.compile(r"(?i)(://|www\.|[@#](?=\w))")
BREAK = "\N{ZERO WIDTH SPACE}"
"""Put inside what GitHub would turn into a link or a mention; it cannot be escaped otherwise."""


class Markdown(str):
    """Text that is Markdown already and must not be escaped again."""

    __slots__ = ()


def escape(text: object) -> Markdown:
    """One line of plain text as Markdown that renders as exactly that text."""
    return text if isinstance(text, Markdown) else _escaped(str(text))


@lru_cache(maxsize=1024)  # most of a report are words of the page and sentences that many get
def _escaped(text: str) -> Markdown:
    line = " ".join(text.split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = LINK_START.sub(lambda match: match[0] + BREAK, line)
    line = SPECIAL.sub(lambda match: "\\" + match[0], line)
    return Markdown(LINE_START.sub(_escape_last, line))


def code(text: str) -> Markdown:
    """One line as a code span; its fence is longer than any run of backticks inside."""
    line = " ".join(text.split())
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return Markdown(f"{fence}{pad}{line}{pad}{fence}")


def block(text: str) -> Markdown:
    """Lines as a fenced code block; its fence is longer than any run of backticks inside."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return Markdown(f"{fence}text\n{text}\n{fence}")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


def _escape_last(match: re.Match[str]) -> str:
    return f"{match[0][:-1]}\\{match[0][-1]}"
