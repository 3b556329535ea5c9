"""Runs a student's script, or the cells of a notebook, inside the worker, and finds the models that it has trained."""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

MOST_STEPS = 1_200
"""Steps of optimizers in all scripts of a hand-in: both models at the coursework's settings take 768."""
MOST_TEXTS = 40_000
"""Texts that go through models in all: at the coursework's settings 6,912."""
MOST_PRINTED = 60_000
"""Characters from the beginning of what a script prints that are kept."""
DRAWING = frozenset({"matplotlib", "seaborn", "plotly", "IPython", "ipywidgets", "wandb", "google"})
"""Packages whose absence is no reason not to train: where they are not installed, they do nothing."""
NOTEBOOK = ".ipynb"

Cells = Sequence[tuple[str, str]]
"""(label, Python) of each code cell: "a3.ipynb, cell 5", or the path of a .py file that was a notebook."""


class BudgetSpent(BaseException):
    """Enough was trained to see what it does. No `except Exception` of a script catches it."""


class Budget:
    """What is left of it; `step` and `texts` end the script where nothing is."""

    def __init__(self) -> None:
        self.on = False
        self._steps, self._texts = MOST_STEPS, MOST_TEXTS

    def step(self) -> None:
        """One step of an optimizer."""
        self._steps -= 1
        if self.on and self._steps < 0:
            raise BudgetSpent(f"more than {MOST_STEPS} steps")

    def texts(self, count: int) -> None:
        """So many texts go through a model."""
        self._texts -= count
        if self.on and self._texts < 0:
            raise BudgetSpent(f"more than {MOST_TEXTS} texts")


budget = Budget()


class Printed(io.TextIOBase):
    """Keeps the beginning of what is written, and passes all of it on."""

    def __init__(self, through: Any) -> None:
        super().__init__()
        self._through = through
        self._kept: list[str] = []
        self._left = MOST_PRINTED

    def write(self, text: str, /) -> int:
        """Text as it comes."""
        if self._left > 0:
            self._kept.append(text[: self._left])
            self._left -= len(text)
        return int(self._through.write(text))

    def writable(self) -> bool:
        """Always."""
        return True

    @property
    def text(self) -> str:
        """What was kept."""
        return "".join(self._kept)


@dataclass(frozen=True)
class Script:
    """One file that is run from top to bottom."""

    path: str
    pieces: tuple[tuple[str, str], ...]
    """(label, source): the cells of a notebook, or the whole of a .py file."""

    @property
    def is_notebook(self) -> bool:
        """Its cells are run like those of one: what fails does not stop the next, and a last value is shown."""
        return self.path.endswith(NOTEBOOK)


class Ran:
    """What became of the scripts of a hand-in."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.printed = ""
        self.error: BaseException | None = None
        self.stopped = ""
        """Why the budget ended it."""


# ---------------------------------------------------------------- which files


def scripts(folder: Path, cells: Cells) -> list[Script]:
    """The .py files and notebooks that load a pre-trained model by themselves, those of the first model first.

    A .py file that was exported from a notebook of the hand-in is left out: it is the same work twice.
    """
    books: dict[str, list[tuple[str, str]]] = {}
    for label, source in cells:
        books.setdefault(label.rpartition(", cell ")[0] or label, []).append((label, source))
    exported = {path.removesuffix(NOTEBOOK) + ".py" for path in books if path.endswith(NOTEBOOK)}
    found = [Script(path, tuple(pieces)) for path, pieces in books.items() if path not in exported]
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        if name in books or any(part.startswith(".") for part in name.split("/")):
            continue
        try:
            found.append(Script(name, ((name, path.read_text(encoding="utf-8")),)))
        except (OSError, ValueError):
            continue
    return sorted(filter(_loads_a_model, found), key=lambda script: (_second(script), script.path))


def _loads_a_model(script: Script) -> bool:
    for _, source in script.pieces:
        try:
            nodes = ast.walk(ast.parse(source))
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if any(isinstance(node, ast.Attribute) and node.attr == "from_pretrained" for node in nodes):
            return True
    return False


def _second(script: Script) -> bool:
    """Whether it is about RoBERTa alone."""
    source = "".join(source for _, source in script.pieces).lower()
    return "roberta" in source and "distilbert" not in source


# ---------------------------------------------------------------- running


def run(found: Sequence[Script], folder: Path) -> Ran:
    """Run one after the other, each as `python path` or "Run all" would; a failing one does not stop the next."""
    ran = Ran()
    for script in found:
        if ran.stopped:
            break
        ran.files.append(script.path)
        _run_one(script, folder, ran)
    return ran


def _run_one(script: Script, folder: Path, ran: Ran) -> None:
    file = folder / script.path
    main, before = ModuleType("__main__"), sys.modules["__main__"]
    main.__file__ = str(file)
    if script.is_notebook:
        main.__dict__.update(get_ipython=_Nothing, display=print, __show__=_show)
        del main.__file__
    printed, argv = Printed(sys.stdout), sys.argv[:]
    sys.modules["__main__"], sys.argv[:] = main, [str(file)]
    sys.stdout, through = printed, sys.stdout  # type: ignore[assignment]
    sys.meta_path.append(_Absent())
    sys.path.insert(0, str(file.parent))
    _print_bars()
    budget.on = True
    try:
        for label, source in script.pieces:
            _run_piece(source, str(folder / label), main, script.is_notebook, ran)
            if ran.stopped or (ran.error is not None and not script.is_notebook):
                break
    finally:
        budget.on = False
        sys.stdout, sys.argv[:] = through, argv
        sys.modules["__main__"] = before
        sys.path.remove(str(file.parent))
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Absent)]
        ran.printed += printed.text


def _run_piece(source: str, file: str, main: ModuleType, show: bool, ran: Ran) -> None:
    try:
        exec(_compiled(source, file, show), main.__dict__)
    except BudgetSpent as spent:
        ran.stopped = str(spent)
    except SystemExit as error:
        if error.code not in (None, 0):
            ran.error = ran.error or error
    except BaseException as error:
        ran.error = ran.error or error


def _compiled(source: str, file: str, show: bool) -> CodeType:
    """The code of `source`; with `show`, the value of a last expression is printed, as a notebook displays it."""
    tree = ast.parse(source, file)
    last = tree.body[-1] if tree.body else None
    if show and isinstance(last, ast.Expr) and not source.rstrip().endswith(";"):
        call = ast.Call(ast.Name("__show__", ast.Load()), [last.value], [])
        tree.body[-1] = ast.copy_location(ast.Expr(call), last)
        ast.fix_missing_locations(tree)
    code: CodeType = compile(tree, file, "exec", dont_inherit=True)
    return code


def _show(value: object) -> None:
    if value is not None:
        print(repr(value))


def _print_bars() -> None:
    """The progress bar that draws itself in a page prints instead, and does the same otherwise."""
    try:
        import tqdm
        import tqdm.std
    except ImportError:
        return
    tqdm.notebook = sys.modules["tqdm.notebook"] = tqdm.std


# ---------------------------------------------------------------- packages that only draw


class _Nothing:
    """Takes any call, attribute or operation, and is itself what comes of it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key: Any) -> Any:
        return self

    def __iter__(self) -> Any:
        return iter((self, self))

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        return None


class _Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Found last: a module that does nothing, for the packages of DRAWING and what is in them."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The import system's question."""
        if name.split(".")[0] in DRAWING:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> ModuleType:
        """A module whose every attribute does nothing."""
        module = ModuleType(spec.name)
        module.__getattr__ = lambda name: getattr(_Nothing(), name)  # type: ignore[method-assign]
        return module

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it."""
