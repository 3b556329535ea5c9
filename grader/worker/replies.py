"""Turns the header and payload of a worker's answer into replies. Everything in them is untrusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from grader.worker.calls import Call, Frame, Raised, Ref, Reply, Returned
from grader.worker.inside import wire

_KINDS = frozenset(
    ("missing", "ambiguous", "syntax", "import", "signature", "exception", "exit", "value", "skipped")
)
_MESSAGE, _OUTPUT, _NAME = 2_000, 4_000, 200


def encode_calls(request: str, calls: Sequence[Call], caps: wire.Caps) -> list[bytes]:
    """The pieces of a request frame; raises wire.Unsendable where an argument is no plain value (our mistake)."""
    written = _written(tuple(calls), caps)
    return wire.framed(f'{{"id":{wire.to_json(request)},"calls":{written.calls}}}', written.buffers, caps)


class _Written(NamedTuple):
    """Calls as they are sent."""

    calls: str
    """JSON."""
    buffers: list[bytes]


_kept: dict[tuple[Call, ...], _Written] = {}
"""The latest that were written; a class is asked the same questions under one seed."""
_MOST_KEPT = 64
_MOST_KEPT_BYTES = 2**18
"""Of one batch: the weights of a model are sent once."""


def _written(calls: tuple[Call, ...], caps: wire.Caps) -> _Written:
    known = _kept.pop(calls, None) or _write(calls, caps)
    if len(known.calls) + sum(map(len, known.buffers)) <= _MOST_KEPT_BYTES:
        _kept[calls] = known  # the latest is the last
        if len(_kept) > _MOST_KEPT:
            del _kept[next(iter(_kept))]
    return known


def _write(calls: Sequence[Call], caps: wire.Caps) -> _Written:
    encoder = wire.Encoder(caps, convert=_argument)
    body = [
        {
            "target": call.target,
            "args": encoder.encode(list(call.args), f"{call.target} args"),
            "kwargs": encoder.encode(dict(call.kwargs), f"{call.target} kwargs"),
            "seed": call.seed,
            "keep": call.keep,
        }
        for call in calls
    ]
    return _Written(wire.to_json(body), [b"".join(encoder.buffers)])


def _argument(value: Any, path: str) -> Any:
    if isinstance(value, Ref):
        return wire.Kept(value.name)
    detach = getattr(value, "detach", None)
    if detach is not None and getattr(value, "requires_grad", False):
        return detach()
    raise wire.Unsendable(
        path, f"is of type {type(value).__name__}; only plain values and dense CPU tensors travel"
    )


def decode_replies(
    header: dict[str, Any], payload: memoryview, expected: int, caps: wire.Caps
) -> list[Reply]:
    """Exactly `expected` replies; raises wire.WireError for anything else."""
    body = header.get("replies")
    if type(body) is not list or len(body) != expected:
        raise wire.WireError("the answer holds another number of replies than there were calls")
    decoder = wire.Decoder(payload, caps)
    replies = [_reply(item, decoder) for item in body]
    decoder.finish()
    return replies


def _reply(item: Any, decoder: wire.Decoder) -> Reply:
    if type(item) is not dict:
        raise wire.WireError("a reply is of no known form")
    output = _text(item.get("output"), _OUTPUT)
    if item.keys() == {"ok", "seconds", "output"}:
        seconds = item["seconds"]
        if type(seconds) not in (int, float):
            raise wire.WireError("a reply is of no known form")
        return Returned(decoder.decode(item["ok"]), output, float(seconds))
    if item.keys() == {"raised", "output"}:
        return _raised(item["raised"], output)
    raise wire.WireError("a reply is of no known form")


def _raised(fields: Any, output: str) -> Raised:
    if type(fields) is not dict or type(fields.get("kind")) is not str or fields["kind"] not in _KINDS:
        raise wire.WireError("a reply is of no known form")
    frames = fields.get("frames")
    if type(frames) is not list or len(frames) > 100:
        raise wire.WireError("a traceback is of no known form")
    suggestion = fields.get("suggestion")
    return Raised(
        kind=fields["kind"],
        type_name=_text(fields.get("type_name"), _NAME),
        message=_text(fields.get("message"), _MESSAGE),
        frames=tuple(_frame(frame) for frame in frames),
        suggestion=None if suggestion is None else _text(suggestion, _NAME),
        output=output,
    )


def _frame(frame: Any) -> Frame:
    if type(frame) is not list or len(frame) != 4 or type(frame[1]) is not int:
        raise wire.WireError("a traceback is of no known form")
    file, line, function, code = frame
    return Frame(_text(file, 1_000), line, _text(function, _NAME), _text(code, _NAME))


def _text(value: Any, longest: int) -> str:
    if type(value) is not str:
        raise wire.WireError("a text is missing")
    text = str(value)[:longest]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
