"""A student's TOML -> values, with one bad line costing one answer and not the file.

An entry that is not TOML (`total = 12.3 GB`, without quotes) is taken out, reported under its own key, and the rest
is read; so is a backslash in a text (LaTeX in prose), which is read as it stands. Anything else that is wrong, such as
a section header or a text that never ends, could move answers to another key: then nothing is read.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from grader.intake.found import Problem, shorten

_MOST_REPAIRS = 40
_AT = re.compile(r"\(at line (\d+), column (\d+)\)")
_ENTRY = re.compile(r"\s*([\w.\-]+)\s*=\s*(.*?)\s*$")
_HEADER = re.compile(r"\s*\[\[?\s*([\w.\-\"' ]+?)\s*\]\]?\s*(?:#.*)?$")
_STRAY_BACKSLASH = re.compile(r'\\(?![btnfr"\\]|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})')


@dataclass(frozen=True, slots=True)
class ParsedToml:
    """The document, or the problem with the file as a whole."""

    document: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    """What was parsed: the student's text, line for line, without the entries that could not be read."""
    unreadable: dict[str, Problem] = field(default_factory=dict)
    """Dotted key -> why its entry could not be read."""
    problem: Problem | None = None
    """Set where nothing could be read."""
    notes: tuple[str, ...] = ()


def parse_toml(text: str, path: str) -> ParsedToml:
    """Parse with printed digits kept (floats become Decimal); never raises."""
    lines = text.split("\n")
    unreadable: dict[str, Problem] = {}
    backslashes: list[int] = []
    for _ in range(_MOST_REPAIRS):
        try:
            document = tomllib.loads("\n".join(lines), parse_float=Decimal)
        except RecursionError:
            problem = Problem(f"{path} has brackets nested too deeply.", "A list holds numbers only.", path)
            return ParsedToml(problem=problem)
        except (
            ValueError,
            ArithmeticError,
        ) as error:  # TOMLDecodeError is one; a giant integer is a plain one
            problem = toml_problem(path, lines, str(error))
            if not _repair(lines, str(error), problem, unreadable, backslashes):
                return ParsedToml(problem=problem)
        else:
            return ParsedToml(
                document, "\n".join(lines), unreadable, notes=_notes(path, unreadable, backslashes)
            )
    return ParsedToml(
        problem=Problem(f"{path} has more than {_MOST_REPAIRS} errors.", problem.next_step, path)
    )


def _repair(
    lines: list[str], error: str, problem: Problem, unreadable: dict[str, Problem], backslashes: list[int]
) -> bool:
    """Mend the line that `error` is about, in place; False where that could change what other lines mean."""
    at = _AT.search(error)
    if at is None:
        return False
    number = int(at[1])
    line = lines[number - 1]
    if "'\\'" in error or "hex value" in error:
        lines[number - 1] = _STRAY_BACKSLASH.sub(r"\\\\", line)
        backslashes.append(number)
        return lines[number - 1] != line
    entry = _ENTRY.match(line)
    if entry is None or '"""' in line or "'''" in line or entry[2].startswith(("[", "{")):
        return False
    section = next((h[1] for above in reversed(lines[: number - 1]) if (h := _HEADER.match(above))), "")
    unreadable[f"{section}.{entry[1]}".strip(".").replace('"', "").replace("'", "")] = problem
    lines[number - 1] = ""
    return True


def _notes(path: str, unreadable: dict[str, Problem], backslashes: list[int]) -> tuple[str, ...]:
    notes = []
    if unreadable:
        places = ", ".join(
            sorted({str(p.location).rpartition("line ")[2] for p in unreadable.values()}, key=int)
        )
        notes.append(f"{path} is not valid TOML in line {places}; the other entries were read all the same.")
    if backslashes:
        notes.append(
            f"{path}, line {backslashes[0]}: a backslash was read as it stands. Texts with backslashes go between "
            "three single quotes: '''…'''."
        )
    return tuple(notes)


def toml_problem(path: str, lines: list[str], error: str) -> Problem:
    """Line, column and the line itself, with the change that mends the usual slips."""
    at = _AT.search(error)
    if (
        not at and "end of document" not in error
    ):  # a number of thousands of digits has no place in the message
        return Problem(
            f"{path} holds a number that cannot be read: {shorten(error, 60)}.", "Write it shorter.", path
        )
    number = int(at[1]) if at else max((i for i, line in enumerate(lines, 1) if line.strip()), default=1)
    reason = re.sub(r"\s*\(at .*\)$", "", error).rstrip(".")
    line = lines[number - 1] if number <= len(lines) else ""
    shown = repr(shorten(line, 80))
    message = (
        f"{path} is not valid TOML. Line {number}, column {at[2]}, {shown}: {reason}."
        if at
        else f"{path} is not valid TOML. Line {number}, at its end, {shown}: {reason}."
    )
    return Problem(message, _step(line, reason), f"{path}, line {number}")


def _step(line: str, reason: str) -> str:
    if "overwrite" in reason or "twice" in reason:
        return "The same key stands twice in one section: keep one of them."
    if "Unterminated string" in reason:
        return "A text ends with the quotes it starts with; one of several lines stands between three quotes."
    entry = _ENTRY.match(line)
    if entry is None:
        return 'Each line is a section "[4c]", an entry "key = value", or a comment that starts with #.'
    key, value = entry[1], re.sub(r"\s+#.*$", "", entry[2])
    if not value:
        return f'A value is missing after the =. Leave {key} = "" where you have no answer yet.'
    if value[0] in "\"'":
        return "A text ends with the quotes it starts with; one of several lines stands between three quotes."
    if value[0] in "([{":
        return f"Write a list as {key} = [5, 6, 7, 8]."
    return (
        f'A number with a unit, with commas, or a text goes between quotes: {key} = "{shorten(value, 40)}".'
    )
