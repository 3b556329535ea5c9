"""A file of torch.save as a source of weights: sent to the sealed worker, opened there, taken back tensor by tensor."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from grader.checking.received import tampered, tensors
from grader.checking.student import Student
from grader.intake.weights import WeightsFile
from grader.worker.calls import Call, Raised
from reference.transformer.architecture import NotUsableError
from reference.transformer.checkpoints import Shapes

_PIECE = 64 * 2**20
"""Bytes that travel at once, either way."""
_SAVE = "Save it with model.save_pretrained(folder): that writes safetensors, which hold nothing but weights."


class Pickled:
    """The tensors of one pickle: a Source. Raises NotUsableError, and StudentFault where the worker dies of it."""

    def __init__(self, file: WeightsFile, student: Student) -> None:
        self._path, self._student = file.path, student
        student.ask(Call("harness:pickled_begin"))
        for piece in file.pieces():
            sent = torch.frombuffer(bytearray(piece), dtype=torch.uint8)
            student.ask(Call("harness:pickled_append", (sent,)))
        [reply] = student.replies(Call("harness:pickled_open"))
        if isinstance(reply, Raised):
            cause = next(iter(reply.message.strip().splitlines()), reply.type_name)
            raise NotUsableError(f"{file.path} cannot be opened as weights alone: {cause[:160]}", _SAVE)
        self._shapes = _shapes(reply.value)

    @property
    def shapes(self) -> Shapes:
        return self._shapes

    def read(self, names: Iterable[str]) -> Iterable[tuple[str, Tensor]]:
        """Each name once."""
        for group in self._groups(list(names)):
            [found] = self._student.ask(Call("harness:pickled_tensors", (group,)))
            for name, value in tensors(found, "the weights of a checkpoint").items():
                if (
                    name not in group
                    or tuple(value.shape) != self._shapes[name]
                    or value.dtype != torch.float32
                ):
                    raise tampered("the weights of a checkpoint")
                yield name, value

    def _groups(self, names: list[str]) -> Iterable[list[str]]:
        """As many at once as travel together."""
        group: list[str] = []
        size = 0
        for name in names:
            more = 4 * math.prod(self._shapes[name])
            if group and size + more > _PIECE:
                yield group
                group, size = [], 0
            group.append(name)
            size += more
        if group:
            yield group


def _shapes(value: Any) -> dict[str, tuple[int, ...]]:
    if not isinstance(value, dict):
        raise tampered("the names of a checkpoint's weights")
    found = {}
    for name, described in value.items():
        if not isinstance(described, list) or len(described) != 2 or not isinstance(described[1], list):
            raise tampered("the names of a checkpoint's weights")
        if not all(type(n) is int and n >= 0 for n in described[1]):
            raise tampered("the names of a checkpoint's weights")
        found[name] = tuple(described[1])
    return found
