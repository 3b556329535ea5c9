"""Files of torch.save, opened where they can do no harm: inside the worker, with weights_only=True.

A pickle is a program. With weights_only it can build tensors and plain containers alone, and the process that runs it
is sealed all the same. What comes back to the judge are plain tensors, a few at a time.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, ClassVar

import torch

_NESTED = ("state_dict", "model_state_dict", "model")
"""Under which a state_dict is often saved together with other things."""


class _Reader(io.RawIOBase):
    """Reads from the bytes that were sent, without a second copy of them."""

    def __init__(self, content: bytearray) -> None:
        self._content = memoryview(content)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, len(self._content))[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        part = self._content[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


class _Opened:
    """The file while it arrives, and its tensors once it was opened."""

    content: ClassVar[bytearray] = bytearray()
    state: ClassVar[dict[str, torch.Tensor]] = {}


def pickled_begin() -> None:
    """Forget an earlier file."""
    _Opened.content, _Opened.state = bytearray(), {}


def pickled_append(piece: torch.Tensor) -> None:
    """The next bytes of the file, as a tensor of uint8."""
    _Opened.content += piece.numpy().tobytes()


def pickled_open() -> dict[str, list[Any]]:
    """Name -> [dtype, shape] of each tensor of the file; anything that is no state_dict raises."""
    file = io.BufferedReader(_Reader(_Opened.content))
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    finally:
        _Opened.content = bytearray()
    for key in _NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
            break
    if not isinstance(found, Mapping):
        raise TypeError(f"The file holds a {type(found).__name__}; a state_dict is due.")
    _Opened.state = {str(name): value for name, value in found.items() if isinstance(value, torch.Tensor)}
    return {name: [str(value.dtype), list(value.shape)] for name, value in _Opened.state.items()}


def pickled_tensors(names: list[str]) -> dict[str, torch.Tensor]:
    """Some of the tensors, in float32; each can be had once."""
    return {name: _Opened.state.pop(name).detach().float().contiguous() for name in names}
