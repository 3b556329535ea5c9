"""The student's hand-in inside the worker: its files, its names, and the modules made of them."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from . import discover
from .book import Book, read_script
from .problems import StudentProblem, frames_of, text_of
from .runner import Runner

_NOT_RUN_ALONE = {"ImportError", "ModuleNotFoundError", "SyntaxError", "NotImplementedError", "MemoryError"}
"""What an import raises that is told as it is: without it the definitions would fail too, or nothing is written yet."""


class HandIn:
    """Finds and imports the student's definitions, each file once; what fails, fails the same way again."""

    def __init__(self, folder: str, files: Mapping[str, bytes], library_names: frozenset[str]) -> None:
        self.folder = folder
        self.sources = {
            path: text.decode("utf-8", "replace") for path, text in files.items() if path.endswith(".py")
        }
        self._files = files
        self._library_names = library_names
        self._plain_files: dict[str, str | None] = {}
        self._index: discover.Index | None = None
        """Of all files; made where a name is not in a plain one."""
        self._modules: dict[str, ModuleType | StudentProblem] = {}
        self._runners: dict[str, Runner] = {}
        self._scripts: dict[str, Book] = {}
        sys.meta_path.insert(0, _StudentFinder(folder, library_names))
        sys.path.append(folder)

    def find(self, name: str) -> Any:
        """The student's top-level object called `name`; raises StudentProblem."""
        first: StudentProblem | None = None
        if self._index is None and (file := self._plain_file(name)) is not None:
            try:
                return self._in_file(file, name)
            except AttributeError:
                pass  # told below
            except StudentProblem as problem:  # told better below, where that code left Python as it was
                first = problem
        try:
            places = self._places(name)
        except StudentProblem as problem:
            raise first if first is not None and problem.kind == "missing" else problem from None
        for place in places:
            try:
                return self._get(name, place)
            except StudentProblem as problem:
                first = first or problem
        assert first is not None
        raise first

    def cells(self) -> list[tuple[str, str]]:
        """(label, Python with magics neutralised) of each code cell of the notebooks, in order."""
        return [cell for book in self._indexed().books.values() for cell in book.python]

    def why_missing(self, error: NameError) -> StudentProblem | None:
        """Why a cell did not bind the name that code of a notebook now misses, where that is so."""
        found = (runner.why_missing(error) for runner in self._runners.values())
        return next((problem for problem in found if problem is not None), None)

    def _plain_file(self, name: str) -> str | None:
        if name not in self._plain_files:
            self._plain_files[name] = discover.plain_file(self._files, name)
        return self._plain_files[name]

    def _get(self, name: str, place: discover.Place) -> Any:
        book = self._indexed().books.get(place.file)
        if book is not None:
            return self._runner(place.file, book).get(name)
        try:
            return self._in_file(place.file, name)
        except AttributeError:
            message = (
                f"{place.file}, line {place.line} defines {name}, but after the import it was not there."
            )
            raise StudentProblem("missing", message) from None

    def _indexed(self) -> discover.Index:
        if self._index is None:
            self._index = discover.index(self._files)
            for path, content in self._index.written.items():
                self.sources[path] = content.decode("utf-8", "replace")
                with contextlib.suppress(OSError, ValueError):
                    place = os.path.join(self.folder, *path.split("/"))
                    os.makedirs(os.path.dirname(place), exist_ok=True)
                    with open(place, "xb") as file:
                        file.write(content)
            for book in self._index.books.values():
                self.sources.update(book.sources)
        return self._index

    def _places(self, name: str) -> list[discover.Place]:
        """Where `name` is defined, in one way only: a notebook and the file exported from it may both have it."""
        index = self._indexed()
        places = index.places.get(name, [])
        if len(places) == 1 or (places and places[0].shape and len({p.shape for p in places}) == 1):
            return sorted(places, key=lambda place: place.file in index.books)
        if places:
            listed = " and ".join(p.where for p in places[:6])
            message = f"{name} is defined more than once: {listed}. Keep one of them."
            raise StudentProblem("ambiguous", message)
        problem = index.problem_hiding(name)
        if problem is not None:
            frames = [[problem.file, problem.line, "<module>", problem.code]]
            raise StudentProblem("syntax", problem.sentence, type_name="SyntaxError", frames=frames)
        near = _nearest(name, index.places)
        message = f"No file of the hand-in defines {name}."
        if near is not None:
            message += f" Did you mean {near} ({index.places[near][0].where})?"
        raise StudentProblem("missing", message, suggestion=near)

    def _in_file(self, file: str, name: str) -> Any:
        """The attribute of an imported file. Where a line below its definition raised, what `name` needs is run alone,
        as in a notebook: an assert or a demonstration that fails takes nothing from the definitions above it."""
        try:
            return getattr(self._import(file), name)
        except StudentProblem as problem:
            if not self._failed_below(file, name, problem):
                raise
            if file not in self._runners:
                _say_that_it_failed(problem)
            try:
                return self._runner(file, self._script(file)).get(name)
            except StudentProblem:
                raise problem from None

    def _failed_below(self, file: str, name: str, problem: StudentProblem) -> bool:
        """Whether an import ended at a line of `file` below the definition of `name`, which does not need that line."""
        if problem.kind != "import" or problem.type_name in _NOT_RUN_ALONE or not problem.frames:
            return False
        failed_in, line, *_ = problem.frames[0]
        if failed_in != file:
            return False
        defined = self._script(file).definition(name)
        return defined is not None and (defined.node.end_lineno or line) < line

    def _script(self, file: str) -> Book:
        """The statements of a plain file, read once."""
        if file not in self._scripts:
            self._scripts[file] = read_script(file, self.sources[file])
        return self._scripts[file]

    def _runner(self, file: str, book: Book) -> Runner:
        """What runs the statements of a file one by one, with those beside it in reach; one for each file."""
        if file not in self._runners:
            self._look_in(os.path.dirname(file))
            self._runners[file] = Runner(book, self.folder)
        return self._runners[file]

    def _import(self, file: str) -> ModuleType:
        known = self._modules.get(file)
        if known is None:
            known = self._modules[file] = self._try_import(file)
        if isinstance(known, StudentProblem):
            raise known
        return known

    def _try_import(self, file: str) -> ModuleType | StudentProblem:
        name = self._module_name(file)
        try:
            if name in sys.modules and not self._is_ours(sys.modules[name]):
                return self._load_as("_student_" + name.replace(".", "_"), file)
            if "." in name or "/" not in file:
                return self._import_by_name(name, file)
            self._look_in(os.path.dirname(file))
            return self._import_by_name(name, file)
        except (SystemExit, KeyboardInterrupt) as error:
            message = (
                f"{file} ended the program while it was imported ({type(error).__name__}: {text_of(error)})."
            )
            return self._problem("exit", error, message)
        except ModuleNotFoundError as error:
            return self._problem("import", error, self._not_found(error))
        except BaseException as error:
            return self._problem("import", error, text_of(error))

    def _look_in(self, below: str) -> None:
        """Let a file import those beside it."""
        folder = os.path.join(self.folder, below) if below else self.folder
        if folder not in sys.path:
            sys.path.append(folder)
            sys.meta_path.insert(1, _StudentFinder(folder, self._library_names))

    def _module_name(self, file: str) -> str:
        """Dotted inside a package (an __init__.py, or relative imports), else the bare name of the file."""
        parts = file.removesuffix(".py").split("/")
        if parts[-1] == "__init__":
            parts = parts[:-1] or ["__init__"]
        in_package = "/".join([*file.split("/")[:-1], "__init__.py"]) in self._files and len(parts) > 1
        dotted = in_package or (self._index is not None and file in self._index.relative)
        return ".".join(parts) if dotted and all(p.isidentifier() for p in parts) else parts[-1]

    def _import_by_name(self, name: str, file: str) -> ModuleType:
        """By name where that leads to this very file, else straight from the file."""
        if name.split(".")[0] not in self._library_names and all(p.isidentifier() for p in name.split(".")):
            module = importlib.import_module(name)
            if self._file_of(module) == file:
                return module
        return self._load_as("_student_" + "".join(c if c.isalnum() else "_" for c in name), file)

    def _load_as(self, name: str, file: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, os.path.join(self.folder, file))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            sys.modules.pop(name, None)
            raise
        return module

    def _file_of(self, module: ModuleType) -> str | None:
        path = getattr(module, "__file__", None) or ""
        return (
            os.path.relpath(path, self.folder).replace(os.sep, "/") if path.startswith(self.folder) else None
        )

    def _is_ours(self, module: ModuleType) -> bool:
        return self._file_of(module) is not None

    def _problem(self, kind: str, error: BaseException, message: str) -> StudentProblem:
        return StudentProblem(
            kind,
            message,
            type_name=type(error).__name__,
            frames=frames_of(error, self.folder, self.sources),
        )

    @staticmethod
    def _not_found(error: ModuleNotFoundError) -> str:
        name = error.name or ""
        top = name.split(".")[0]
        if not top:
            return text_of(error)
        return f"The package {top!r} is not installed here, and the hand-in has no file {top}.py."


