"""Dropout, replayed: torch draws the same numbers again from the same seed, whatever they are multiplied with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class Mode(NamedTuple):
    """How a module was called."""

    training: bool = False
    seed: int = 0
    """Of torch's generator, right before the call."""
    p: float = 0.1
    """Probability of dropout that the module was built with."""


class Kind(NamedTuple):
    """What is dropped, how and when."""

    where: tuple[str, ...]
    """Names of the tensors of a forward pass: each is dropped once for each time it is named."""
    p: float | None = None
    """A probability of their own; None for the one that the module was built with."""
    always: bool = False
    """In eval mode too."""
    alike: int | None = None
    """Axis along which all are dropped together."""
    rescaled: bool = True
    """What is kept is multiplied by 1 / (1 - p)."""


def shows(kind: Kind, modes: Iterable[Mode]) -> bool:
    """Whether a call in one of these modes drops anything."""
    return bool(kind.where) and any(mode.training or kind.always for mode in modes)


class Drop:
    """Drops out of the tensors of one forward pass what a kind says."""

    def __init__(self, kind: Kind, mode: Mode) -> None:
        self._kind = kind
        self._p = mode.p if kind.p is None else kind.p
        self.active = shows(kind, [mode])
        """False where every tensor is left as it is."""

    def __call__(self, where: str, x: Tensor, axes: int) -> Tensor:
        """x as it is after dropout. axes: of these last axes numbers are drawn; those before them share the draw."""
        if self.active:
            one = x if x.dim() == axes else x[0]
            for place in self._kind.where:
                x = x * self._draw(one) if place == where else x
        return x

    def _draw(self, x: Tensor) -> Tensor:
        """0 or 1 / (1 - p) for each element. torch draws in the order in which the elements of x lie in memory."""
        if self._kind.alike is not None:
            x = x.narrow(self._kind.alike, 0, 1)
        if not self._kind.rescaled:
            return (torch.rand_like(x) > self._p).float()
        return F.dropout(torch.ones_like(x), self._p, training=True)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """torch's generator starts from `seed` inside, and goes on outside as if nothing had been drawn."""
    before = torch.default_generator.get_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.default_generator.set_state(before)
