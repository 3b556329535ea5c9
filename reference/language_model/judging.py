"""Holding what came back against the reference, in the words of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from grader.checking.compare import difference, problem_with, show
from grader.checking.evidence import Running
from grader.checking.outcomes import Failed
from grader.checking.received import tampered


def drawn(check: Running) -> torch.Generator:
    """What the inputs of this check are drawn from."""
    return torch.Generator().manual_seed(check.seed)


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Independent standard normal numbers, float32."""
    return torch.randn(*shape, generator=generator)


def whole(generator: torch.Generator, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def agree(check: Running, obtained: Any, expected: Tensor, what: str, hint: str) -> None:
    """Fail unless `obtained` is a tensor within the check's tolerance of `expected`; `what` begins the sentence."""
    worst = off(check, obtained, expected, what, hint)
    if worst is not None:
        raise Failed(f"{what} is off by up to {worst:.3g}.", hint)


def off(check: Running, obtained: Any, expected: Tensor, what: str, hint: str) -> float | None:
    """The largest difference where it is beyond the tolerance, else None; raises Failed for what cannot be compared.

    `check` takes down what was found: the largest difference over all calls, and the last that is beyond.
    """
    problem = problem_with(obtained, tuple(expected.shape))
    if problem:
        check.expected, check.obtained = show(expected), show(obtained)
        raise Failed(f"{what}: {problem[0].lower()}{problem[1:]}", hint)
    tolerance = check.declaration.tolerance
    assert tolerance is not None
    found = difference(obtained, expected, tolerance)
    check.largest_difference = max(check.largest_difference or 0.0, found.largest)
    if found.agrees:
        return None
    check.expected, check.obtained, check.where = show(expected), show(obtained), found.place
    return found.largest


def agree_on_number(check: Running, obtained: Any, expected: float, what: str, hint: str) -> None:
    """The same of one number; a tensor with one element counts."""
    if isinstance(obtained, Tensor) and obtained.numel() == 1 and not obtained.is_complex():
        obtained = float(obtained)
    if isinstance(obtained, int) and not isinstance(obtained, bool):
        obtained = float(obtained)
    if not isinstance(obtained, float):
        check.obtained = show(obtained)
        raise Failed(f"{what}: a number is due, and not a {type(obtained).__name__}.", hint)
    agree(check, torch.tensor([obtained]).double(), torch.tensor([expected]).double(), what, hint)


def together(pieces: Any, lengths: Sequence[int]) -> Any:
    """Outputs (B, S, …) of consecutive pieces as one tensor; where they do not fit, the first that does not, for the
    comparison to say what is wrong with it."""
    found = items(pieces, len(lengths), "the outputs")
    for piece, length in zip(found, lengths, strict=True):
        if not isinstance(piece, Tensor) or piece.dim() != 3 or piece.size(1) != length:
            return piece
    if len({(piece.size(0), piece.size(2), piece.dtype) for piece in found}) > 1:
        return found[-1]
    return torch.cat(found, dim=1)


def same(check: Running, obtained: Any, expected: Any, what: str, hint: str) -> None:
    """Fail unless both are equal: texts, whole numbers, and lists of them."""
    if isinstance(expected, list):
        obtained = as_list(obtained)
    check.expected, check.obtained = show(expected), show(obtained)
    if obtained == expected:
        return
    if isinstance(obtained, list) and isinstance(expected, list):
        at = next(
            (i for i, (a, b) in enumerate(zip(obtained, expected, strict=False)) if a != b),
            min(len(obtained), len(expected)),
        )
        check.where = (
            f"item {at}" if at < len(obtained) else f"after {at} items, where {len(expected)} are due"
        )
    raise Failed(f"{what} is not what is due.", hint)


def as_list(value: Any) -> Any:
    """A tensor of whole numbers as nested lists; anything else as it is."""
    return value.tolist() if isinstance(value, Tensor) and not value.is_floating_point() else value


def items(value: Any, count: int, what: str) -> list[Any]:
    """A helper's answer that is a list of `count` items."""
    if not isinstance(value, list) or len(value) != count:
        raise tampered(what)
    return value
