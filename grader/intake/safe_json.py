"""JSON text of a student -> plain values, with the digits as written and every refusal explained."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from grader.intake.found import Problem, shorten

MAX_DEPTH = 30
MAX_DIGITS = 40
_TOLD = 20
"""Doubled keys that are named."""
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
"""Possessive: a string of megabytes, as a picture in a notebook is, must not be remembered letter by letter."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The value, or the problem."""

    value: Any = None
    problem: Problem | None = None
    notes: tuple[str, ...] = ()


class _RefusedError(Exception):
    """A value that JSON as we take it does not have."""


def parse_json(text: str, path: str) -> Parsed:
    """Parse `text`: floats as Decimal, NaN and infinities refused, keys that stand twice noted."""
    if not text.strip():
        return Parsed(problem=Problem(f"{path} is empty.", "Write the figures of your run into it.", path))
    if _depth(text) > MAX_DEPTH:
        return Parsed(problem=_too_deep(path, MAX_DEPTH, "Keep the form of the starter."))
    doubled: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) < len(items):
            times = Counter(key for key, _ in items)
            doubled.extend(sorted(key for key, n in times.items() if n > 1))
        return made

    try:
        value = json.loads(
            text, parse_float=_decimal, parse_int=_integer, parse_constant=_constant, object_pairs_hook=pairs
        )
    except json.JSONDecodeError as error:
        return Parsed(problem=_syntax_problem(text, path, error))
    except _RefusedError as error:
        return Parsed(
            problem=Problem(f"{path}: {error}", "Write numbers as plain decimals, such as 0.8750.", path)
        )
    notes = tuple(
        f"{path} has the key {shorten(key)!r} twice in one place; the last one was read."
        for key in doubled[:_TOLD]
    )
    return Parsed(value, notes=notes)


def parse_texts(text: str, path: str, max_depth: int) -> Parsed:
    """Parse a document of which only the texts matter, such as a notebook: its numbers, NaN included, stay texts."""
    if _depth(text) > max_depth:
        return Parsed(problem=_too_deep(path, max_depth, "Save it once more from where it was written."))
    try:
        return Parsed(json.loads(text, parse_float=str, parse_int=str, parse_constant=str))
    except json.JSONDecodeError as error:
        return Parsed(problem=_syntax_problem(text, path, error))


def _too_deep(path: str, most: int, step: str) -> Problem:
    return Problem(f"{path} has brackets nested more than {most} deep.", step, path)


def _depth(text: str) -> int:
    depth = deepest = 0
    for mark in _STRING_OR_BRACKET.finditer(text):
        if mark[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark[0] in "]}":
            depth -= 1
    return deepest


def _decimal(text: str) -> Decimal:
    exponent = re.search(r"[eE]([+-]?\d+)$", text)
    if len(text) > MAX_DIGITS or (exponent and len(exponent[1]) > 4):
        raise _RefusedError(f"the number {shorten(text, 40)} is too long.")
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _RefusedError(f"the number {shorten(text, 40)} is too long.")
    return int(text)


def _constant(text: str) -> Any:
    raise _RefusedError(f"{text} is not a number that a figure can have: something went wrong in that run.")


def _syntax_problem(text: str, path: str, error: json.JSONDecodeError) -> Problem:
    lines = text.split("\n")
    line = lines[error.lineno - 1]
    place = f"Line {error.lineno}, column {error.colno}, {shorten(line, 80)!r}"
    message = f"{path} is not valid JSON. {place}: {error.msg}."
    before = text[: error.pos].rstrip()
    dangling = before.endswith(",") and text[error.pos : error.pos + 1] in ("]", "}")
    if dangling or "trailing comma" in error.msg:
        step = "Remove the comma before the closing bracket."
    elif text[error.pos : error.pos + 1] == "'":
        step = "JSON has double quotes only: write \" in place of '."
    elif re.match(r"\s*(#|//)", text[error.pos :]):
        step = "JSON has no comments: remove it."
    elif error.msg.startswith("Expecting ',' delimiter"):
        step = "A comma is missing before this place, or a bracket is not closed."
    else:
        step = "Writing the file with Python's json.dump gives the right form."
    return Problem(message, step, f"{path}, line {error.lineno}")
