"""Runs a student's script, or the cells of a notebook, inside the worker, and finds the models that it has trained."""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

MOST_STEPS = 1_200
"""Steps of optimizers in all scripts of a hand-in: both models at the coursework's settings take 768."""
MOST_TEXTS = 40_000
"""Texts that go through models in all: at the coursework's settings 6,912."""
MOST_PRINTED = 60_000
"""Characters from the beginning of what a script prints that are kept."""
DRAWING = frozenset({"matplotlib", "seaborn", "plotly", "IPython", "wandb", "google"})
"""Packages whose absence is no reason not to train: where they are not installed, they do nothing."""


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


class Ran:
    """What became of the scripts of a hand-in."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.printed = ""
        self.error: BaseException | None = None
        self.stopped = ""
        """Why the budget ended it."""


# ---------------------------------------------------------------- which files


def scripts(folder: Path) -> list[str]:
    """Paths of the .py files that load a pre-trained model by themselves, those of the first model first."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        try:
            source = path.read_text(encoding="utf-8")
            names = {n.attr for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Attribute)}
        except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if "from_pretrained" in names and not any(part.startswith(".") for part in name.split("/")):
            found.append((("roberta" in source.lower()) and "distilbert" not in source.lower(), name))
    return [name for _, name in sorted(found)]


# ---------------------------------------------------------------- running


def run(sources: Sequence[tuple[str, str]], folder: Path) -> Ran:
    """Run (path, source) one after the other, each as `python path` would; a failing one does not stop the next."""
    ran = Ran()
    for path, source in sources:
        if ran.stopped:
            break
        ran.files.append(path)
        _run_one([(path, source)], folder / path, ran)
    return ran


def run_cells(cells: Sequence[str], path: str, folder: Path) -> Ran:
    """Run the code cells of a notebook in order, in one namespace; lines for the shell or for IPython are left out."""
    ran = Ran()
    ran.files.append(path)
    named = [(f"{path}, cell {i}", _plain(cell)) for i, cell in enumerate(cells, 1)]
    _run_one(named, folder / path, ran)
    return ran


def _plain(cell: str) -> str:
    """Magics and shell commands become `pass`, where they stand."""
    lines = cell.splitlines()
    if lines and lines[0].startswith("%%"):
        lines = (
            ["pass"] if lines[0][2:].split()[0:1] not in (["time"], ["timeit"], ["capture"]) else lines[1:]
        )
    return "\n".join(
        line[: len(line) - len(line.lstrip())] + "pass" if line.lstrip().startswith(("%", "!")) else line
        for line in lines
    )


def _run_one(pieces: Sequence[tuple[str, str]], file: Path, ran: Ran) -> None:
    main, before = ModuleType("__main__"), sys.modules["__main__"]
    main.__file__ = str(file)
    printed, argv = Printed(sys.stdout), sys.argv[:]
    sys.modules["__main__"], sys.argv[:] = main, [str(file)]
    sys.stdout, through = printed, sys.stdout  # type: ignore[assignment]
    sys.meta_path.append(_Absent())
    sys.path.insert(0, str(file.parent))
    budget.on = True
    try:
        for name, source in pieces:
            exec(compile(source, str(file.parent / Path(name).name), "exec"), main.__dict__)
    except BudgetSpent as spent:
        ran.stopped = str(spent)
    except SystemExit as error:
        if error.code not in (None, 0):
            ran.error = error
    except BaseException as error:
        ran.error = error
    finally:
        budget.on = False
        sys.stdout, sys.argv[:] = through, argv
        sys.modules["__main__"] = before
        sys.path.remove(str(file.parent))
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Absent)]
        ran.printed += printed.text


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
