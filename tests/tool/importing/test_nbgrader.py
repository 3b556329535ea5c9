"""An nbgrader notebook becomes a draft that can be graded: solution and starter handed in, a mistake caught."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from grader import cli
from grader.assignment import find_assignment
from grader.checking.marks import misspelt
from grader.exitcode import ExitCode
from grader.model import Visibility
from grader.verify import Proof, verify

from . import notebooks

BANK = """from grader.authoring import Edit, Misconception

BANK = (
    Misconception(
        id="not-normalised", title="t", belief="b", hint="h", diagnosed=False,
        checks=("1a.test-softmax", "1a.test-softmax-hidden"),
        edits=(Edit("hw1.ipynb", "powers / powers.sum()", "powers"),),
    ),
    Misconception(
        id="last", title="t", belief="b", hint="h", diagnosed=False,
        checks=("1b.test-best",),
        edits=(Edit("hw1.ipynb", "int(scores.argmax())", "len(scores)"),),
    ),
    Misconception(
        id="four", title="t", belief="b", hint="h", diagnosed=False,
        checks=("1c.test-threshold",),
        edits=(Edit("hw1.ipynb", "threshold = 3", "threshold = 4"),),
    ),
)
"""


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nbgrader") / "hw1"


@pytest.fixture(scope="module")
def result(draft: Path) -> Result:
    """Of the command that makes the draft."""
    notebook = notebooks.nbgraders(draft.parent / "hw1.ipynb")
    return CliRunner().invoke(cli.main, ["import", str(notebook), "--out", str(draft)])


@pytest.fixture(scope="module")
def proof(result: Result, draft: Path) -> Proof:
    """What verify finds once two mistakes are written into its bank."""
    assert result.exit_code == ExitCode.ALL_PASSED, result.stderr
    (draft / "bank.py").write_text(BANK, "utf-8")
    return verify(find_assignment(str(draft)), seeds=1, jobs=1)


def test_points_visibility_and_what_a_person_marks_are_taken_over(result: Result, draft: Path) -> None:
    assert result.exit_code == ExitCode.ALL_PASSED, result.stderr
    found = find_assignment(str(draft))
    assert [(c.id, str(c.points), c.visibility is Visibility.HIDDEN, c.review) for c in found.checks] == [
        ("1a.test-softmax", "1.5", False, False),
        ("1a.test-softmax-hidden", "1.5", True, False),
        ("1b.test-best", "2", False, False),
        ("1c.test-threshold", "1", False, False),
        ("1d.test-raises", "1", False, False),
        ("1e.review", "4", False, True),
    ]
    assert (found.parts[0].title, found.parts[0].asks) == ("Softmax", "Write `softmax(scores)`.")
    assert found.signatures == {"best": "(scores)", "softmax": "(scores)"}
    assert found.allowed_packages == ("numpy",)
    assert misspelt(found) == []


def test_it_says_what_was_taken_over_and_what_needs_a_person(result: Result) -> None:
    for line in (
        "hw1.ipynb: nbgrader",
        "Taken over: 4 of 5 tests, as checks that call the student's functions",
        "  1d.test-raises 1 point: it expects an exception: student.replies() tells what was raised",
        "  1c.test-threshold: threshold is read from the student's notebook, whose cells are run in order",
        "  test_softmax: its visible and its hidden tests get half of the 3 points each",
        "  1b.test-best: tuples are compared as lists, which is how they arrive",
    ):
        assert line in result.stdout.splitlines()
    assert "grade verify" in result.stdout.splitlines()[-1]


def test_the_starter_has_no_solution_and_no_hidden_test(result: Result, draft: Path) -> None:
    cells = json.loads((draft / "starter/hw1.ipynb").read_text("utf-8"))["cells"]
    sources = [cell["source"] for cell in cells]
    text = "\n".join(sources)
    assert (
        'def softmax(scores):\n    """Probabilities."""\n    # YOUR CODE HERE\n    raise NotImplementedError()'
        in text
    )
    assert "threshold = ..." in text
    assert "YOUR ANSWER HERE" in sources
    assert "assert softmax(x).shape == (2,)" in text
    for secret in ("powers", "0.26894142", "HIDDEN", "Because."):
        assert secret not in text
    solution = (draft / "solution/hw1.ipynb").read_text("utf-8")
    assert "powers / powers.sum()" in solution
    assert "0.26894142" not in solution


def test_the_checks_call_in_the_worker_and_what_was_not_turned_is_text(result: Result, draft: Path) -> None:
    text = (draft / "test_imported.py").read_text("utf-8")
    assert '        softmax = student.function("softmax", arrays=True)\n' in text
    assert "        assert best(np.array([1.0, 5.0])) == [1, 5.0]\n" in text
    assert (
        '        threshold = student.variable("threshold", arrays=True)\n        assert threshold == 3\n'
        in text
    )
    assert "    #     except ValueError:\n    #         pass\n    raise NeedsReview(" in text
    assert text.count("def far(a, b):") == 1  # given code is the judge's own


def test_the_solution_passes_the_starter_does_not_and_mistakes_are_caught(proof: Proof) -> None:
    rows = {row.id: row for row in proof.checks}
    for id in ("1a.test-softmax", "1a.test-softmax-hidden", "1b.test-best", "1c.test-threshold"):
        assert (rows[id].full, rows[id].runs, rows[id].starter) == (1, 1, 0)
        assert rows[id].caught
    assert rows["1d.test-raises"].full == 0
    assert {problem.about for _, problem in proof.problems} == {"1d.test-raises"}  # for a person to write
