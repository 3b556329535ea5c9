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
    """
    named = tuple((name, tuple(shape)) for name, shape in shapes.items())
    return {name: values.clone() for name, values in _drawn(named, seed).items()}


@lru_cache(maxsize=16)
def _drawn(shapes: tuple[tuple[str, tuple[int, ...]], ...], seed: int) -> dict[str, Tensor]:
    """Kept: a judge draws for each submission of a class what it has drawn for the others."""
    generator = torch.Generator().manual_seed(seed)
    drawn = {name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in shapes}
    square: dict[int, list[str]] = {}
    for name, shape in shapes:
        side = math.isqrt(drawn[name].numel())
        if len(shape) >= 2 and side in shape and side * side == drawn[name].numel():
            square.setdefault(side, []).append(name)
        else:
            drawn[name] = (drawn[name] * (1.5 / shape[-1] ** 0.5 if len(shape) >= 2 else 0.3)).float()
    for side, names in square.items():
        for name, values in zip(names, _orthogonal([drawn[name] for name in names], side), strict=True):
            drawn[name] = values
    return drawn


def _orthogonal(normal: Sequence[Tensor], side: int) -> list[Tensor]:
    """1.5 × orthogonal, each of its shape; all of a side in one go, which is most of what drawing them takes."""
    q, r = torch.linalg.qr(torch.stack([tensor.reshape(side, side) for tensor in normal]))
    all_values = (1.5 * q * r.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)).float()
    shaped = []
    for values, tensor in zip(all_values, normal, strict=True):
        axis = tensor.shape.index(side)  # the rows; the other axes make up the columns
        shaped.append(values.reshape(side, *tensor.movedim(axis, 0).shape[1:]).movedim(0, axis))
    return shaped
