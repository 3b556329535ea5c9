"""A notebook with plain asserts; and which tests can be turned into checks, and which must not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell

from grader import cli
from grader.exitcode import ExitCode
from grader.importing.cells import without_bodies, without_solution
from grader.importing.notebook import read_notebook
from grader.importing.source import Source
from grader.importing.turning import turn

from . import notebooks

KNOWN = Source(
    "hw.ipynb",
    "a notebook",
    functions={"f": "(x)", "g": "(x)"},
    others={"Net": "class", "limit": "given", "x": "variable"},
    imports={
        "torch": "import torch",
        "np": "import numpy as np",
        "os": "import os",
        "mine": "import mine_own",
    },
    given={"far": "def far(a, b):\n    return abs(a - b)", "bad": "def bad(a):\n    return f(a)"},
    whole=True,
)

NORM = 'import torch\n\ndef norm(x):\n    """Length."""\n    return x.square().sum().sqrt()'
STUB = "# YOUR CODE HERE\n    raise NotImplementedError()"


@pytest.mark.parametrize(
    ("code", "functions"),
    [
        ("assert f(1) == 2", ["f"]),
        ("x = torch.ones(2)\nassert torch.equal(f(x), g(x)), 'equal'", ["f", "g"]),
        ("for i in range(3):\n    assert f(i) == i", ["f"]),
        ("assert all(f(i) > 0 for i in range(3))", ["f"]),
        ("assert f(np.ones(2)).shape == (2,)", ["f"]),
        ("np.testing.assert_allclose(f(1), 2)", ["f"]),
        ("assert far(f(1), 2) < 1", ["f"]),
        ("def twice(x):\n    return f(f(x))\nassert twice(1) == 1", ["f"]),
    ],
)
def test_it_is_turned_as_it_stands(code: str, functions: list[str]) -> None:
    found = turn(code, KNOWN)
    assert (found.reasons, found.functions, found.code) == ([], functions, code)


@pytest.mark.parametrize(
    ("code", "as_lists"),
    [
        ("assert f(1) == (1, 2)", "assert f(1) == [1, 2]"),
        ("y = f(1)\nassert [(1, 2)] == y", "y = f(1)\nassert [[1, 2]] == y"),
        ("assert f(1)[0] == (1, (2, 3))", "assert f(1)[0] == [1, [2, 3]]"),
    ],
)
def test_tuples_are_compared_as_they_arrive(code: str, as_lists: str) -> None:
    found = turn(code, KNOWN)
    assert (found.reasons, found.code) == ([], as_lists)
    assert any("tuples" in note for note in found.notes)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("assert f(1) == limit", "limit is given in the notebook"),
        ("assert Net(3)(1) == 2", "Net is a class"),
        ("assert apply(f) == 2", "f is used other than by a call"),
        ("assert f.__doc__", "f is used other than by a call"),
        ("assert unknown(1)", "unknown is defined nowhere"),
        ("assert eval(f(1)) == 2", r"calls eval\(\)"),
        ("assert open(f(1)).read()", r"calls open\(\)"),
        ("assert os.path.exists(f(1))", "uses os"),
        ("import subprocess\nassert subprocess.run(f(1))", "uses subprocess"),
        ("import pickle as p\nassert p.loads(f(1))", "uses pickle"),
        ("assert mine.check(f(1))", "mine_own, which is not installed here"),
        ("assert bad(1) == 1", "bad, which the notebook gives, uses f"),
        ("try:\n    f(1)\nexcept ValueError:\n    pass", "expects an exception"),
        ("with np.testing.assert_raises(ValueError):\n    f(1)", "expects an exception"),
        ("assert f(1) == {1}", "a set"),
        ("assert set(f(1)) == set()", "a set"),
        ("assert isinstance(f(1), tuple)", "a type that does not travel"),
        ("assert type(f(1)) is np.ndarray or isinstance(f(1), np.ndarray)", "a type that does not travel"),
        ("x = [3, 1]\nf(x)\nassert x == [1, 3]", "calls for an effect"),
        ("assert f(1) ==", "not Python"),
        ("", "empty"),
    ],
)
def test_it_is_left_to_a_person_with_the_reason(code: str, reason: str) -> None:
    found = turn(code, KNOWN)
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError("; ".join(found.reasons))
    assert found.code == code


def test_a_variable_of_the_students_is_read_from_their_notebook() -> None:
    found = turn("assert x == (1, 2)", KNOWN)
    assert (found.reasons, found.variables, found.code) == ([], ["x"], "assert x == [1, 2]")


def test_a_student_function_that_judges_another_is_told() -> None:
    (note,) = turn("assert g(f(1)) < 1e-6", KNOWN).notes
    assert note.startswith("g is called on what f gave; if it is not students' work")


def test_plain_asserts_of_a_notebook_are_its_tests(tmp_path: Path) -> None:
    path = notebooks.written(
        tmp_path / "lab.ipynb",
        new_markdown_cell("# Norms\nWrite `norm`."),
        new_code_cell(NORM + "\n\nassert norm(torch.ones(4)) == 2"),
        new_code_cell("x = torch.zeros(3)\nassert norm(x) == 0\nprint(norm(x))"),
        new_code_cell("this is no Python"),
    )  # fmt: skip
    found = read_notebook(path.name, path.read_text("utf-8"))
    assert [(q.title, q.tests[0].name, q.tests[0].points) for q in found.questions] == 2 * [
        ("Norms", "norm", 1)
    ]
    assert "square" not in found.starter["lab.ipynb"]
    assert "Length." in found.starter["lab.ipynb"]
    assert "square" in found.solution["lab.ipynb"]
    assert any("no points" in note for note in found.notes)
    assert any("no Python" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("lab.ipynb", b"{}", "no notebook of format 4"),
        ("lab.ipynb", b"[1", "no notebook of format 4"),
        ("lab.ipynb", b'{"cells": []}', "There is no test in lab.ipynb"),
        ("lab.py", b"\xff\xfe", "no text in UTF-8"),
        ("lab.txt", b"", "neither a notebook nor a Python file"),
        ("gone.py", None, "cannot be read"),
    ],
)
def test_other_files_are_refused(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = CliRunner().invoke(cli.main, ["import", str(tmp_path / name), "--out", str(tmp_path / "draft")])
    assert result.exit_code == ExitCode.USAGE
    assert message in result.stderr
    assert not (tmp_path / "draft").exists()


@pytest.mark.parametrize(
    ("source", "stripped"),
    [
        ("def f(x):\n    # BEGIN SOLUTION\n    return 1\n    # END SOLUTION", f"def f(x):\n    {STUB}"),
        ("x = 1  # SOLUTION", "x = ..."),
        ("x = 1  # SOLUTION NO PROMPT", ""),
        ("print(3) # SOLUTION", ""),
        ("x = 1", "x = 1"),
        ("### BEGIN SOLUTION\nx = 1", "# YOUR CODE HERE\nraise NotImplementedError()"),
    ],
)  # fmt: skip
def test_marked_solutions_go(source: str, stripped: str) -> None:
    assert without_solution(source) == stripped


@pytest.mark.parametrize(
    "source",
    [
        "def f(x): return 1",
        "def f(x):\n    return 1\n\ny = 2",
        'class A:\n    def f(self,\n          x):\n        """Doc."""\n        return 1',
        '@decorated\ndef f(x):\n    """Doc.\n\n    More."""\n    if x:\n        return 1\n    return 1',
        "%magic\ndef f(x):\n    return 1",
    ],
)
def test_bodies_go_and_what_remains_is_python(source: str) -> None:
    left = without_bodies(source, {"f"})
    assert "return" not in left
    assert "raise NotImplementedError()" in left
    assert ('"""Doc.' in left) == ('"""Doc.' in source)
    assert ("y = 2" in left) == ("y = 2" in source)
    ast.parse(left.replace("%magic", "pass"))
