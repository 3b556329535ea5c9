"""On which line each key of a TOML text stands. tomllib does not tell, and a student wants to know."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[\[?\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(
    r"""\s*(?P<name>(?:[\w-]+|"[^"\n]*"|'[^'\n]*')(?:\s*\.\s*(?:[\w-]+|"[^"\n]*"|'[^'\n]*'))*)\s*="""
)
_NAME_PART = re.compile(r"""[\w-]+|"[^"\n]*"|'[^'\n]*'""")
# What can change whether the next line starts with a key: quotes of either kind, comments, brackets.
_TOKEN = re.compile(r'"""|\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]|\n')

_ESCAPED_OR_END = re.compile(r'\\.|"""', re.DOTALL)


def key_lines(text: str) -> dict[str, int]:
    """Dotted key -> line counted from 1, for a text that tomllib has accepted; sections are in it as well."""
    found: dict[str, int] = {}
    section = ""
    position, line = 0, 1
    while position < len(text):
        end = text.find("\n", position)
        current = text[position : end if end >= 0 else len(text)]
        if header := _HEADER.match(current):
            section = _dotted(header["name"])
            found.setdefault(section, line)
        elif key := _KEY.match(current):
            name = _dotted(key["name"])
            found.setdefault(f"{section}.{name}" if section else name, line)
            position += key.end()
        after = _end_of_statement(text, position, header is not None)
        line += text.count("\n", position, after)
        position = after
    return found


def _dotted(name: str) -> str:
    return ".".join(part.strip("\"'") for part in _NAME_PART.findall(name))


def _end_of_statement(text: str, position: int, header: bool) -> int:
    """Position behind the line end that ends this statement: lists and long texts span several lines."""
    depth = 0
    while token := _TOKEN.search(text, position):
        mark, position = token[0], token.end()
        if mark in ('"""', "'''"):
            position = _end_of_long_text(text, position, mark)
        elif mark in "[{" and not header:
            depth += 1
        elif mark in "]}" and not header:
            depth -= 1
        elif mark == "\n" and depth <= 0:
            return position
    return len(text)


def _end_of_long_text(text: str, position: int, mark: str) -> int:
    """Position behind the closing quotes; in a basic text a backslash guards the next character."""
    if mark == "'''":
        end = text.find(mark, position)
        return end + len(mark) if end >= 0 else len(text)
    ends = (found.end() for found in _ESCAPED_OR_END.finditer(text, position) if found[0] == mark)
    return next(ends, len(text))
