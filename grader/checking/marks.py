"""What the test files of an assignment mark, against what assignment.toml declares: spelling, before anything runs.

The files are read and not executed.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.errors import did_you_mean
from grader.model import Assignment

FIXTURES = (
    "answers", "asserted", "assignment", "check", "compare", "expected", "number", "numbers", "prose_check",
    "shared", "student", "submission",
)  # fmt: skip
"""What the plugin gives a check."""
_PYTESTS_OWN = {"request", "pytestconfig", "capsys", "capfd", "record_property"}
_MARKS = {"check", "parametrize", "filterwarnings", "usefixtures"}


@dataclass(frozen=True, slots=True)
class _Test:
    """One test function of a file."""

    where: str
    name: str
    arguments: tuple[str, ...]
    own: frozenset[str]
    """Arguments that the file itself gives: fixtures and parameters."""
    marks: tuple[tuple[str, str | None], ...]
    """(mark, its first argument where that is a text)."""

    @property
    def ids(self) -> list[str | None]:
        """Checks that it judges by its mark; None for one that only running would tell."""
        return [id for mark, id in self.marks if mark == "check"]


def misspelt(assignment: Assignment) -> list[str]:
    """A sentence for each mark, check id or fixture that does not exist, and for each check that no test judges."""
    problems: list[str] = []
    tests: list[_Test] = []
    for path in sorted(assignment.root.glob("test_*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except SyntaxError as error:
            problems.append(f"{path.name}, line {error.lineno}: this is not Python ({error.msg}).")
            continue
        tests += _tests(path, tree)
    for test in tests:
        problems += _of(test, assignment)
    # without a test that could be read, nothing can be said of what is missing
    return problems if problems else list(_unjudged(tests, assignment))


def _of(test: _Test, assignment: Assignment) -> Iterator[str]:
    declared = [check.id for check in assignment.checks]
    for mark, id in test.marks:
        if mark not in _MARKS:
            yield f"{test.where}: there is no mark {mark!r}.{_near(mark, _MARKS)}"
        elif mark == "check" and id is not None and id not in declared:
            yield f"{test.where}: assignment.toml declares no check {id!r}.{_near(id, declared)}"
    for name in test.arguments:
        if name not in test.own and name not in FIXTURES and name not in _PYTESTS_OWN:
            yield f"{test.where}: there is no fixture {name!r}.{_near(name, FIXTURES)}"
    if not test.marks and not {"number", "prose_check"} & set(test.arguments):
        yield f'{test.where}: {test.name} judges no check. Mark it: @pytest.mark.check("ID").'


def _unjudged(tests: Iterable[_Test], assignment: Assignment) -> Iterator[str]:
    tests = list(tests)
    ids = [id for test in tests for id in test.ids]
    asked = {name for test in tests for name in test.arguments}
    for id, count in Counter(ids).items():
        if id is not None and count > 1:
            yield f"Two tests judge the check {id!r}. One check, one test: the second would overwrite the first."
    if None in ids:
        return
    for check in assignment.checks:
        by_kind = (check.number and "number" in asked) or (check.review and "prose_check" in asked)
        if not by_kind and check.id not in ids:
            yield f'No test judges the check {check.id!r}. Mark one: @pytest.mark.check("{check.id}").'


def _near(name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    near = did_you_mean(name, known)
    return f" Did you mean {near!r}?" if near else f" Known: {', '.join(known)}."


# ---------------------------------------------------------------- reading a file


def _tests(path: Path, tree: ast.Module) -> Iterator[_Test]:
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    fixtures = {name for node in functions for name in _fixture(node)}
    for node in functions:
        if not node.name.startswith("test_"):
            continue
        marks = tuple(_marks(node))
        named = {name for mark, first in marks if mark == "parametrize" for name in (first or "").split(",")}
        yield _Test(
            f"{path.name}, line {node.lineno}",
            node.name,
            tuple(argument.arg for argument in (*node.args.posonlyargs, *node.args.args)),
            frozenset(fixtures | {name.strip() for name in named}),
            marks,
        )


def _marks(node: ast.FunctionDef) -> Iterator[tuple[str, str | None]]:
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if not isinstance(call, ast.Attribute) or not ast.unparse(call.value).endswith("pytest.mark"):
            continue
        given = decorator.args[:1] if isinstance(decorator, ast.Call) else []
        first = given[0].value if given and isinstance(given[0], ast.Constant) else None
        yield call.attr, first if isinstance(first, str) else None


def _fixture(node: ast.FunctionDef) -> Iterator[str]:
    """Names under which a fixture of the file's own is asked for."""
    for decorator in node.decorator_list:
        if "fixture" in ast.unparse(decorator):
            yield node.name
            if isinstance(decorator, ast.Call):
                for keyword in decorator.keywords:
                    if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                        yield str(keyword.value.value)
