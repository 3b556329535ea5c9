"""otter-grader's two formats, alone and with a notebook; nothing of a file is executed while it is read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from grader.assignment import find_assignment
from grader.checking.marks import misspelt
from grader.errors import UsageError
from grader.importing import import_files
from grader.importing.otter import from_doctest
from grader.importing.source import shared_points

from . import notebooks

OK = '''OK_FORMAT = True

test = {
    "name": "q1",
    "points": 3,
    "suites": [
        {
            "cases": [
                {"code": r"""
                >>> x = [1, 2]
                >>> square(3)
                9
                >>> square(x[0]) == 1
                True
                """, "hidden": False, "locked": False, "failure_message": "Multiply."},
                {"code": ">>> for i in range(2):\\n...     print(square(i))\\n0\\n1", "hidden": True, "points": 2},
                {"code": ">>> pairs(2)\\n[(0, 1), (1, 2)]", "hidden": True},
            ],
            "scored": True, "setup": "", "teardown": "", "type": "doctest",
        },
    ],
}
'''
EXCEPTIONS = '''import math

from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = None

def close(a, b):
    return abs(a - b) < 1e-9

@test_case(points=1, failure_message="Is the base e?")
def test_low(entropy):
    """Two shares."""
    # one half each
    assert close(entropy([0.5, 0.5]), math.log(2))

@test_case(points=0.5, hidden=True, name="high entropy")
def test_high(env):
    assert env["entropy"]([1.0]) == 0

@test_case(points=1)
def test_sieve(sieve):
    assert sieve(2) == {2}

@test_case(points=1)
def test_all(env):
    assert "x" in env
'''


def test_both_formats_become_one_draft(tmp_path: Path) -> None:
    (tmp_path / "q1.py").write_text(OK, "utf-8")
    (tmp_path / "q2.py").write_text(EXCEPTIONS, "utf-8")
    done = import_files([tmp_path / "q1.py", tmp_path / "q2.py"], tmp_path / "hw2", "Homework 2")
    found = find_assignment(str(tmp_path / "hw2"))
    assert found.title == "Homework 2"
    assert [(c.id, str(c.points), c.visibility.value) for c in found.checks] == [
        ("1a.case-1", "0.5", "public"),
        ("1a.case-2", "2", "hidden"),
        ("1a.case-3", "0.5", "hidden"),
        ("1b.test-low", "1", "public"),
        ("1b.high-entropy", "0.5", "hidden"),
        ("1b.test-sieve", "1", "public"),
        ("1b.test-all", "1", "public"),
    ]
    assert misspelt(found) == []
    reasons = {c.id: c.turned.reasons for part in done.parts for c in part.checks if c.turned.reasons}
    assert set(reasons) == {"1a.case-2", "1b.test-sieve", "1b.test-all"}
    assert reasons["1a.case-2"] == ["it compares printed text"]
    assert "a set, which does not travel" in reasons["1b.test-sieve"][0]
    text = (tmp_path / "hw2/test_imported.py").read_text("utf-8")
    for line in (
        "    with asserted.saying('Multiply.') as student:",
        "        x = [1, 2]",
        "        assert square(3) == 9",
        "        assert square(x[0]) == 1",
        "        assert pairs(2) == [[0, 1], [1, 2]]",
        "        # one half each",
        "        assert close(entropy([0.5, 0.5]), math.log(2))",
        "        assert entropy([1.0]) == 0",
        "import math",
        "def close(a, b):",
    ):
        assert line in text.splitlines()
    assert "otter" not in text.replace("grader", "")
    assert "def square(argument_1):" in (tmp_path / "hw2/starter/work.py").read_text("utf-8")


def test_a_notebook_lends_its_solution_and_its_names(tmp_path: Path) -> None:
    test = ">>> double(3)\n6\n>>> isinstance(limit, int)\nTrue"
    suite = {
        "cases": [{"code": test, "hidden": False}],
        "scored": True,
        "setup": "",
        "teardown": "",
        "type": "doctest",
    }
    notebooks.written(
        tmp_path / "lab.ipynb",
        new_markdown_cell("# Lab"),
        new_code_cell(
            "def square(x):\n    # BEGIN SOLUTION\n    return x * x\n    # END SOLUTION\n\nlimit = 4 # SOLUTION"
        ),
        new_code_cell("def double(x):\n    return 2 * x # SOLUTION"),
        otter={"OK_FORMAT": True, "tests": {"q3": {"name": "q3", "points": 1, "suites": [suite]}}},
    )
    (tmp_path / "q1.py").write_text(
        OK.replace("pairs(2)", "square(2)").replace("[(0, 1), (1, 2)]", "4"), "utf-8"
    )
    done = import_files([tmp_path / "lab.ipynb", tmp_path / "q1.py"], tmp_path / "lab")
    assert done.formats == ["lab.ipynb: otter-grader", "q1.py: otter-grader"]
    checks = {c.id: c.turned for part in done.parts for c in part.checks}
    assert (checks["1a.case-1"].variables, checks["1a.case-1"].functions) == (["limit"], ["double"])
    assert checks["1b.case-1"].functions == checks["1b.case-3"].functions == ["square"]
    starter = (tmp_path / "lab/starter/lab.ipynb").read_text("utf-8")
    assert "limit = ..." in starter
    assert "x * x" not in starter
    assert "2 * x" not in starter
    assert "x * x" in (tmp_path / "lab/solution/lab.ipynb").read_text("utf-8")
    assert not (tmp_path / "lab/solution/work.py").exists()


@pytest.mark.parametrize(
    "text",
    [
        "raise SystemExit\ntest = {'name': 'q', 'suites': [{'cases': [{'code': '>>> f(1)\\n2'}]}]}\n",
        "import os\nos.remove(__file__)\n@test_case()\ndef test_f(f):\n    assert f(1)\n",
    ],
)
def test_nothing_is_executed(text: str, tmp_path: Path) -> None:
    file = tmp_path / "q.py"
    file.write_text(text, "utf-8")
    import_files([file], tmp_path / "draft")
    assert file.read_text("utf-8") == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("test = make()", "this is computed, not written"),
        ("test = {'name': 'q'}", "not in the OK format"),
        ("x = 1", "neither `test"),
        ("def (", "line 1"),
        ("test = {'name': 'q', 'suites': [{'cases': [{'code': 3 * 'a'}]}]}", "this is computed"),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_is_written(
    text: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "q.py").write_text(text, "utf-8")
    with pytest.raises(UsageError, match=message):
        import_files([tmp_path / "q.py"], tmp_path / "draft")
    assert [p.name for p in tmp_path.iterdir()] == ["q.py"]


@pytest.mark.parametrize(
    ("given", "whole", "expected"),
    [
        ([None, None], None, ["1/2", "1/2"]),
        ([None, None], 3, ["3/2", "3/2"]),
        ([2, None], None, ["2", "0"]),
        ([2, 2, None, None], 6, ["2", "2", "1", "1"]),
        ([0, None, None], None, ["0", "1/2", "1/2"]),
    ],
)
def test_points_are_shared_as_otter_shares_them(
    given: list[int | None], whole: int | None, expected: list[str]
) -> None:
    points = {str(i): None if p is None else Fraction(p) for i, p in enumerate(given)}
    shares = shared_points(points, None if whole is None else Fraction(whole))
    assert [str(share) for share in shares.values()] == expected


@pytest.mark.parametrize(
    ("doctest", "statements"),
    [
        (">>> f(1) == 2\nTrue", "assert f(1) == 2"),
        (">>> f(1) == 2\nFalse", "assert not (f(1) == 2)"),
        (">>> f(1)\n'a'", "assert f(1) == 'a'"),
        (">>> y = f(1)\n>>> y;\n2.5", "y = f(1)\nassert y == 2.5"),
        (">>> f(1) + 1\n3", "assert (f(1) + 1) == 3"),
        (">>> f(1) is None\nTrue", "assert f(1) is None"),
    ],
)
def test_a_doctest_becomes_asserts(doctest: str, statements: str) -> None:
    assert from_doctest(doctest) == (statements, [])


@pytest.mark.parametrize(
    "doctest",
    [
        ">>> print(f(1))\n2 apples",
        ">>> f(1)  # doctest: +ELLIPSIS\n1...",
        ">>> f(1)\nTraceback (most recent call last):\nValueError: no",
        ">>> f(1)\narray([1, 2])",
        ">>> if f(1):\n...     1\n1",
    ],
)
def test_another_doctest_is_left_to_a_person(doctest: str) -> None:
    assert from_doctest(doctest)[1]
