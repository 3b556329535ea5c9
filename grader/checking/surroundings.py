"""What one session could leave behind for the next in the same process, and whether it did.

All that pytest and its plugins keep belongs to one session and goes with it. What is left is the process itself: the
modules of the grader, of the assignment and of its reference, and what libraries and the system keep for all who use
them. `Surroundings` looks at it before the first session, puts back what a session may move, such as the state of
random generators, and says what else is not as it was.

Results kept by `functools.lru_cache` are no difference: they depend on the arguments alone.
"""

from __future__ import annotations

import decimal
import locale
import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

_CONTAINERS = (dict, list, set, defaultdict, OrderedDict, Counter, deque)
_LIBRARIES = (
    "builtins",
    "json",
    "math",
    "numpy",
    "os",
    "pytest",
    "random",
    "torch",
    "torch.linalg",
    "torch.nn",
    "torch.nn.functional",
)
"""Of those that checks use: a name in them that a session replaced would be another for the next."""
_CLASSES = (("torch", "Tensor"), ("torch.nn", "Module"), ("torch.nn", "Linear"), ("numpy", "ndarray"))
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD)
_OF_PYTHON = frozenset(("__warningregistry__", "__slotnames__"))
"""Names that the interpreter itself keeps something under."""


class Surroundings:
    """The process as it is when this is made."""

    def __init__(self, own: Iterable[Path], assignments: Iterable[Path]) -> None:
        """`own`: folders whose modules are watched name by name. `assignments`: those of which classes, defaults of
        functions and the contents of lists, dicts and sets are watched too: other people write them.
        """
        self._assignments = tuple(str(folder) + os.sep for folder in assignments)
        self._ours = (*(str(folder) + os.sep for folder in own), *self._assignments)
        self._watched: list[str] = []
        """Of each thing that is watched: how it is called. Next, what it is now, and what it was."""
        self._now: list[Any] = []
        self._before: list[Any] = []
        self._values_before: list[list[Any]] = []
        self._known = set(sys.modules)
        for name, module in sorted(sys.modules.items()):
            if _lies_in(module, self._ours) or name in _LIBRARIES:
                self._watch(name, vars(module))
            if _lies_in(module, self._assignments):
                for key, value in list(vars(module).items()):
                    self._watch_value(f"{name}.{key}", value, name)
        for name, attribute in _CLASSES:
            if name in sys.modules:
                self._watch(f"{name}.{attribute}", vars(getattr(sys.modules[name], attribute)))
        self._states = {name: look() for name, look in _looks().items()}
        self._put_back = list(_movable())

    def put_back(self) -> None:
        """Whatever a session may move: the random generators, and the folder it is in."""
        for set_back in self._put_back:
            set_back()

    def difference(self) -> str | None:
        """The first thing found that is not as it was, in words; None where all is."""
        if len(sys.modules) != len(self._known) or not self._known.issuperset(sys.modules):
            for name in sys.modules.keys() - self._known:
                if _lies_in(sys.modules[name], self._ours):
                    return f"the module {name} was imported"
            if missing := self._known - sys.modules.keys():
                return f"the module {min(missing)} is gone"
        # All at once, and without a look at the names: of thousands none has changed as a rule.
        if not _same([_values(now) for now in self._now], self._values_before):
            for name, now, before in zip(self._watched, self._now, self._before, strict=True):
                if not _same(now, before) and (changed := _changed(name, now, before)):
                    return changed
        for name, look in _looks().items():
            if not _same(look(), self._states.get(name)):
                return f"{name} is another"
        return None

    def _watch(self, name: str, now: Any) -> None:
        self._watched.append(name)
        self._now.append(now)
        self._before.append(now.copy())
        self._values_before.append(_values(now))

    def _watch_value(self, name: str, value: Any, module: str) -> None:
        if type(value) in _CONTAINERS and not name.endswith(".__builtins__"):
            self._watch(name, value)
        elif isinstance(value, type) and value.__module__ == module:
            self._watch(name, vars(value))
            for key, inner in list(vars(value).items()):
                if type(inner) in _CONTAINERS:
                    self._watch(f"{name}.{key}", inner)
        elif isinstance(value, FunctionType) and value.__module__ == module:
            for default in (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()):
                if type(default) in _CONTAINERS:
                    self._watch(f"a default of {name}", default)
            if vars(value):
                self._watch(name, vars(value))


def _lies_in(module: ModuleType | None, folders: tuple[str, ...]) -> bool:
    return (getattr(module, "__file__", None) or "").startswith(folders)


def _values(watched: Any) -> list[Any]:
    return [*watched.values()] if isinstance(watched, Mapping) else [*watched]


def _same(one: Any, other: Any) -> bool:
    try:
        return one is other or bool(one == other)  # so does Python compare what is in both
    except Exception:  # tensors that are others have no single answer
        return False


def _changed(name: str, now: Any, before: Any) -> str | None:
    """What of it stands for something else, in words; a submodule that was imported is no change."""
    if not isinstance(now, Mapping):
        return f"{name} holds something else"
    for key in before.keys() | now.keys():
        if key in _OF_PYTHON or (key not in before and isinstance(now[key], ModuleType)):
            continue
        if key not in now or key not in before or not _same(now[key], before[key]):
            return f"{name}.{key} was changed"
    return None


def _looks() -> dict[str, Callable[[], object]]:
    """What is compared by value, by the words for it."""
    looks: dict[str, Callable[[], object]] = {
        "the environment": lambda: dict(os.environ),
        "the search path of imports": lambda: (list(sys.path), _finders(), list(sys.path_hooks)),
        "what Python does at a call": lambda: (sys.gettrace(), sys.getprofile(), sys.excepthook),
        "an output of Python": lambda: (sys.stdin, sys.stdout, sys.stderr, sys.displayhook),
        "the number of threads": threading.active_count,
        "the handler of a signal": lambda: [signal.getsignal(number) for number in _SIGNALS],
        "the list of warnings": lambda: list(warnings.filters),
        "the log": lambda: (logging.root.level, list(logging.root.handlers), logging.root.disabled),
        "the context of decimals": _decimals,
        "the locale": lambda: locale.setlocale(locale.LC_ALL),
    }
    if (torch := sys.modules.get("torch")) is not None:
        looks["the way torch computes"] = lambda: (
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            torch.is_anomaly_enabled(),
            torch.get_float32_matmul_precision(),
            torch.backends.mkldnn.enabled,
            torch.get_default_device(),
        )
    if (numpy := sys.modules.get("numpy")) is not None:
        looks["the way numpy computes"] = lambda: (numpy.geterr(), numpy.get_printoptions())
    return looks


def _finders() -> list[object]:
    """But for those of pytest, each of which is its session's."""
    return [f for f in sys.meta_path if not type(f).__module__.startswith("_pytest.")]


def _decimals() -> tuple[object, ...]:
    context = decimal.getcontext()
    return context.prec, context.rounding, context.Emin, context.Emax, context.capitals, dict(context.traps)


def _movable() -> Iterator[Callable[[], object]]:
    """What puts each back as it is now."""
    here = Path.cwd()
    yield lambda: os.chdir(here)
    state = random.getstate()
    yield lambda: random.setstate(state)
    if (torch := sys.modules.get("torch")) is not None:
        drawn = torch.default_generator.get_state()
        yield lambda: torch.default_generator.set_state(drawn)
    if (numpy := sys.modules.get("numpy")) is not None:
        legacy = numpy.random.get_state()
        yield lambda: numpy.random.set_state(legacy)
