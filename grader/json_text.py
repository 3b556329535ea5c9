"""A grade report as text: what report.json holds, and the gradebook.

A field a line for people and for comparing, and a row of numbers on one line. `json` can indent by itself, but only in
Python and value by value, which costs several times as much.
"""

from __future__ import annotations

from json import JSONEncoder
from json.encoder import encode_basestring_ascii as quoted
from types import NoneType
from typing import Any

from grader.latest import latest
from grader.model import GradeReport
from grader.serialise import to_document

_STEP = "  "
_NUMBERS = {int, float, NoneType}
_encoded = JSONEncoder(allow_nan=False).encode


@latest
def json_text(report: GradeReport) -> str:
    """Strict JSON in ASCII, so that no control or bidirectional character of a student reaches a terminal."""
    return laid_out(to_document(report)) + "\n"


def laid_out(value: Any, margin: str = "") -> str:
    """Strict JSON in ASCII of dicts with string keys, lists, str, int, finite float, bool and None.

    Raises ValueError for a number that is not finite. `margin`: what the lines after the first begin with.
    """
    kind, inner = type(value), margin + _STEP
    if kind is str:
        return quoted(value)
    if kind is dict and value:
        fields = [
            f"{inner}{quoted(key)}: {quoted(member) if type(member) is str else laid_out(member, inner)}"
            for key, member in value.items()
        ]
        return "{\n" + ",\n".join(fields) + f"\n{margin}}}"
    if kind is list and not _NUMBERS.issuperset(map(type, value)):
        members = [inner + laid_out(member, inner) for member in value]
        return "[\n" + ",\n".join(members) + f"\n{margin}]"
    return "null" if value is None else str(value) if kind is int else _encoded(value)
