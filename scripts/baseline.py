"""The usual way to grade, to be measured against: one pytest process that imports the student's code into itself.

    python scripts/baseline.py submissions/alice [--part ID ...] [--verbose]

It runs the very same checks as `grade` and prints how many of them passed. There is no worker, no seal and no report,
so it is a floor for cost and an example of what not to do with code that is not trusted.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from grader.assignment import load_assignment, select  # noqa: E402
from grader.checking.session import run_checks  # noqa: E402
from grader.intake import read_submission  # noqa: E402
from grader.model import Assignment  # noqa: E402
from grader.worker.calls import Call, Raised, Ref, Reply, Returned  # noqa: E402
from grader.worker.inside.calls import seed_everything  # noqa: E402


def command(hand_in: str | Path, parts: Sequence[str]) -> list[str]:
    """The command line that judges these parts of a hand-in, all where none is named; to be run in the repository."""
    return [sys.executable, "scripts/baseline.py", str(hand_in), *chosen(parts)]


def chosen(parts: Sequence[str]) -> list[str]:
    """The options that name them."""
    return [word for part in parts for word in ("--part", part)]


class ImportedStudent:
    """Answers calls by importing the student's files into this process."""

    alive = True

    def __init__(self, folder: Path, assignment: Assignment) -> None:
        self._folder = folder
        harness = assignment.root / "harness.py"
        for path in assignment.worker_modules.values():
            _import(assignment.root / path)
        self._objects: dict[str, Any] = {}
        self._harness = _import(harness, ASSETS=str(harness.parent / "assets"), MANY=True)
        self._modules: dict[Path, Any] = {}

    def warm_up(self) -> None:
        """What a zygote does once, for those who fork from this process."""
        seed_everything(0)  # numpy imports its generators at the first use
        self._harness.warm_up()

    def run(self, calls: Sequence[Call], timeout_s: float) -> list[Reply]:
        replies: list[Reply] = []
        for call in calls:
            if any(isinstance(reply, Raised) for reply in replies):
                replies.append(Raised("skipped", "", ""))
                continue
            try:
                replies.append(Returned(self._call(call)))
            except LookupError as error:
                replies.append(Raised("missing", "", str(error)))
            except Exception as error:
                traceback.clear_frames(error.__traceback__)
                replies.append(Raised("exception", type(error).__name__, str(error)))
        return replies

    def close(self) -> None:
        self._objects.clear()

    def _call(self, call: Call) -> Any:
        if call.seed is not None:
            seed_everything(call.seed)
        result = self._target(call.target)
        if not call.target.startswith("object:") or callable(result):
            result = result(*self._resolve(call.args), **self._resolve(call.kwargs))
        if call.keep is None:
            return _plain(result)
        self._objects[call.keep] = result
        return None

    def _target(self, target: str) -> Any:
        kind, _, name = target.partition(":")
        if kind == "harness":
            return getattr(self._harness, name)
        if kind == "object":
            head, *attributes = name.split(".")
            found = self._objects[head]
            for attribute in attributes:
                found = getattr(found, attribute)
            return found
        for path in sorted(self._folder.glob("*.py")):
            module = self._modules.get(path) or self._modules.setdefault(path, _import(path))
            if getattr(getattr(module, name, None), "__module__", None) == module.__name__:
                return getattr(module, name)
        raise LookupError(f"{name} is not defined")

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, Ref):
            return self._objects[value.name]
        if isinstance(value, Mapping):
            return {k: self._resolve(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._resolve(v) for v in value]
        return value.clone() if hasattr(value, "clone") else value


def _plain(value: Any) -> Any:
    """Values as the wire would bring them."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value.detach().clone() if hasattr(value, "detach") else value


def _import(path: Path, **names: Any) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    vars(module).update(names)
    sys.path.insert(0, str(path.parent))
    spec.loader.exec_module(module)
    return module


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path)
    parser.add_argument("--part", action="append", default=[])
    parser.add_argument("--verbose", action="store_true", help="every check with its message")
    options = parser.parse_args()
    assignment = load_assignment()
    selected = select(assignment, parts=options.part)
    student = ImportedStudent(options.path, assignment)
    results, internal = run_checks(
        assignment, read_submission(options.path), selected, seed=1, open_worker=lambda: student
    )
    if options.verbose:
        for result in results:
            print(result.id, result.status, result.message, result.hint)
    for identifier, trace in internal.items():
        print(identifier, trace)
    passed = sum(result.status == "passed" for result in results)
    print(f"{passed} of {len(results)} passed")


if __name__ == "__main__":
    main()
