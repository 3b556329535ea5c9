"""The folder of a draft: assignment.toml, check files, model solution, starter; and what a person has to decide."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from grader.errors import UsageError
from grader.importing.checks import Part, check_file, parts_of
from grader.importing.notebook import read_notebook
from grader.importing.otter import read_otter
from grader.importing.source import Source
from grader.scaffold import checked_id, write_folder
from grader.serialise import rounded

_LARGEST = 20 * 2**20
_NOT_PACKAGES = frozenset(sys.stdlib_module_names) | {"__future__", "IPython", "google", "otter", "nbgrader"}


@dataclass
class Imported:
    """What `grade import` did."""

    files: list[Path]
    formats: list[str]
    """"hw1.ipynb: nbgrader", a file each."""
    parts: list[Part]
    notes: list[str] = field(default_factory=list)
    """What a person should look at, besides the tests that were not turned."""


def import_files(files: Sequence[Path], target: Path, title: str | None = None) -> Imported:
    """Write the draft of an assignment to the new folder `target`; the files are read, and nothing of them is executed.

    Raises UsageError where a file cannot be read or holds no test, and where `target` cannot be written.
    """
    id = checked_id(target)
    sources = [_read(path) for path in files]
    parts = parts_of(sources)
    if not any(source.questions for source in sources):
        raise UsageError(
            f"There is no test in {', '.join(source.name for source in sources)}.",
            "Give a notebook with asserts, or test files of otter-grader.",
        )
    texts = _texts(id, title or id.replace("-", " ").capitalize(), sources, parts)
    notes = [note for source in sources for note in source.notes]
    notes += [note for part in parts for note in part.notes]
    return Imported(
        write_folder(target, texts),
        [f"{source.name}: {source.format}" for source in sources],
        parts,
        list(dict.fromkeys(notes)),
    )


def _read(path: Path) -> Source:
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} is larger than 20 MB.", "Clear its outputs and save it again.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error.strerror}.", "Give a file.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text in UTF-8.", "Give a notebook or a Python file.") from None
    if path.suffix == ".ipynb":
        return read_notebook(path.name, text)
    if path.suffix == ".py":
        return read_otter(path.name, text, path.stem)
    raise UsageError(
        f"{path.name} is neither a notebook nor a Python file.",
        "Give .ipynb, or a test file .py of otter-grader.",
    )


def _texts(id: str, title: str, sources: Sequence[Source], parts: Sequence[Part]) -> dict[str, str]:
    """Every file of the draft."""
    arrays = _takes_arrays(sources)
    texts = {
        "assignment.toml": "\n".join(_toml(id, title, sources, parts)) + "\n",
        "test_imported.py": check_file(sources, parts, arrays=arrays),
        "bank.py": _BANK,
        "harness.py": _HARNESS.replace("\n\n", "\n\nimport torch\n\n", 1) + _ARRAYS if arrays else _HARNESS,
    }
    for source in sources:
        texts |= {f"solution/{name}": text for name, text in source.solution.items()}
        texts |= {f"starter/{name}": text for name, text in source.starter.items()}
    if not any(source.solution for source in sources):
        stub = _stubs(parts)
        texts |= {"solution/work.py": stub, "starter/work.py": stub}
    return texts


def _toml(id: str, title: str, sources: Sequence[Source], parts: Sequence[Part]) -> Iterator[str]:
    packages = sorted({m for source in sources for m in _modules(source)} - _NOT_PACKAGES)
    yield from (
        "# A draft made by `grade import`: docs/importing.md says what is left to do, docs/authoring.md explains",
        "# every key.",
        "",
        f"id = {_text(id)}",
        'version = "0.1"',
        f"title = {_text(title)}",
        f"allowed_packages = {_text(packages)}",
    )
    functions = {name: arguments for source in sources for name, arguments in source.functions.items()}
    asked = sorted({name for part in parts for check in part.checks for name in check.turned.functions})
    if any(name in functions for name in asked):
        yield from ("", "[signatures]")
        yield from (f"{name} = {_text(functions[name])}" for name in asked if name in functions)
    worker: list[str] = [name for name in ("torch", "numpy") if name in packages] or ["math"]
    for part in parts:
        yield from ("", "[[part]]", f"id = {_text(part.id)}", f"title = {_text(part.title)}")
        yield f"asks = {_text(part.asks)}"
        if part.checks:
            yield f"worker = {_text(worker)}"
    for part in parts:
        for check in part.checks:
            yield from ("", "[[check]]", f"id = {_text(check.id)}", f"title = {_text(check.title)}")
            yield f"points = {_text(decimal(check.points))}"
            if check.hidden:
                yield 'visibility = "hidden"'
        if part.by_person is not None:
            yield from ("", "[[check]]", f"id = {_text(part.id + '.review')}", f"title = {_text(part.title)}")
            yield from (f"points = {_text(decimal(part.by_person))}", "review = true")
    yield from (
        "",
        "[verify]",
        'solution = "solution"',
        'starter = "starter"',
        'bank = "bank.py:BANK"',
        "seeds = 3",
    )


def _stubs(parts: Sequence[Part]) -> str:
    """A function for each that the tests call, with as many arguments as they are called with."""
    most: dict[str, int] = {}
    for part in parts:
        for check in part.checks:
            for name, count in check.turned.arguments.items():
                most[name] = max(most.get(name, 0), count)
    functions = []
    for name, count in most.items():
        arguments = ", ".join(f"argument_{i + 1}" for i in range(count))
        functions.append(f"def {name}({arguments}):\n    raise NotImplementedError\n")
    return "\n\n".join(functions) or "# The tests call no function: write here what they ask for.\n"


def _takes_arrays(sources: Sequence[Source]) -> bool:
    """Whether student code is written with NumPy alone; beside torch, tensors stay tensors."""
    modules = {module for source in sources for module in _modules(source)}
    return "numpy" in modules and "torch" not in modules


def _modules(source: Source) -> set[str]:
    return {statement.split()[1].partition(".")[0] for statement in source.imports.values()}


def decimal(points: Fraction) -> str:
    """Points to three decimals, as assignment.toml has them."""
    return str(rounded(Decimal(points.numerator) / Decimal(points.denominator)))


def _text(value: str | list[str]) -> str:
    """As TOML, which writes texts and lists of them as JSON does."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


_HARNESS = '''"""Runs in the worker beside the student's code, and returns data, never a verdict."""

_namespace = {"__name__": "__main__"}
_failed = []


def variable(name):
    """The value of `name` once the cells of the student's notebook have run in order; one that fails stops no other."""
    if not _failed and len(_namespace) == 1:
        for label, code in cells():
            try:
                exec(compile(code, label, "exec"), _namespace)
            except Exception as error:
                _failed.append(error)
    if name not in _namespace:
        raise _failed[0] if _failed else NameError(f"name {name!r} is not defined")
    return _namespace[name]
'''
_ARRAYS = '''

def with_arrays(name, arguments, named):
    """Call the student's function `name` with NumPy arrays, as its notebook does; tensors stand for them on the way."""
    return student(name)(*map(_array, arguments), **{key: _array(value) for key, value in named.items()})


def _array(value):
    if isinstance(value, torch.Tensor):
        return value.numpy()
    if isinstance(value, list):
        return [_array(item) for item in value]
    return {key: _array(item) for key, item in value.items()} if isinstance(value, dict) else value
'''
_BANK = '''"""What students get wrong, as edits of the model solution: docs/verify.md. Each check needs one."""

from grader.authoring import Misconception

BANK: tuple[Misconception, ...] = ()
'''
