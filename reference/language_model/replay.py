"""A misconception, replayed: the model solution with its edits, called in the judge as the student's code was called.

It is our own code from end to end, run by the assignment's own harness: nothing of a hand-in is executed here. Two
misconceptions go together where the edits of both apply.
"""

from __future__ import annotations

import ast
import builtins
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import CodeType, MappingProxyType, ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from grader.bank import Edit, Misconception
from grader.paths import data_root
from grader.worker.calls import Call

NEAR = 2e-5
"""Largest difference of results that are alike, on the scale of the replayed one: float32 rounding of two ways to
compute one thing stays well below."""

Who = tuple[Misconception, ...]
Own = Mapping[str, Callable[..., Any]]


class Fault(NamedTuple):
    """What code raised in place of a result."""

    type_name: str
    message: str


class CannotGoTogether(Exception):
    """The edits of two misconceptions change the same line."""


class Replica:
    """The model solution with the mistakes of `who` in it; `who` may be empty."""

    def __init__(self, who: Who, own: Own = MappingProxyType({})) -> None:
        """own: functions by name that stand in for the solution's, where its other functions call them.

        Raises CannotGoTogether.
        """
        self._own = own
        self._edits = tuple(edit for misconception in who for edit in misconception.edits)
        self._modules: dict[str, ModuleType] = {}
        for stem in {Path(edit.file).stem for edit in self._edits}:
            _code(stem, self._edits)
        self._harness = ModuleType("harness")
        self._harness.__dict__["student"] = self._find
        exec(_harness_code(), self._harness.__dict__)

    def results(self, calls: Sequence[Call]) -> Iterator[Any]:
        """The result of each call, or the Fault that it ends in and None for the calls after it."""
        broken = False
        for call in calls:
            result = None if broken else self._result(call)
            broken = broken or isinstance(result, Fault)
            yield result

    def _result(self, call: Call) -> Any:
        space, _, name = call.target.partition(":")
        target = self._find(name) if space == "student" else getattr(self._harness, name)
        try:
            return target(*_copied(call.args), **_copied(dict(call.kwargs)))
        except Exception as error:
            return Fault(type(error).__name__, str(error))

    def _find(self, name: str) -> Any:
        return getattr(self._module(_homes()[name]), name)

    def _module(self, stem: str) -> ModuleType:
        """A file of the solution; what it imports of the solution is this replica's too."""
        if stem not in self._modules:
            module = self._modules[stem] = ModuleType(stem)
            module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
            exec(_code(stem, self._edits), module.__dict__)
            module.__dict__.update({name: f for name, f in self._own.items() if _homes()[name] == stem})
        return self._modules[stem]

    def _import(self, name: str, *rest: Any) -> Any:
        return self._module(name) if name in _homes().values() else builtins.__import__(name, *rest)


def gap(obtained: Any, replayed: Any) -> float:
    """The largest difference of two results, on the scale of the replayed one where that is above 1; infinite where
    they are not of one kind or differ in something that is no floating-point number."""
    obtained, replayed = _plain(obtained), _plain(replayed)
    if isinstance(obtained, Tensor) and isinstance(replayed, Tensor):
        alike = (
            obtained.shape == replayed.shape and obtained.is_floating_point() == replayed.is_floating_point()
        )
        return _gap_of(obtained.double(), replayed.double()) if alike else math.inf
    if isinstance(obtained, float) and isinstance(replayed, float):
        return _gap_of(torch.tensor([obtained]).double(), torch.tensor([replayed]).double())
    if type(obtained) is not type(replayed):
        return math.inf
    if isinstance(replayed, list):
        if len(obtained) != len(replayed):
            return math.inf
        return max((gap(a, b) for a, b in zip(obtained, replayed, strict=True)), default=0.0)
    if isinstance(replayed, dict):
        if obtained.keys() != replayed.keys():
            return math.inf
        return max((gap(obtained[key], replayed[key]) for key in replayed), default=0.0)
    return 0.0 if obtained == replayed else math.inf


def _plain(value: Any) -> Any:
    """Results that mean the same in one form: whole numbers as lists, a single number without its tensor."""
    if isinstance(value, Tensor):
        value = value.detach()
        return value.tolist() if value.dim() == 0 or not value.is_floating_point() else value
    return list(value) if isinstance(value, tuple) and not isinstance(value, Fault) else value


def _gap_of(obtained: Tensor, replayed: Tensor) -> float:
    same = (obtained == replayed) | (obtained.isnan() & replayed.isnan())
    off = torch.where(same, 0.0, (obtained - replayed).abs()).nan_to_num(nan=math.inf)
    scale = replayed.nan_to_num(posinf=0.0, neginf=0.0).abs().flatten()
    largest = max(1.0, float(scale.max())) if scale.numel() else 1.0
    return float(off.max()) / largest if off.numel() else 0.0


def _copied(value: Any) -> Any:
    """The same with tensors of its own, tuples as lists, as it arrives in a worker."""
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, list | tuple):
        return [_copied(item) for item in value]
    return {key: _copied(item) for key, item in value.items()} if isinstance(value, dict) else value


# ---------------------------------------------------------------- the solution's files


@cache
def _sources() -> dict[str, str]:
    """The model solution's Python files by their names without an ending."""
    folder = data_root() / "reference" / "language_model" / "solution"
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}


@cache
def _homes() -> dict[str, str]:
    """The file in which each function and class of the solution is defined."""
    return {
        node.name: stem
        for stem, source in _sources().items()
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


@cache
def _harness_code() -> CodeType:
    path = data_root() / "tests" / "language_model" / "harness.py"
    return compile(path.read_text(encoding="utf-8"), path.name, "exec")


@cache
def _code(stem: str, edits: tuple[Edit, ...]) -> CodeType:
    source = _sources()[stem]
    for edit in edits:
        if edit.file == f"{stem}.py":
            if source.count(edit.old) != 1:
                raise CannotGoTogether
            source = source.replace(edit.old, edit.new)
    return compile(source, f"{stem}.py", "exec")
