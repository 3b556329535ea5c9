"""What the assignment's own helpers in the worker answer, taken apart with nothing taken for granted.

Student code runs beside those helpers and can put anything in their place. An answer of another form than the helper's
is the student's failure: were it the grader's own error, breaking the grader would save points.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from grader.checking.outcomes import Failed

_HINT = "Leave torch and the grader's own functions as they are: nothing in your code may change them."
MOST_PARAMETERS = 256
"""Names of parameters that one module may have here."""
MOST_ELEMENTS = 2_000_000
"""Numbers in all of them together."""
_DIMENSIONS = 8


def tampered(what: str) -> Failed:
    """The outcome where `what` (a noun) cannot have come from the helper."""
    return Failed(f"What came back as {what} is not what the grader's own helper gives.", _HINT)


def fields(value: Any, what: str, *names: str) -> list[Any]:
    """The entries `names` of a dict that must have just these."""
    if not isinstance(value, dict) or set(value) != set(names):
        raise tampered(what)
    return [value[name] for name in names]


def tensors(value: Any, what: str) -> dict[str, torch.Tensor]:
    """A dict of tensors."""
    if not isinstance(value, dict) or not all(isinstance(v, torch.Tensor) for v in value.values()):
        raise tampered(what)
    return value


def texts(value: Any, what: str) -> list[str]:
    """A list of strings."""
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise tampered(what)
    return value


def shapes(value: Any, what: str) -> dict[str, tuple[int, ...]]:
    """Name -> shape of a module's parameters: not so many, and not so large, that drawing them takes long."""
    if not isinstance(value, dict) or not all(_is_shape(v) for v in value.values()):
        raise tampered(what)
    if len(value) > MOST_PARAMETERS or sum(map(_size, value.values())) > MOST_ELEMENTS:
        raise Failed(
            f"Your module has {len(value):,} parameters, too many or too large for it to be what is asked for.",
            "Only layers that the formula has belong into the module.",
        )
    return {name: tuple(shape) for name, shape in value.items()}


def _is_shape(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= _DIMENSIONS
        and all(type(n) is int and 0 <= n <= MOST_ELEMENTS for n in value)
    )


def _size(shape: list[int]) -> int:
    """Elements; an empty dimension does not make the others free."""
    return math.prod(max(n, 1) for n in shape)
