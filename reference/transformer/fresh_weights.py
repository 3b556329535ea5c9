"""Weights drawn from a seed, for a module of any shape: the same in the process that runs it and in the judge.

The judge compares under weights that it drew by itself. What the worker says its weights are does not count: code that
lies could name weights under which anything is right, zeros for a start.

This file needs nothing but torch and holds no secret, so that it can run beside code that is not trusted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor


def fresh_weights(shapes: Mapping[str, Sequence[int]], seed: int) -> dict[str, Tensor]:
    """float32 values for every parameter, in the order of `shapes`, of a size at which wrong formulas show.

    Square matrices become 1.5 × orthogonal, so that an output can be traced back through them, and so do tensors that
    are one with an axis split, such as (E, H, D) or (E, E, 1); other matrices are normal with standard deviation
    1.5 / sqrt(columns); the rest is normal with 0.3.

    Not to be written to: whoever asks for the same gets the same tensors.
    """
    return dict(_drawn(tuple((name, tuple(shape)) for name, shape in shapes.items()), seed))


@lru_cache(maxsize=16)
def _drawn(shapes: tuple[tuple[str, tuple[int, ...]], ...], seed: int) -> dict[str, Tensor]:
    """Kept: a judge draws for each submission of a class what it has drawn for the others."""
    generator = torch.Generator().manual_seed(seed)
    sizes = [math.prod(shape) for _, shape in shapes]
    normal = torch.split(torch.randn(sum(sizes), generator=generator, dtype=torch.float64), sizes)
    drawn: dict[str, Tensor] = {}
    square: dict[int, list[str]] = {}
    for (name, shape), size, values in zip(shapes, sizes, normal, strict=True):
        side = math.isqrt(size)
        drawn[name] = values if len(shape) == 1 else values.view(shape)
        if len(shape) >= 2 and side in shape and side * side == size:
            square.setdefault(side, []).append(name)
        else:
            drawn[name] = (drawn[name] * (1.5 / shape[-1] ** 0.5 if len(shape) >= 2 else 0.3)).float()
    for side, names in square.items():
        drawn |= zip(names, _orthogonal([drawn[name] for name in names], side), strict=True)
    return drawn


def _orthogonal(normal: Sequence[Tensor], side: int) -> list[Tensor]:
    """1.5 × orthogonal, each of its shape; all of a side in one go, which is most of what drawing them takes."""
    q, r = torch.linalg.qr(torch.stack([tensor.view(side, side) for tensor in normal]))
    all_values = (q * r.diagonal(dim1=-2, dim2=-1).sign().mul(1.5).unsqueeze(-2)).float().unbind()
    return [_as_shaped(values, tensor.shape) for values, tensor in zip(all_values, normal, strict=True)]


def _as_shaped(values: Tensor, shape: torch.Size) -> Tensor:
    """A square matrix in a shape of which one axis is its rows, and the others make up the columns."""
    if len(shape) == 2:
        return values
    axis = shape.index(len(values))
    return values.reshape(len(values), *shape[:axis], *shape[axis + 1 :]).movedim(0, axis)
