"""Runs of a notebook what the definitions that are asked for need, and remembers what failed on the way."""

from __future__ import annotations

import ast
import linecache
import os
import sys
import warnings
from types import ModuleType
from typing import Any

from .book import Book, Statement
from .problems import StudentProblem, frames_of, text_of

_NOTEBOOK_BARS = {"tqdm.notebook": "tqdm.std"}
"""The bar that draws itself in a page needs one; the other prints, and does the same otherwise."""


class _Shell:
    """What get_ipython() gives: it does nothing, whatever is asked of it."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


class Runner:
    """One notebook or exported file as a module that comes into being piece by piece."""

    def __init__(self, book: Book, folder: str) -> None:
        self._book = book
        self._folder = folder
        self._ran: set[int] = set()
        self._failed: dict[str, StudentProblem] = {}
        name = "_notebook_" + "".join(c if c.isalnum() else "_" for c in book.path)
        self._module = ModuleType(name)
        self._module.__dict__.update(get_ipython=_Shell, display=lambda *things, **kwargs: None)
        if book.path.endswith(".py"):
            self._module.__file__ = os.path.join(folder, book.path)
        sys.modules[name] = self._module
        _stand_in_for_ipython()
        for label, source in book.sources.items():  # so that inspect.getsource() finds it
            file = os.path.join(folder, label)
            linecache.cache[file] = (len(source), None, source.splitlines(True), file)

    def get(self, name: str) -> Any:
        """The value of `name` after all that it needs was run; raises StudentProblem."""
        defined = self._book.definition(name)
        for at in self._book.needed_for(name):
            if at not in self._ran:
                self._ran.add(at)
                self._run(self._book.statements[at])
        if name in self._failed:
            raise self._failed[name]
        if name in self._module.__dict__:
            return self._module.__dict__[name]
        assert defined is not None
        where = f"{defined.label}, line {defined.node.lineno}"
        raise StudentProblem("missing", f"{where} defines {name}, but after it was run it was not there.")

    def why_missing(self, error: NameError) -> StudentProblem | None:
        """What failed in the statement that should have bound the name which is not there."""
        return self._failed.get(error.name or "")

    def _run(self, statement: Statement) -> None:
        """Run one statement; what it fails with is kept under the names that it should have bound."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                code = compile(
                    ast.Module([_printing_bar(statement.node)], []),
                    os.path.join(self._folder, statement.label),
                    "exec",
                    dont_inherit=True,
                )
            exec(code, self._module.__dict__)
        except BaseException as error:
            problem = self._problem(error)
            for name in statement.binds - self._module.__dict__.keys():
                self._failed[name] = problem
            if statement is self._book.definition(getattr(statement.node, "name", "")):
                self._failed[statement.node.name] = problem  # type: ignore[attr-defined]
            return
        for name in statement.binds:
            self._failed.pop(name, None)

    def _problem(self, error: BaseException) -> StudentProblem:
        """That of the statement which should have bound a missing name, where that is the reason."""
        earlier = self.why_missing(error) if isinstance(error, NameError) else None
        if earlier is not None:
            return earlier
        ended = isinstance(error, SystemExit | KeyboardInterrupt)
        frames = frames_of(error, self._folder, self._book.sources)
        message = text_of(error)
        if ended:
            where = frames[-1][0] if frames else self._book.path
            message = f"{where} ended the program ({type(error).__name__}: {message})."
        return StudentProblem(
            "exit" if ended else "import", message, type_name=type(error).__name__, frames=frames
        )


def _printing_bar(node: ast.stmt) -> ast.stmt:
    if isinstance(node, ast.ImportFrom) and node.module in _NOTEBOOK_BARS:
        node.module = _NOTEBOOK_BARS[node.module]
    return node


def _stand_in_for_ipython() -> None:
    """`from IPython.display import …` gives functions that do nothing, where IPython is not installed."""
    for name in ("IPython", "IPython.display"):
        if name not in sys.modules:
            module = ModuleType(name)
            module.__dict__.update(
                __path__=[], __getattr__=lambda wanted: _no_such(wanted), get_ipython=lambda: None
            )
            sys.modules[name] = module
    sys.modules["IPython"].__dict__.setdefault("display", sys.modules["IPython.display"])


def _no_such(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *args, **kwargs: None
