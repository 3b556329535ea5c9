"""How JSON is laid out: a field a line for people and for comparing, a row of numbers on one line.

`json` can indent by itself, but only in Python and value by value, which costs several times as much.
"""

from __future__ import annotations

from json import JSONEncoder
from json.encoder import encode_basestring_ascii
from types import NoneType
from typing import Any

_STEP = "  "
_NUMBERS = {int, float, NoneType}
_encoded = JSONEncoder(allow_nan=False).encode


def laid_out(value: Any, margin: str = "") -> str:
    """Strict JSON in ASCII of dicts with string keys, lists, str, int, finite float, bool and None.

    Raises ValueError for a number that is not finite. `margin`: what the lines after the first begin with.
    """
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if value is None:
        return "null"
    inner = margin + _STEP
    if isinstance(value, dict) and value:
        fields = [f"{inner}{encode_basestring_ascii(key)}: {laid_out(value[key], inner)}" for key in value]
        return "{\n" + ",\n".join(fields) + f"\n{margin}}}"
    if isinstance(value, list) and not _NUMBERS.issuperset(map(type, value)):
        members = [inner + laid_out(member, inner) for member in value]
        return "[\n" + ",\n".join(members) + f"\n{margin}]"
    return _encoded(value)
