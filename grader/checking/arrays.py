"""NumPy arrays on their way to and from a worker, where tensors stand for them."""

from __future__ import annotations

import sys
from typing import Any


def as_tensors(value: Any) -> Any:
    """`value` with a tensor for each array, in lists, tuples and dicts too; NumPy's numbers become Python's."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        import torch

        return torch.from_numpy(value.copy())
    if numpy is not None and isinstance(value, numpy.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [as_tensors(item) for item in value]
    return {key: as_tensors(item) for key, item in value.items()} if isinstance(value, dict) else value


def as_arrays(value: Any) -> Any:
    """`value` with an array for each tensor, in lists and dicts too."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return value.numpy()
    if isinstance(value, list):
        return [as_arrays(item) for item in value]
    return {key: as_arrays(item) for key, item in value.items()} if isinstance(value, dict) else value
