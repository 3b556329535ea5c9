"""What the judge asks of a worker and what comes back: plain data, both ways.

A batch of :class:`Call` goes out in one message and a list of replies comes back in one, in order. Values are None,
bool, int, float, str, list, dict (string keys) and plain dense CPU tensors; a tuple arrives as a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import torch

Value: TypeAlias = "bool | int | float | str | torch.Tensor | list[Value] | dict[str, Value] | None"


@dataclass(frozen=True, slots=True)
class Ref:
    """Stands for an object that an earlier call kept in the worker."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call inside the worker. What it holds must not change: the same calls, once more, are sent as they were."""

    target: str
    """What to call.

    "student:NAME"    the student's top-level class or function NAME, wherever in the hand-in it is defined
    "harness:NAME"    a function of the assignment's harness.py, which runs in the worker
    "object:NAME"     the kept object itself; "object:NAME.method" a method of it
    """
    args: tuple[Any, ...] = ()
    """Values, or Ref; nested in lists and dicts too."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    """The same, by keyword."""
    seed: int | None = None
    """Where set: torch, numpy and random are seeded with it right before the call."""
    keep: str | None = None
    """Where set: the result stays in the worker under this name and None comes back."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of the student's own traceback."""

    file: str
    line: int
    function: str
    code: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The call returned."""

    value: Any
    """A :data:`Value`; None where the call asked to keep the result."""
    output: str = ""
    """The last of what was printed during the call (at most 4,000 characters)."""
    seconds: float = 0.0
    """CPU seconds as told by the worker: for display, never for a mark."""


@dataclass(frozen=True, slots=True)
class Raised:
    """The call did not return a usable value, and the reason is in the student's hand-in."""

    kind: str
    """One of

    "missing"     no such definition; `suggestion` may name a near one
    "ambiguous"   defined more than once; `message` names every place
    "syntax"      the file that holds it is not Python (SyntaxError, not UTF-8, NUL bytes, merge markers)
    "import"      the file that holds it raised while it was imported (a missing package: `type_name` is
                  ModuleNotFoundError, `message` names the package)
    "signature"   the arguments do not fit; `message` shows the signature found
    "exception"   it raised
    "exit"        it called sys.exit / exit / quit / raised SystemExit or KeyboardInterrupt
    "value"       it returned something that is not plain data; `message` says what and what to return
    "skipped"     not called, because an earlier call of the batch did not return
    """
    type_name: str
    """Name of the exception class; empty where there was none."""
    message: str
    """The exception's text or a sentence; untrusted, at most 2,000 characters."""
    frames: tuple[Frame, ...] = ()
    """The student's own frames, innermost last; ours are left out."""
    suggestion: str | None = None
    """A near name, for "missing"."""
    output: str = ""
    """The last of what was printed."""


Reply: TypeAlias = Returned | Raised


class WorkerFailure(Exception):
    """The worker is gone, by the student's doing; the other checks get a new one."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class WorkerTimedOut(WorkerFailure):
    """No answer within the limit; the worker was killed."""


class WorkerCrashed(WorkerFailure):
    """The worker process ended: a signal, os._exit, or a broken message."""


class WorkerOutOfMemory(WorkerFailure):
    """The worker ran into its memory limit and died of it (a MemoryError it survives is a Raised)."""
