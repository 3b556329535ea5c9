"""Notebooks as nbgrader, otter-grader and people write them, made with nbformat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

SOFTMAX = '''def softmax(scores):
    """Probabilities."""
    ### BEGIN SOLUTION
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()
    ### END SOLUTION'''
BEST = """def best(scores):
    ### BEGIN SOLUTION
    return int(scores.argmax()), float(scores.max())
    ### END SOLUTION
threshold = 3 # SOLUTION"""
TESTS = """x = np.array([1.0, 2.0])
assert np.allclose(softmax(x).sum(), 1)
assert far(softmax(x), [0.2, 0.8]) < 0.1
assert softmax(x).shape == (2,)
### BEGIN HIDDEN TESTS
assert np.allclose(softmax(x), [0.26894142, 0.73105858])
### END HIDDEN TESTS
"""


def of_nbgrader(source: str, *, kind: str = "code", **kept: Any) -> Any:
    """A cell with nbgrader's metadata, schema version 3."""
    usual = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
    make = new_code_cell if kind == "code" else new_markdown_cell
    return make(source, metadata={"nbgrader": {**usual, **kept}})


def tested(source: str, points: float, id: str) -> Any:
    """A cell of autograder tests."""
    return of_nbgrader(source, grade=True, locked=True, points=points, grade_id=id)


def written(path: Path, *cells: Any, **metadata: Any) -> Path:
    """A valid notebook on disk."""
    notebook = new_notebook(cells=list(cells), metadata=metadata)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    return path


def nbgraders(path: Path) -> Path:
    """The instructor's version of a homework in nbgrader."""
    return written(
        path,
        new_markdown_cell("# Homework 1"),
        new_code_cell("%matplotlib inline\nimport numpy as np"),
        of_nbgrader("def far(a, b):\n    return np.abs(a - np.array(b)).max()", locked=True, grade_id="far"),
        new_markdown_cell("## Softmax\nWrite `softmax(scores)`."),
        of_nbgrader(SOFTMAX, solution=True, grade_id="softmax"),
        tested(TESTS, 3, "test_softmax"),
        new_markdown_cell("## Argmax"),
        of_nbgrader(BEST, solution=True, grade_id="best"),
        tested("assert best(np.array([1.0, 5.0])) == (1, 5.0)", 2, "test_best"),
        tested("assert threshold == 3", 1, "test_threshold"),
        tested("try:\n    assert best(None)\nexcept ValueError:\n    pass", 1, "test_raises"),
        new_markdown_cell("## Why\nWhy is the largest score subtracted?"),
        of_nbgrader("Because.", kind="markdown", grade=True, solution=True, points=4, grade_id="why"),
    )
