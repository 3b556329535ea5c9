"""Carries out the calls of one batch: finds the target, rebuilds the arguments, calls, and gathers what came out."""

from __future__ import annotations

import contextlib
import inspect
import random
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from . import wire
from .handin import HandIn
from .output import Capture
from .plain import plain
from .problems import StudentProblem, frames_of, text_of


class Caller:
    """Answers calls on one hand-in. Objects that a call keeps live here."""

    def __init__(
        self, handin: HandIn, harness: ModuleType | None, capture: Capture, reply_caps: wire.Caps
    ) -> None:
        self._handin = handin
        self._harness = harness
        self._capture = capture
        self._caps = reply_caps
        self._kept: dict[str, Any] = {}
        if harness is not None:
            harness.student = handin.find  # type: ignore[attr-defined]
            harness.cells = handin.cells  # type: ignore[attr-defined]

    def batch(
        self, calls: list[dict[str, Any]], payload: memoryview
    ) -> tuple[list[dict[str, Any]], list[bytes]]:
        """One reply for each call, in order; after the first that did not return, the others are skipped."""
        incoming = wire.Decoder(payload, _REQUEST_CAPS, resolve=wire.Kept)
        arguments = [(incoming.decode(call["args"]), incoming.decode(call["kwargs"])) for call in calls]
        incoming.finish()
        outgoing = wire.Encoder(self._caps, convert=plain)
        replies: list[dict[str, Any]] = []
        broken = False
        for call, (args, kwargs) in zip(calls, arguments, strict=True):
            if broken:
                skipped = StudentProblem("skipped", "Not called, because an earlier call did not return.")
                replies.append({"raised": skipped.fields(), "output": ""})
                continue
            reply = self._one(call, args, kwargs, outgoing)
            broken = "raised" in reply
            replies.append(reply)
        return replies, outgoing.buffers

    def _one(
        self, call: dict[str, Any], args: list[Any], kwargs: dict[str, Any], out: wire.Encoder
    ) -> dict[str, Any]:
        self._capture.start()
        mark = len(out.buffers)
        try:
            started = time.process_time()
            value = self._call(call, args, kwargs)
            seconds = time.process_time() - started
            node = self._hand_over(call, value, out)
        except StudentProblem as problem:
            del out.buffers[mark:]
            return {"raised": problem.fields(), "output": self._capture.take()}
        return {"ok": node, "seconds": seconds, "output": self._capture.take()}

    def _call(self, call: dict[str, Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
        try:
            target, is_value = self._target(call["target"])
            if is_value and not args and not kwargs:
                return target
            ready = [self._resolve(a) for a in args]
            named = {k: self._resolve(v) for k, v in kwargs.items()}
            if call["seed"] is not None:
                seed_everything(call["seed"])
            return self._called(call["target"], target, ready, named)
        except StudentProblem:
            raise
        except BaseException as error:
            raise self._raised(call["target"], error) from None

    def _hand_over(self, call: dict[str, Any], value: Any, out: wire.Encoder) -> Any:
        if call["keep"] is not None:
            self._kept[call["keep"]] = value
            return None
        try:
            return out.encode(value, "The result")
        except wire.Unsendable as error:
            raise StudentProblem("value", f"{error.path} {error.reason}.") from None
        except BaseException as error:
            message = f"The result cannot be read: {type(error).__name__}: {text_of(error)}"
            raise StudentProblem("value", message, type_name=type(error).__name__) from None

    def _target(self, name: str) -> tuple[Any, bool]:
        """(the object, is it a mere value that a call without arguments reads?)"""
        space, _, rest = name.partition(":")
        if space == "student":
            target = self._handin.find(rest)
            if not callable(target):
                message = f"{rest} is of type {type(target).__name__}, not a class or function."
                raise StudentProblem("missing", message)
            return target, False
        if space == "harness":
            return getattr(self._harness, rest), False
        first, *attributes = rest.split(".")
        target = self._kept[first]
        for attribute in attributes:
            target = getattr(target, attribute)
        return target, not callable(target)

    def _resolve(self, value: Any) -> Any:
        if type(value) is wire.Kept:
            return self._kept[value.name]
        if type(value) is list:
            return [self._resolve(item) for item in value]
        if type(value) is dict:
            return {key: self._resolve(item) for key, item in value.items()}
        return value

    def _called(self, name: str, target: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """The result. Only where a TypeError came out is it asked whether the arguments fit: that takes longer."""
        try:
            return target(*args, **kwargs)
        except TypeError:
            if not name.startswith("harness:"):
                _refuse_misfit(name, target, args, kwargs)
            raise

    def _raised(self, name: str, error: BaseException) -> StudentProblem:
        frames = frames_of(error, self._handin.folder, self._handin.sources)
        type_name = type(error).__name__
        if isinstance(error, SystemExit | KeyboardInterrupt):
            message = f"The code ended the program ({type_name}: {text_of(error)}); a function has to return."
            return StudentProblem("exit", message, type_name=type_name, frames=frames)
        if isinstance(error, NameError) and (earlier := self._handin.why_missing(error)) is not None:
            return earlier
        if isinstance(error, TypeError) and not frames and not name.startswith("harness:"):
            return StudentProblem("signature", text_of(error), type_name=type_name)
        return StudentProblem("exception", text_of(error), type_name=type_name, frames=frames)


_REQUEST_CAPS = wire.Caps(header_bytes=32 * 2**20, payload_bytes=2**30, nodes=2_000_000, text=2_000_000)


def request_caps() -> wire.Caps:
    """What a worker takes from the judge."""
    return _REQUEST_CAPS


def seed_everything(seed: int) -> None:
    """torch, numpy and random, as far as they are loaded."""
    random.seed(seed)
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch is not None:
        torch.default_generator.manual_seed(seed)  # torch.manual_seed keeps a stack trace for an absent GPU
    if numpy is not None:
        numpy.random.seed(seed % 2**32)


def _signature(target: Any) -> inspect.Signature | None:
    """Of a module its forward's, of a class its constructor's; None where it cannot be told."""
    torch = sys.modules.get("torch")
    asked: Callable[..., Any] = target
    if torch is not None and isinstance(target, torch.nn.Module):
        asked = target.forward
    try:
        return inspect.signature(asked)
    except Exception:
        return None


def _refuse_misfit(name: str, target: Any, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Raise StudentProblem where the arguments do not fit what `target` takes."""
    signature = _signature(target)
    if signature is None:
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise StudentProblem("signature", _misfit(name, target, args, kwargs, text_of(error))) from None


def _misfit(name: str, target: Any, args: list[Any], kwargs: dict[str, Any], reason: str) -> str:
    """`MultiHeadAttention(embed_dim, num_heads=2) cannot be called with ...: reason`."""
    shown = name.partition(":")[2]
    if isinstance(target, type):
        shown = target.__name__
    found = ""
    with contextlib.suppress(Exception):
        found = str(_signature(target))[:500]
    given = [f"{len(args)} positional argument{'s' if len(args) != 1 else ''}"] if args else []
    given += [f"{key}=" for key in kwargs]
    return f"{shown}{found} cannot be called with {', '.join(given) or 'no arguments'}: {reason}."
