"""Comparing a student's tensor with the reference's: shape, finiteness, values, with the worst place named."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from grader.model import Tolerance

_SHOWN = 6
"""Values of a tensor shown in a message before it is cut."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How far two tensors of one shape are apart."""

    agrees: bool
    largest: float
    """Largest absolute difference; infinity where a value is not finite on one side only."""
    where: tuple[int, ...]
    """Index of the largest difference."""
    obtained_there: float
    expected_there: float

    @property
    def place(self) -> str:
        """The worst position with both values, as a student reads it."""
        index = ", ".join(map(str, self.where))
        return f"[{index}]: {self.obtained_there:.6g} where {self.expected_there:.6g} is due"


def problem_with(value: Any, shape: tuple[int, ...] | None = None) -> str | None:
    """Why `value` cannot be compared at all, as a sentence, or None.

    Asks for a floating-point tensor of `shape` with finite values.
    """
    if not isinstance(value, torch.Tensor):
        return f"It returned {_kind(value)}; a tensor{_of_shape(shape)} is due."
    if not value.is_floating_point():
        return f"It returned a tensor of dtype {_dtype(value)}; a floating-point one is due."
    if value.dtype in (torch.float16, torch.bfloat16):
        return f"It returned a tensor of dtype {_dtype(value)}; keep the precision of the input, float32."
    if shape is not None and tuple(value.shape) != shape:
        return f"It returned a tensor of shape {show_shape(value.shape)}; {show_shape(shape)} is due."
    if math.isfinite(value.sum()) or value.isfinite().all():  # the sum of finite values may overflow
        return None
    if value.isnan().any():
        return f"{int(value.isnan().sum())} of its {value.numel()} values are NaN."
    return f"{int(value.isinf().sum())} of its {value.numel()} values are infinite."


def difference(obtained: torch.Tensor, expected: torch.Tensor, tolerance: Tolerance) -> Difference:
    """Compare tensors of one shape in float64: |obtained - expected| <= absolute + relative · |expected|.

    The expected side alone sets the scale, so that a student's value cannot widen its own tolerance.
    """
    if obtained.shape != expected.shape:
        raise ValueError(f"shapes differ: {tuple(obtained.shape)} and {tuple(expected.shape)}")
    # NumPy, whose functions begin sooner than torch's; these tensors are small
    got, due = obtained.detach().double().numpy(), expected.detach().double().numpy()
    if due.size == 0:
        return Difference(True, 0.0, (), 0.0, 0.0)
    with np.errstate(all="ignore"):
        gap = np.abs(got - due)
        if not math.isfinite(gap.max()):
            gap = np.where(np.isfinite(got) & np.isfinite(due), gap, np.inf)
        largest = float(gap.max())
        if tolerance.relative == 0:
            agrees, flat = largest <= tolerance.absolute, int(gap.argmax())
        else:
            allowed = tolerance.absolute + tolerance.relative * np.abs(due)
            agrees = bool((gap <= allowed).all())
            flat = int((gap if math.isinf(largest) else gap - allowed).argmax())
    where = tuple(map(int, np.unravel_index(flat, gap.shape)))
    return Difference(agrees, largest, where, float(got[where]), float(due[where]))


def show(value: Any) -> str:
    """A value as a student reads it: shape, dtype and the first numbers of a tensor; repr of the rest, cut."""
    if isinstance(value, torch.Tensor):
        numbers = ", ".join(f"{float(x):.4f}" for x in value.flatten()[:_SHOWN].tolist())
        more = ", …" if value.numel() > _SHOWN else ""
        return f"tensor of shape {show_shape(value.shape)}, {_dtype(value)}: {numbers}{more}"
    text = repr(value)
    return text if len(text) <= 300 else text[:299] + "…"


def show_shape(shape: Any) -> str:
    """(1, 2, 3) for a torch.Size."""
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def _kind(value: Any) -> str:
    if value is None:
        return "None (is a `return` missing?)"
    if isinstance(value, list):
        return f"a list or tuple of {len(value)}"
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"


def _of_shape(shape: tuple[int, ...] | None) -> str:
    return f" of shape {show_shape(shape)}" if shape is not None else ""


def _dtype(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")
