"""The wire: what goes in comes out, and no bytes whatever make the decoder crash or allocate beyond its caps."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.worker.inside import wire

DTYPES = sorted(wire.ITEM_SIZE)


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    dtype = getattr(torch, draw(st.sampled_from(DTYPES)))
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    count = math.prod(shape)
    raw = draw(st.binary(min_size=count * 8, max_size=count * 8))
    numbers = torch.frombuffer(bytearray(raw), dtype=torch.uint8)[: count * 8] if count else torch.empty(0)
    values = numbers.reshape(-1)[:count].to(dtype) if count else torch.empty(0, dtype=dtype)
    return values.reshape(shape)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | tensors(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def same(a: Any, b: Any) -> bool:
    """Equal with types, NaN equal to NaN, tensors by dtype, shape and bytes."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and bool(torch.equal(a, b))
    if isinstance(a, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return bool(a == b)


def through(value: Any) -> Any:
    encoder = wire.Encoder()
    pieces = wire.frame({"v": encoder.encode(value)}, encoder.buffers)
    data = b"".join(pieces)
    head, size = wire.read_prefix(data[: wire.PREFIX.size], wire.Caps())
    header = wire.read_header(data[wire.PREFIX.size : wire.PREFIX.size + head])
    payload = data[wire.PREFIX.size + head :]
    assert len(payload) == size
    decoder = wire.Decoder(payload)
    result = decoder.decode(header["v"])
    decoder.finish()
    return result


@settings(max_examples=150, deadline=None)
@given(plain)
def test_every_plain_value_comes_back_as_it_went(value: Any) -> None:
    assert same(through(value), value)


def test_a_tuple_arrives_as_a_list_and_tensors_are_writable_copies() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    out = through((x.t(), x[:, 1], x.expand(2, 2, 3)))
    assert isinstance(out, list)
    assert all(torch.equal(a, b) for a, b in zip(out, (x.t(), x[:, 1], x.expand(2, 2, 3)), strict=True))
    out[0][0, 0] = 7
    assert x[0, 0] == 0


def outcome(read: Callable[[], Any]) -> Any:
    """What `read` returns, or the one error that it may raise."""
    try:
        return read()
    except wire.WireError as error:
        return error


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_crash_the_prefix_or_the_header(data: bytes) -> None:
    assert isinstance(outcome(lambda: wire.read_prefix(data, wire.Caps())), tuple | wire.WireError)
    assert isinstance(outcome(lambda: wire.read_header(data)), dict | wire.WireError)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["d", "T", "f", "r", "x"]), inner, max_size=2)
        | st.tuples(
            st.just("T"), st.tuples(st.sampled_from([*DTYPES, "complex64"]), st.lists(inner, max_size=3))
        ).map(lambda pair: {pair[0]: list(pair[1])})
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(junk, st.binary(max_size=64))
def test_no_header_crashes_the_decoder(node: Any, payload: bytes) -> None:
    decoder = wire.Decoder(payload)
    result = outcome(lambda: decoder.decode(json.loads(json.dumps(node))))
    kinds = (type(None), bool, int, float, str, list, dict, torch.Tensor, wire.WireError)
    assert isinstance(result, kinds)


@pytest.mark.parametrize(
    "text",
    [
        b"{" * 60_000,
        b'{"v":' + b"[" * 60_000 + b"]" * 60_000 + b"}",
        b'{"v":' + b"9" * 50_000 + b"}",
        b'{"v": NaN}',
        b'{"v": Infinity}',
        b'{"v": 1e999}',
        b'{"v": 9223372036854775808}',
        '{"v": "é"}'.encode(),
        b"[]",
        b"",
    ],
    ids=["unclosed", "deep", "digits", "nan", "inf", "overflow", "65 bits", "not ascii", "list", "empty"],
)
def test_hostile_headers_are_refused(text: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.read_header(text)


def test_a_frame_above_the_caps_is_refused_before_it_is_read() -> None:
    caps = wire.Caps(header_bytes=10, payload_bytes=10)
    for header, payload in ((11, 0), (0, 11), (2**32 - 1, 2**64 - 1)):
        with pytest.raises(wire.WireError, match="above the caps"):
            wire.read_prefix(wire.PREFIX.pack(wire.MAGIC, header, payload), caps)


@pytest.mark.parametrize(
    "node",
    [
        {"T": ["float32", [3]]},
        {"T": ["float32", [-1]]},
        {"T": ["float32", [2**62, 4]]},
        {"T": ["float32", [2**39] * 16]},
        {"T": ["float32", [True]]},
        {"T": ["float32", [0, 2**39, 2**39]]},
        {"T": ["object", [1]]},
        {"T": ["float32", [1] * 17]},
        {"T": ["float32"]},
        {"f": "NaN"},
        {"r": "x"},
        {"d": []},
        {"d": {}, "f": "nan"},
        {},
    ],
)
def test_impossible_nodes_are_refused(node: Any) -> None:
    with pytest.raises(wire.WireError):
        wire.Decoder(b"12345678").decode(node)


def test_tensors_tile_the_payload() -> None:
    decoder = wire.Decoder(bytes(8))
    decoder.decode({"T": ["float32", [1]]})
    with pytest.raises(wire.WireError, match="longer than its tensors"):
        decoder.finish()
    decoder.decode({"T": ["float32", [1]]})
    decoder.finish()
    with pytest.raises(wire.WireError, match="beyond the payload"):
        decoder.decode({"T": ["float32", [1]]})


def test_a_bool_has_two_values_whatever_its_byte() -> None:
    out = wire.Decoder(bytes([0, 1, 2, 255])).decode({"T": ["bool", [4]]})
    assert out.dtype == torch.bool
    assert out.view(torch.uint8).tolist() == [0, 1, 1, 1]


def test_lone_surrogates_do_not_reach_the_judge() -> None:
    assert wire.Decoder(b"").decode("a\ud800b") == "a?b"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (2**63, "more than 64 bits"),
        ("x" * 100_001, "a text of 100,001 characters"),
        ({1: 2}, "keys must be strings"),
        ({"a": [1, object()]}, "of type object"),
        (torch.zeros(1, 1).expand(2**20, 2**20), "larger than"),
        ([[]] * 200_001, "more than 200,000 items"),
    ],
    ids=["int", "text", "key", "object", "expanded", "many"],
)
def test_what_cannot_be_sent_says_why(value: Any, reason: str) -> None:
    with pytest.raises(wire.Unsendable, match=reason):
        wire.Encoder().encode(value)


def test_a_list_that_holds_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(wire.Unsendable, match="levels deep"):
        wire.Encoder().encode(loop)


def test_the_place_inside_the_value_is_named() -> None:
    with pytest.raises(wire.Unsendable) as caught:
        wire.Encoder().encode({"a": [1, {"b": object()}]}, "result")
    assert caught.value.path == "result['a'][1]['b']"


@given(st.lists(st.binary(max_size=40)))
def test_joined_pieces_are_the_same_bytes_and_large_ones_are_not_copied(pieces: list[bytes]) -> None:
    large = bytes(2**16 + 1)
    mixed = [*pieces, large, *pieces]
    joined = list(wire.gathered(mixed))
    assert b"".join(joined) == b"".join(mixed)
    assert len(joined) == 3
    assert joined[1] is large
