"""docs/authoring.md, held against the code: every name, every signature, the example."""

from __future__ import annotations

import inspect
import re
import typing
from pathlib import Path

import pytest

from grader import authoring
from grader.checking.marks import FIXTURES
from grader.checking.plugin import ChecksPlugin
from grader.model import Assignment, Check

PAGE = (Path(__file__).parents[3] / "docs" / "authoring.md").read_text("utf-8")
ONE_PAGE = PAGE[PAGE.index("## The API on one page") : PAGE.index("## assignment.toml")]
TYPES = {
    "check": authoring.Running,
    "student": authoring.Student,
    "expected": authoring.Expected,
    "compare": authoring.Compare,
    "numbers": authoring.Numbers,
    "asserted": authoring.Asserted,
}
CALLS = re.findall(r"^\| `(\w+)(?:\.(\w+))?\(([^`]*)\)`", ONE_PAGE, re.M)


def test_it_fits_on_a_page() -> None:
    assert len(ONE_PAGE.splitlines()) <= 110


@pytest.mark.parametrize("name", authoring.__all__)
def test_every_name_is_on_it(name: str) -> None:
    assert re.search(rf"\b{name}\b", PAGE)


@pytest.mark.parametrize(("fixture", "method", "arguments"), [c for c in CALLS if c[0] in TYPES])
def test_every_signature_is_that_of_the_code(fixture: str, method: str, arguments: str) -> None:
    signature = inspect.signature(getattr(TYPES[fixture], method or "__call__"))
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()][1:]
    assert f"({arguments})" == str(inspect.Signature(plain))


def test_no_signature_is_left_out() -> None:
    shown = {(fixture, method) for fixture, method, _ in CALLS}
    for fixture in ("check", "student"):
        public = {
            name for name, _ in inspect.getmembers(TYPES[fixture], inspect.isfunction) if name[0] != "_"
        }
        machinery = {
            "saw",
            "evidence",
            "values",
        }  # what the plugin calls; `values` is the second half of `ask`
        assert public - machinery == {method for name, method in shown if name == fixture}


def test_fixtures_and_their_types_are_those_of_the_plugin() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", ONE_PAGE, re.M))
    assert set(rows) == set(FIXTURES)
    for name, type_ in rows.items():
        function = getattr(ChecksPlugin, f"_fixture_{name}", None)
        if function is None:
            assert type_ == Check.__name__
        else:
            hint = typing.get_type_hints(
                inspect.unwrap(
                    function.__wrapped__
                    if hasattr(function, "__wrapped__")
                    else function._get_wrapped_function()
                ),
                localns={"Compare": authoring.Compare, "Expected": authoring.Expected},
            )["return"]
            assert (typing.get_origin(hint) or hint).__name__ == type_


def test_every_outcome_is_there_and_can_be_raised_as_shown() -> None:
    rows = re.findall(r"^\| `(\w+)\(message, hint(, fraction=Fraction\(2, 3\))?\)`", ONE_PAGE, re.M)
    assert {name for name, _ in rows} == {"Failed", "Partial", "Missing", "Blocked", "NeedsReview"}
    for name, fraction in rows:
        given = {"fraction": 2 / 3} if fraction else {}
        inspect.signature(getattr(authoring, name)).bind("message", "hint", **given)


def test_the_example_is_the_check_that_grade_new_writes(scaffold: Path, written: Assignment) -> None:
    example = re.search(r"```python\n(.*?)```", ONE_PAGE, re.S)
    assert example is not None
    imports, check = example[1].split("\n\n\n")
    text = (scaffold / "test_1_softmax.py").read_text("utf-8")
    assert imports in text
    assert check in text
    assert "1a.large" in {declared.id for declared in written.checks}
