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
    drawn: dict[str, Tensor] = {}
    for name, shape in shapes:
        normal = torch.randn(shape, generator=generator, dtype=torch.float64)
        side = math.isqrt(normal.numel())
        if len(shape) >= 2 and side in shape and side * side == normal.numel():
            axis = shape.index(side)  # the rows; the other axes make up the columns
            rest = normal.movedim(axis, 0).shape[1:]
            q, r = torch.linalg.qr(normal.reshape(side, side))
            values = (1.5 * q * r.diagonal().sign()).reshape(side, *rest).movedim(0, axis)
        elif len(shape) >= 2:
            values = normal * 1.5 / shape[-1] ** 0.5
        else:
            values = normal * 0.3
        drawn[name] = values.float()
    return drawn
