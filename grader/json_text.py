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
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "null"
    inner = margin + _STEP
    if isinstance(value, dict) and value:
        fields = [f"{inner}{quoted(key)}: {laid_out(member, inner)}" for key, member in value.items()]
        return "{\n" + ",\n".join(fields) + f"\n{margin}}}"
    if isinstance(value, list) and not _NUMBERS.issuperset(map(type, value)):
        members = [inner + laid_out(member, inner) for member in value]
        return "[\n" + ",\n".join(members) + f"\n{margin}]"
    if type(value) is int:
        return str(value)
    return _encoded(value)
