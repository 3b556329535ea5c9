"""What code does with tensors while it runs: how often each of its lines calls torch, and what would break on a GPU.

For advice that costs no points. Nothing is read off the source, so a loop is found by the calls that it makes and a
constant by the operation that it takes part in, however they are written; what torch cannot see (numbers computed in
plain Python, compiled code) is not found.

This file needs nothing but torch and holds no secret, so that it can run beside code that is not trusted.
"""

from __future__ import annotations

import builtins
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

ON_THE_DEVICE = ""
"""The place of a tensor that moves with the module; that of any other is the name or line it comes from."""
_MOVES = frozenset({"to", "type_as", "cuda"})
_WRITTEN_ACROSS = frozenset({"__getitem__", "__setitem__", "copy_"})
"""May take an index or a source from another device."""


class Watch(TorchFunctionMode):
    """Inside `with Watch(folder):` the calls of code in `folder` are taken down.

    Inputs, parameters and buffers are taken to be on a device that is not the CPU, and so is what is computed from
    them. What is made without saying where stays on the CPU, unless it is moved. A tensor that has a dimension cannot
    be combined with one on another device; where that is done, `left_behind` says so.
    """

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        """Calls of torch by "file, line 12" of the innermost line in the folder."""
        self.repeats = False
        """Whether any was made twice from one place in the code, reached in the same way: every loop does that."""
        self.left_behind: dict[str, str] = {}
        """What stays on the CPU (the name of an attribute, or a line), and the line that combines it."""
        self.prints: list[str] = []
        """Lines that print."""
        self._folder = folder.rstrip("/") + "/"
        self._places: dict[int, str] = {}
        self._held: list[Tensor] = []  # so that no address is used twice
        self._print = builtins.print
        self._outside: Any = None
        self._ways: set[tuple[int, ...]] = set()

    def __enter__(self) -> Watch:
        builtins.print = self._note_print
        self._outside = sys._getframe(1)
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *exception: Any) -> None:
        super().__exit__(*exception)  # type: ignore[no-untyped-call]
        builtins.print = self._print
        self._outside = None

    def put(self, tensors: Iterable[Tensor], place: str = ON_THE_DEVICE) -> None:
        """Say where `tensors` are; one that shares its memory with a tensor known is where that is."""
        for tensor in tensors:
            self._held.append(tensor)
            self._places.setdefault(_address(tensor), place)

    def put_module(self, module: nn.Module) -> None:
        """Parameters and buffers move with the module, tensors kept as plain attributes do not."""
        self.put([*module.parameters(), *module.buffers()])
        for name, tensor in loose_tensors(module).items():
            self.put([tensor], name)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        result = func(*args, **kwargs)
        line = self._note_call(sys._getframe(1))
        if name in _MOVES and _names_a_device(name, args, kwargs):
            result = result.clone()  # here it was on the device already, and came back as it was
            self.put([result])
        elif made := list(_tensors([result])):
            self._follow(name, args, kwargs, made, line)
        return result

    def _follow(
        self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], made: list[Tensor], line: str
    ) -> None:
        """Where the tensors that a call has made are, and whether the call could be made at all."""
        used = list(_tensors([*args, *kwargs.values()]))
        places = [self._place(tensor) for tensor in (used[:1] if name in _WRITTEN_ACROSS else used)]
        stays = [p for p, tensor in zip(places, used, strict=False) if p and tensor.dim() > 0]
        if ON_THE_DEVICE in places:
            for place in stays:
                self.left_behind.setdefault(place, line)
            self.put(made)
        elif not used and kwargs.get("device") is None:
            self.put(made, line)
        elif places and None not in places:
            self.put(made, str(places[0]))

    def _place(self, tensor: Tensor) -> str | None:
        return self._places.get(_address(tensor))

    def _line(self, frame: Any) -> str:
        """The innermost line in the folder; empty where there is none."""
        while frame is not None:
            file = frame.f_code.co_filename
            if file.startswith(self._folder):
                return f"{file[len(self._folder) :]}, line {frame.f_lineno}"
            frame = frame.f_back
        return ""

    def _note_call(self, frame: Any) -> str:
        """The innermost line in the folder that a call comes from. One that came this way before, through the same
        instructions from outside in, is a repetition."""
        line = ""
        way: list[int] = []
        while frame is not None and frame is not self._outside:
            file = frame.f_code.co_filename
            if not line and file.startswith(self._folder):
                line = f"{file[len(self._folder) :]}, line {frame.f_lineno}"
            way += (id(frame.f_code), frame.f_lasti)
            frame = frame.f_back
        if line:
            self.calls[line] += 1
            known = tuple(way)
            self.repeats = self.repeats or known in self._ways
            self._ways.add(known)
        return line

    def _note_print(self, *values: Any, **settings: Any) -> None:
        line = self._line(sys._getframe(1))
        if line and line not in self.prints:
            self.prints.append(line)
        self._print(*values, **settings)


def loose_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Tensors that the module and its parts keep as plain attributes, by name; numbers (no dimension) left out."""
    return {
        f"{prefix}.{name}".lstrip("."): value
        for prefix, part in module.named_modules()
        for name, value in vars(part).items()
        if isinstance(value, Tensor) and value.dim() > 0
    }


def loops(watch: Callable[[Mapping[str, int]], Watch], sizes: Mapping[str, int]) -> list[tuple[str, str]]:
    """(axis, line) for every axis of `sizes` over which the code loops: more calls where the axis is longer.

    `watch` runs the code with the sizes given, which are 3 at least: a loop that leaves out the first is still one
    then. Where nothing repeats there is none. A first look doubles all sizes at once. Then one axis after the other,
    each twice: what is kept between calls, a table or a mask, has been built by the second time.
    """
    first = watch(sizes)
    doubled = {axis: 2 * size for axis, size in sizes.items()}
    if not first.repeats or first.calls.total() == watch(doubled).calls.total():
        return []
    found = []
    for axis, size in sizes.items():
        for _ in range(2):
            before, after = watch(sizes).calls, watch({**sizes, axis: 2 * size}).calls
        if after.total() - before.total() >= size:
            found.append((axis, (after - before).most_common(1)[0][0]))
    return found


def _address(tensor: Tensor) -> int:
    """Of the memory behind a tensor, which its views share; that of the object where there is none to be had."""
    try:
        return tensor.untyped_storage().data_ptr() or id(tensor)
    except (RuntimeError, NotImplementedError):  # inside vmap
        return id(tensor)


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


def _names_a_device(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether `x.to(…)` says where; a dtype alone does not."""
    return name != "to" or any(
        isinstance(value, torch.device | str | Tensor) for value in [*args[1:], *kwargs.values()]
    )
