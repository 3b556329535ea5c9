"""Frames between judge and worker: a JSON header and the raw bytes of its tensors.

A frame is a fixed prefix (magic, length of header, length of payload), the header (JSON, ASCII) and the payload.
Inside a header a value is written as itself (None, bool, int, float, str, list) or as an object with one key:

    {"d": {...}}            a dict with string keys
    {"T": [dtype, shape]}   a dense CPU tensor; its bytes are the next ones of the payload
    {"f": "nan"}            a float that JSON has no word for: nan, inf, -inf
    {"r": name}             a reference to an object that the worker keeps

Tensors have no offsets: they tile the payload in the order of the header, so no byte can be named twice and none
can be left over. Every count is capped before anything is allocated. The decoder raises :class:`WireError` and
nothing else, whatever the bytes are.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

MAGIC = b"gwk1"
PREFIX = struct.Struct(">4sIQ")
"""magic, bytes of the header, bytes of the payload."""

ITEM_SIZE = {
    "bool": 1,
    "uint8": 1,
    "int8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
    "float64": 8,
}
"""The dtypes that travel, with the bytes of one element."""

MAX_INT = 2**63
_SMALL = 2**16


@dataclass(frozen=True, slots=True)
class Caps:
    """Largest frame that is taken in; anything above is a :class:`WireError` (or :class:`Unsendable`)."""

    header_bytes: int = 8 * 2**20
    """Bytes of the JSON header."""
    payload_bytes: int = 256 * 2**20
    """Bytes of all tensors together."""
    depth: int = 32
    """Nesting of lists and dicts in one value."""
    nodes: int = 200_000
    """Values of all kinds in one frame."""
    tensors: int = 10_000
    """Tensors in one frame."""
    dimensions: int = 16
    """Dimensions of one tensor."""
    text: int = 100_000
    """Characters of one string."""


class WireError(Exception):
    """The bytes are not a frame, or one above the caps."""


class Unsendable(Exception):
    """A value that does not travel: where it is and a sentence that says what came and what to give instead."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path = path
        self.reason = reason

    def inside(self, place: str) -> Unsendable:
        """The same, told from outside: `place` holds what holds the value."""
        return Unsendable(place + self.path, self.reason)


@dataclass(frozen=True, slots=True)
class Kept:
    """On the way in: stands for the object that the worker keeps under this name."""

    name: str


Convert = Callable[[Any, str], Any]
"""Turns an object that is no plain value into one (value, path) -> value, or raises Unsendable."""


def _refuse(value: Any, path: str) -> NoReturn:
    raise Unsendable(
        path, f"is of type {type(value).__name__}; only plain values and dense CPU tensors travel"
    )


