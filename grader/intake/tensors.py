"""The header of a `.safetensors` file: names, shapes and places of its tensors, checked before a byte of them is read.

The format: https://github.com/huggingface/safetensors#format. A length of 8 bytes, a JSON object, then the bytes of the
tensors end to end. What is taken here is stricter than the format: no name twice, no byte in two tensors or in none,
bounds on everything that the sender chooses.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grader.intake.found import megabytes, shorten
from grader.intake.weights import WeightsFile, WeightsProblem

ITEM_SIZE = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8,
}  # fmt: skip
"""Bytes of one element."""
HEADER_BYTES = 4 * 2**20
"""Largest header that is read; that of a model with 200 tensors has 20 KB."""
MOST_TENSORS = 4_000
MOST_DIMENSIONS = 8
LONGEST_NAME = 400
_OTHERS = {
    b"PK\x03\x04": "is a file of torch.save under another name",
    b"version ": "is a note of Git LFS about the file, not the file itself (`git lfs pull` fetches it)",
}
"""How files begin that are often handed in instead."""
_PREFIX = struct.Struct("<Q")
_AGAIN = "Save the model once more with model.save_pretrained(folder) and hand that in."


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor of a file."""

    name: str
    dtype: str
    """As the format spells it, for example "F32"; a key of ITEM_SIZE."""
    shape: tuple[int, ...]
    start: int
    """First byte, from the beginning of the file."""
    size: int
    """Bytes."""


class _RefusedError(Exception):
    """A header that is not as it must be: the end of the sentence "the header …"."""


def read_entries(file: WeightsFile) -> Mapping[str, TensorEntry]:
    """The tensors of the file by name, in the order of their bytes; raises WeightsProblem."""
    if file.size < _PREFIX.size:
        raise _problem(file, f"holds {file.size} bytes: there is no header")
    prefix = bytearray(_PREFIX.size)
    file.read_into(memoryview(prefix), 0)
    (length,) = _PREFIX.unpack(prefix)
    for start, what in _OTHERS.items():
        if prefix.startswith(start):
            raise _problem(file, what)
    if length > file.size - _PREFIX.size:
        raise _problem(
            file,
            f"announces a header of {length:,} bytes and has {megabytes(file.size)}: it was cut short or garbled",
        )
    if length > HEADER_BYTES:
        raise _problem(
            file, f"has a header of {megabytes(length)}; at most {megabytes(HEADER_BYTES)} are read"
        )
    text = bytearray(length)
    file.read_into(memoryview(text), _PREFIX.size)
    try:
        return _checked(_parsed(bytes(text)), _PREFIX.size + length, file.size)
    except _RefusedError as error:
        raise _problem(file, str(error)) from None


def _problem(file: WeightsFile, what: str) -> WeightsProblem:
    return WeightsProblem(f"{file.path} {what}.", _AGAIN)


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except _RefusedError:
        raise
    except (ValueError, RecursionError) as error:
        raise _RefusedError(f"has a header that is not JSON ({shorten(error, 80)})") from None
    if not isinstance(header, dict):
        raise _RefusedError("has a header that is not a JSON object")
    header.pop("__metadata__", None)  # free text, of no use here
    if not header:
        raise _RefusedError("holds no tensor")
    if len(header) > MOST_TENSORS:
        raise _RefusedError(f"announces {len(header):,} tensors; at most {MOST_TENSORS:,} are read")
    return header


def _unique(items: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(items)
    if len(made) < len(items):
        raise _RefusedError("names something in its header twice")
    return made


def _no_constant(name: str) -> Any:
    raise _RefusedError(f"has {name} in its header")


def _checked(header: dict[str, Any], data: int, end: int) -> dict[str, TensorEntry]:
    """Entries whose bytes follow one another from `data` to `end` without a gap; raises _RefusedError."""
    entries = sorted(
        (_entry(name, fields, data) for name, fields in header.items()), key=lambda e: (e.start, e.size)
    )
    at = data
    for entry in entries:
        if entry.start != at:
            what = "shares bytes with another tensor" if entry.start < at else "leaves bytes before it unused"
            raise _RefusedError(f"is not laid out as the format asks: {shorten(entry.name)} {what}")
        at += entry.size
    if at > end:
        raise _RefusedError(f"was cut short: its tensors have {megabytes(at)}, the file {megabytes(end)}")
    if at < end:
        raise _RefusedError(f"holds {end - at:,} bytes behind its last tensor")
    return {entry.name: entry for entry in entries}


def _entry(name: str, fields: Any, data: int) -> TensorEntry:
    shown = shorten(name)
    if len(name) > LONGEST_NAME:
        raise _RefusedError(f"has a tensor whose name is {len(name):,} characters long")
    if not isinstance(fields, dict) or fields.keys() != {"dtype", "shape", "data_offsets"}:
        raise _RefusedError(f"does not give dtype, shape and data_offsets of {shown}, and nothing else")
    dtype, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_SIZE:
        raise _RefusedError(f"gives {shown} the unknown dtype {shorten(dtype, 20)}")
    if not _whole_numbers(shape) or len(shape) > MOST_DIMENSIONS:
        raise _RefusedError(f"gives {shown} a shape that no tensor has")
    if not _whole_numbers(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _RefusedError(f"gives {shown} data_offsets that are no range")
    start, stop = offsets
    if math.prod(shape) * ITEM_SIZE[dtype] != stop - start:
        raise _RefusedError(f"gives {shown} {stop - start:,} bytes, which its shape and dtype do not need")
    return TensorEntry(name, dtype, tuple(shape), data + start, stop - start)


def _whole_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**48 for n in value)
