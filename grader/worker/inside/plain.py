"""Turns what student code returned into plain values, or says in the student's words why that cannot be."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MethodType,
)
from typing import Any

from .wire import ITEM_SIZE, Unsendable


def plain(value: Any, path: str) -> Any:
    """A value that the wire takes (it looks inside containers by itself); raises Unsendable."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _plain_tensor(torch, value, path)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return _plain_number(value.item(), path)
    if numpy is not None and isinstance(value, numpy.ndarray):
        return _plain_array(torch, value, path)
    if isinstance(value, dict):
        return {k: dict.__getitem__(value, k) for k in dict.keys(value)}
    if isinstance(value, list):
        return [*list.__iter__(value)]
    if isinstance(value, tuple):
        return [*tuple.__iter__(value)]
    if isinstance(value, bool | int | float | str):
        return _base_of(value)
    if isinstance(value, Sequence) and type(value).__module__.split(".")[0] == "datasets":
        return list(value)  # a column of a datasets.Dataset
    raise Unsendable(path, _what_instead(torch, value))


def _base_of(value: Any) -> Any:
    """The plain int, float or str of a subclass (an enum member, say)."""
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    return str.__str__(value)


def _plain_number(value: Any, path: str) -> Any:
    if isinstance(value, bool | int | float | str):
        return value
    raise Unsendable(path, f"is a NumPy {type(value).__name__}; return a number, a text or a tensor")


def _plain_array(torch: Any, value: Any, path: str) -> Any:
    if torch is None or str(value.dtype) not in ITEM_SIZE:
        raise Unsendable(
            path, f"is a NumPy array of dtype {value.dtype}; return numbers that a tensor can hold"
        )
    return torch.from_numpy(value.copy())


def _plain_tensor(torch: Any, value: Any, path: str) -> Any:
    if type(value) is not torch.Tensor and type(value) is not torch.nn.Parameter:
        raise Unsendable(
            path, f"is a {type(value).__name__}, a subclass of Tensor; return a plain torch.Tensor"
        )
    if value.layout is not torch.strided:
        raise Unsendable(path, "is a sparse tensor; return a dense one (.to_dense())")
    if value.device.type == "meta":
        raise Unsendable(
            path, "is a tensor on the meta device, so it holds no numbers; compute it on the CPU"
        )
    if value.device.type != "cpu":
        raise Unsendable(path, f"is a tensor on {value.device.type}; return it on the CPU (.cpu())")
    if value.is_quantized:
        raise Unsendable(path, "is a quantised tensor; return a float tensor (.dequantize())")
    name = str(value.dtype).removeprefix("torch.")
    if name not in ITEM_SIZE:
        raise Unsendable(path, f"is a tensor of dtype {name}; return one of {', '.join(ITEM_SIZE)}")
    return value.detach().resolve_neg().resolve_conj()


def _what_instead(torch: Any, value: Any) -> str:
    name = type(value).__name__
    if isinstance(value, GeneratorType):
        return "is a generator: it was returned before it computed anything; return a tensor or a list"
    if isinstance(value, CoroutineType | AsyncGeneratorType):
        return "is a coroutine: the function is async; use a plain def and return a tensor or a list"
    if isinstance(value, type):
        return f"is the class {value.__name__} itself; return an instance's result"
    if torch is not None and isinstance(value, torch.nn.Module):
        return f"is a module ({name}); return what it computes, a tensor"
    if isinstance(value, set | frozenset):
        return f"is a {name}, which has no order; return a list"
    if isinstance(value, complex):
        return "is a complex number; return real numbers"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"is of type {name}; return text or a tensor"
    if isinstance(value, FunctionType | MethodType | BuiltinFunctionType):
        return f"is a function ({name}); call it and return its result"
    return f"is of type {name}; return a tensor, a number, a text, a list or a dict of these"