class Encoder:
    """Writes the values of one frame: the header's nodes are returned, the tensors' bytes gathered in `buffers`."""

    def __init__(self, caps: Caps | None = None, convert: Convert = _refuse) -> None:
        self.caps = caps or Caps()
        self.convert = convert
        self.buffers: list[bytes] = []
        self._payload = 0
        self._nodes = 0

    def encode(self, value: Any, path: str = "value") -> Any:
        """The header node of `value`, which is called `path`; raises Unsendable with the place inside the value."""
        try:
            return self._node(value, 0)
        except Unsendable as error:
            raise error.inside(path) from None

    def _node(self, value: Any, depth: int) -> Any:
        """Places are told on the way out of what does not travel: a text for each item of each list would take longer
        than the items."""
        self._nodes += 1
        if self._nodes > self.caps.nodes:
            raise Unsendable("", f"has more than {self.caps.nodes:,} items")
        if depth > self.caps.depth:
            raise Unsendable("", f"is nested more than {self.caps.depth} levels deep")
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return self._int(value)
        if kind is float:
            return value if math.isfinite(value) else {"f": repr(value)}
        if kind is str:
            return self._text(value)
        if kind is list or kind is tuple:
            return self._items(value, depth + 1)
        if kind is dict:
            return {"d": self._entries(value, depth + 1)}
        if kind is Kept:
            return {"r": value.name}
        torch = sys.modules.get("torch")
        if torch is not None and kind is torch.Tensor and (name := _plain_dtype(torch, value)):
            return self._tensor(value, name)
        self._nodes -= 1
        return self._node(self.convert(value, ""), depth + 1)

    def _items(self, values: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        nodes: list[Any] = []
        try:
            for item in values:
                nodes.append(self._node(item, depth))
        except Unsendable as error:
            raise error.inside(f"[{len(nodes)}]") from None
        return nodes

    def _entries(self, values: dict[Any, Any], depth: int) -> dict[str, Any]:
        nodes: dict[str, Any] = {}
        for key, item in values.items():
            name = self._key(key)
            try:
                nodes[name] = self._node(item, depth)
            except Unsendable as error:
                raise error.inside(f"[{key!r}]") from None
        return nodes

    def _int(self, value: int) -> int:
        if -MAX_INT <= value < MAX_INT:
            return value
        raise Unsendable("", "is an integer of more than 64 bits")

    def _text(self, value: str) -> str:
        if len(value) <= self.caps.text:
            return value
        raise Unsendable("", f"is a text of {len(value):,} characters; at most {self.caps.text:,} are taken")

    def _key(self, key: Any) -> str:
        if type(key) is not str:
            raise Unsendable("", f"has a key of type {type(key).__name__}; keys must be strings")
        return self._text(key)

    def _tensor(self, tensor: Any, name: str) -> dict[str, Any]:
        shape = list(tensor.shape)
        if len(shape) > self.caps.dimensions:
            raise Unsendable("", f"has {len(shape)} dimensions; at most {self.caps.dimensions} are taken")
        size = math.prod(shape) * ITEM_SIZE[name]
        self._payload += size
        if self._payload > self.caps.payload_bytes:
            limit = self.caps.payload_bytes / 2**20
            raise Unsendable("", f"makes the answer larger than {limit:,.0f} MiB")
        if len(self.buffers) >= self.caps.tensors:
            raise Unsendable("", f"is one of more than {self.caps.tensors:,} tensors")
        self.buffers.append(_bytes(tensor) if size else b"")
        return {"T": [name, shape]}


def _bytes(tensor: Any) -> bytes:
    """The elements one after the other, in row-major order whatever the strides."""
    torch = sys.modules["torch"]
    if tensor.dtype is torch.bfloat16:  # NumPy has no such type
        tensor = tensor.contiguous().view(torch.int16)
    data: bytes = tensor.numpy().tobytes()
    return data


def _plain_dtype(torch: Any, tensor: Any) -> str | None:
    """The name of its dtype where it is strided, on the CPU, of a listed dtype, with bytes that can be copied as they
    are; else None."""
    plain = (
        tensor.layout is torch.strided
        and tensor.is_cpu
        and not tensor.requires_grad
        and not tensor.is_neg()
        and not tensor.is_conj()
    )
    return _dtypes(torch)[1].get(tensor.dtype) if plain else None


@cache
def _dtypes(torch: Any) -> tuple[dict[str, Any], dict[Any, str]]:
    """The dtypes that travel, by name, and their names."""
    by_name = {name: getattr(torch, name) for name in ITEM_SIZE}
    return by_name, {dtype: name for name, dtype in by_name.items()}


def frame(header: dict[str, Any], buffers: list[bytes], caps: Caps | None = None) -> list[bytes]:
    """The pieces of one frame, to be sent in order. `header` is JSON-ready; raises WireError above the caps."""
    return framed(to_json(header), buffers, caps or Caps())


def framed(header: str, buffers: list[bytes], caps: Caps) -> list[bytes]:
    """The same of a header that is JSON already."""
    text = header.encode("ascii")
    if len(text) > caps.header_bytes:
        raise WireError(f"a header of {len(text):,} bytes is above the cap of {caps.header_bytes:,}")
    return [PREFIX.pack(MAGIC, len(text), sum(map(len, buffers))) + text, *buffers]


to_json = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
"""What is JSON-ready, as it stands in a header."""


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes with the small ones joined: each that is sent by itself wakes the other end."""
    small: list[bytes] = []
    for piece in pieces:
        if len(piece) > _SMALL:
            yield b"".join(small)
            yield piece
            small = []
        else:
            small.append(piece)
    yield b"".join(small)


def read_prefix(prefix: bytes, caps: Caps) -> tuple[int, int]:
    """(bytes of the header, bytes of the payload) that follow; raises WireError."""
    if len(prefix) != PREFIX.size:
        raise WireError("the prefix is cut short")
    magic, header, payload = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise WireError("the bytes do not start a frame")
    if header > caps.header_bytes or payload > caps.payload_bytes:
        raise WireError(f"a frame of {header:,} + {payload:,} bytes is above the caps")
    return header, payload


def read_header(text: bytes) -> dict[str, Any]:
    """The JSON object of a header; raises WireError."""
    try:
        header = _from_json(text.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise WireError(f"the header is not JSON: {str(error)[:200]}") from None
    if type(header) is not dict:
        raise WireError("the header is not an object")
    return header


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"bare {name}")


def _bounded_int(digits: str) -> int:
    value = int(digits) if len(digits) <= 20 else MAX_INT
    if -MAX_INT <= value < MAX_INT:
        return value
    raise ValueError("integer of more than 64 bits")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("number out of range")
    return value


_from_json = json.JSONDecoder(parse_constant=_no_constant, parse_int=_bounded_int, parse_float=_finite).decode


class Decoder:
    """Rebuilds the values of one frame. Call :meth:`decode` in the order of the header, then :meth:`finish`."""

    def __init__(
        self,
        payload: bytes | bytearray | memoryview,
        caps: Caps | None = None,
        resolve: Callable[[str], Any] | None = None,
    ) -> None:
        self.caps = caps or Caps()
        self.resolve = resolve
        self._payload = memoryview(payload)
        self._at = 0
        self._nodes = 0
        self._tensors = 0

    def decode(self, node: Any, depth: int = 0) -> Any:
        """The value of a header node; raises WireError (and whatever `resolve` raises)."""
        self._nodes += 1
        if self._nodes > self.caps.nodes or depth > self.caps.depth:
            raise WireError("a value has too many items or is nested too deep")
        kind = type(node)
        if node is None or kind is bool or kind is int or kind is float:
            return node
        if kind is str:
            return self.text(node)
        if kind is list:
            return [self.decode(item, depth + 1) for item in node]
        if kind is not dict or len(node) != 1:
            raise WireError("a value is of no known form")
        ((tag, body),) = node.items()
        if tag == "d" and type(body) is dict:
            return {self.text(key): self.decode(item, depth + 1) for key, item in body.items()}
        if tag == "T":
            return self._tensor(body)
        if tag == "f" and body in ("nan", "inf", "-inf"):
            return float(body)
        if tag == "r" and type(body) is str and self.resolve is not None:
            return self.resolve(body)
        raise WireError("a value is of no known form")

    def text(self, value: Any) -> str:
        """A string below the cap, without lone surrogates (they cannot be written to a file)."""
        if type(value) is not str or len(value) > self.caps.text:
            raise WireError("a text is too long or none")
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")

    def finish(self) -> None:
        """Raises WireError where the payload holds bytes that no tensor named."""
        if self._at != len(self._payload):
            raise WireError("the payload is longer than its tensors")

    def _tensor(self, body: Any) -> Any:
        name, shape = self._layout(body)
        size = math.prod(shape) * ITEM_SIZE[name]
        if size > len(self._payload) - self._at:
            raise WireError("a tensor reaches beyond the payload")
        raw = bytearray(self._payload[self._at : self._at + size])
        self._at += size
        import torch

        dtype = _dtypes(torch)[0][name]
        try:
            if not size:
                return torch.empty(shape, dtype=dtype)
        except RuntimeError:  # strides of an empty tensor of huge shape overflow
            raise WireError("a tensor has an impossible shape") from None
        if dtype is torch.bool:  # a byte other than 0 and 1 is no bool: comparing makes it one
            return (torch.frombuffer(raw, dtype=torch.uint8) != 0).reshape(shape)
        return torch.frombuffer(raw, dtype=dtype).reshape(shape)

    def _layout(self, body: Any) -> tuple[str, list[int]]:
        self._tensors += 1
        if self._tensors > self.caps.tensors or type(body) is not list or len(body) != 2:
            raise WireError("a tensor is of no known form, or there are too many")
        name, shape = body
        if type(name) is not str or name not in ITEM_SIZE or type(shape) is not list:
            raise WireError("a tensor has an unknown dtype or shape")
        if len(shape) > self.caps.dimensions:
            raise WireError("a tensor has an impossible shape")
        for n in shape:
            if type(n) is not int or not 0 <= n < 2**40:
                raise WireError("a tensor has an impossible shape")
        return name, shape
