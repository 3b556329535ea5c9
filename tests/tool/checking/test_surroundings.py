"""What a session can leave behind in its process is put back or seen."""

from __future__ import annotations

import decimal
import importlib
import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from grader.checking.surroundings import Surroundings

OWN = """
from functools import lru_cache

COUNT = 0
SEEN = []
BY_NAME = {"a": 1}

class Kept:
    total = 0
    names = set()

def collect(item, into=[]):
    into.append(item)
    return into

def keyword(*, into={}):
    into["x"] = 1

@lru_cache
def square(x):
    return x * x
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module of an assignment."""
    (tmp_path / "own_module.py").write_text(OWN, "utf-8")
    (tmp_path / "later_module.py").write_text("", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("own_module")
    for name in ("own_module", "later_module"):
        sys.modules.pop(name, None)


Look = Callable[[], Surroundings]


@pytest.fixture
def look(own: ModuleType, tmp_path: Path) -> Look:
    """To be called in the test itself: pytest writes into the environment what it is at."""
    return lambda: Surroundings(own=[], assignments=[tmp_path])


def test_nothing_has_changed_where_nothing_was_done(look: Look) -> None:
    before = look()
    assert before.difference() is None


def test_kept_results_are_no_difference(own: ModuleType, look: Look) -> None:
    before = look()
    own.square(3)
    assert before.difference() is None


CHANGES: dict[str, Callable[[Any], Any]] = {
    "own_module.COUNT was changed": lambda own: setattr(own, "COUNT", 1),
    "own_module.another was changed": lambda own: setattr(own, "another", 1),
    "own_module.collect was changed": lambda own: setattr(own, "collect", lambda item: item),
    "own_module.SEEN holds something else": lambda own: own.SEEN.append(1),
    "own_module.BY_NAME.a was changed": lambda own: own.BY_NAME.update(a=2),
    "own_module.Kept.total was changed": lambda own: setattr(own.Kept, "total", 1),
    "own_module.Kept.names holds something else": lambda own: own.Kept.names.add("x"),
    "a default of own_module.collect holds something else": lambda own: own.collect(1),
    "a default of own_module.keyword.x was changed": lambda own: own.keyword(),
    "the module later_module was imported": lambda own: importlib.import_module("later_module"),
    "the module own_module is gone": lambda own: sys.modules.pop("own_module"),
}


@pytest.mark.parametrize("said", CHANGES)
def test_a_change_in_the_assignments_own_modules_is_seen(said: str, own: ModuleType, look: Look) -> None:
    before = look()
    CHANGES[said](own)
    assert before.difference() == said


def _elsewhere(patch: pytest.MonkeyPatch) -> dict[str, Callable[[], Any]]:
    """Changes for all that run in the process, each undone by `patch`."""
    return {
        "torch.nn.functional.softmax was changed": lambda: patch.setattr(
            torch.nn.functional, "softmax", torch.softmax
        ),
        "torch.Tensor.sum was changed": lambda: patch.setattr(torch.Tensor, "sum", torch.Tensor.mean),
        "builtins.abs was changed": lambda: patch.setattr("builtins.abs", lambda x: x),
        "the environment is another": lambda: patch.setenv("LEFT_BEHIND", "1"),
        "the search path of imports is another": lambda: patch.syspath_prepend("/nowhere"),
        "what Python does at a call is another": lambda: patch.setattr(sys, "excepthook", print),
        "an output of Python is another": lambda: patch.setattr(sys, "stdout", sys.stderr),
        "the list of warnings is another": lambda: patch.setattr(
            warnings, "filters", [*warnings.filters, ("ignore", None, UserWarning, None, 0)]
        ),
        "the log is another": lambda: patch.setattr(logging.root, "level", 1),
        "the context of decimals is another": lambda: patch.setattr(decimal.getcontext(), "prec", 5),
    }


@pytest.mark.parametrize("said", _elsewhere(pytest.MonkeyPatch()))
def test_a_change_for_all_is_seen(said: str, look: Look) -> None:
    before = look()
    with pytest.MonkeyPatch.context() as patch:
        _elsewhere(patch)[said]()
        assert before.difference() == said
    assert before.difference() is None


def test_a_state_of_torch_or_numpy_is_seen(look: Look) -> None:
    before = look()
    with torch.no_grad():
        assert before.difference() == "the way torch computes is another"
    torch.set_default_dtype(torch.float64)
    try:
        assert before.difference() is not None
    finally:
        torch.set_default_dtype(torch.float32)
    with np.errstate(divide="raise" if np.geterr()["divide"] != "raise" else "ignore"):
        assert before.difference() == "the way numpy computes is another"
    assert before.difference() is None


def test_a_thread_and_a_signal_handler_are_seen(look: Look) -> None:
    before = look()
    over = threading.Event()
    thread = threading.Thread(target=over.wait, daemon=True)
    thread.start()
    assert before.difference() == "the number of threads is another"
    over.set()
    thread.join()
    handler = signal.signal(signal.SIGALRM, lambda *_: None)
    try:
        assert before.difference() == "the handler of a signal is another"
    finally:
        signal.signal(signal.SIGALRM, handler)
    assert before.difference() is None


def test_the_random_generators_and_the_folder_are_put_back(look: Look, tmp_path: Path) -> None:
    before = look()

    def drawn() -> tuple[float, ...]:
        return float(torch.rand(())), random.random(), float(np.random.random())

    here = Path.cwd()
    before.put_back()
    first = drawn()
    os.chdir(tmp_path)
    before.put_back()
    assert (drawn(), Path.cwd()) == (first, here)