def _say_that_it_failed(problem: StudentProblem) -> None:
    """Among what the student's code prints."""
    at = f"{problem.frames[-1][0]}, line {problem.frames[-1][1]}: " if problem.frames else ""
    with contextlib.suppress(Exception):  # student code has run, and may have closed what this goes to
        sys.stdout.write(
            f"[grade] {at}the import raised {problem.type_name}: {problem.message}\n"
            "[grade] The definitions were taken without that line; remove or correct it.\n"
        )


class _StudentFinder:
    """Looks in the hand-in before the installed packages, but never for a name that a library needs."""

    def __init__(self, folder: str, library_names: frozenset[str]) -> None:
        self._folder = folder
        self._library_names = library_names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The import system's question: a spec, or None to let the others answer."""
        if path is not None or fullname in self._library_names:
            return None
        return PathFinder.find_spec(fullname, [self._folder], target)


def _nearest(name: str, known: Mapping[str, object]) -> str | None:
    by_fold = {k.casefold().replace("_", ""): k for k in known}
    with contextlib.suppress(Exception):  # student code has run, and may have changed what this is made of
        near = get_close_matches(name.casefold().replace("_", ""), by_fold, n=1, cutoff=0.6)
        return by_fold[near[0]] if near else None
    return None


def library_names(python_path: Sequence[str]) -> frozenset[str]:
    """Top-level names of the standard library and of everything installed, but for names that nobody owns."""
    names = set(sys.stdlib_module_names)
    for folder in python_path:
        if not os.path.isdir(folder):
            continue
        for entry in os.listdir(folder):
            stem = entry.split(".")[0]
            if stem.isidentifier() and not entry.endswith((".dist-info", ".egg-info", ".pth")):
                names.add(stem)
    return frozenset(
        names - {"test", "tests", "utils", "examples", "example", "docs", "src", "scripts", "grader"}
    )
