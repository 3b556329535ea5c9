"""The handout's test cells in notebooks: what changes their meaning is told, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from grader.intake import altered_cells, read_originals
from grader.intake.altered import Original
from grader.model import ArtifactKind, Assignment, Submission
from tests.tool.notebooks import notebook

HandIn = Callable[..., Submission]


@pytest.fixture
def originals(assignment: Assignment) -> tuple[Original, ...]:
    return read_originals(assignment)


@pytest.fixture
def cell(originals: tuple[Original, ...]) -> str:
    """The test of attention as handed out."""
    return originals[0].source


def notes(hand_in: HandIn, originals: tuple[Original, ...], *cells: str) -> tuple[str, ...]:
    submission = hand_in({"a3.ipynb": notebook(*cells)})
    files = tuple(replace(file, kind=ArtifactKind.NOTEBOOK) for file in submission.files)
    return altered_cells(replace(submission, files=files), originals)


def test_the_cells_as_handed_out_are_no_news(hand_in: HandIn, originals: tuple[Original, ...]) -> None:
    assert notes(hand_in, originals, "md:# Test", *(original.source for original in originals)) == ()
    assert notes(hand_in, originals, "\n".join(original.source for original in originals)) == ()


@pytest.mark.parametrize(
    "edit",
    [
        lambda s: re.sub(r"#.*", "# mine", s),
        lambda s: s.replace("self_attn_output", "out1").replace("attn", "mha"),
        lambda s: re.sub(r"(?<=[\d\]]),\s*", ",\n      ", s),
        lambda s: s.replace("0.1396", "0.13960").replace("-0.0341", "-.0341"),
        lambda s: s + "\nprint(attn.eval_mode, 'attn.eval()')  # attn.eval()",
        lambda s: s + "\nfor i in range(17):\n    print(i, 0.77)",
    ],
    ids=["comments", "names", "layout", "digits", "texts", "more"],
)
def test_layout_names_and_additions_are_no_change(
    hand_in: HandIn, originals: tuple[Original, ...], cell: str, edit: Callable[[str], str]
) -> None:
    assert notes(hand_in, originals, edit(cell)) == ()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("attn = MultiHeadAttention(embed_dim, num_heads=2)", "attn = MultiHeadAttention(8, num_heads=2)\nattn.eval()",
         "line 7 adds .eval()"),
        ("num_heads=2)", "num_heads=2, dropout=0.0)", "line 6 adds dropout=0"),
        ("num_heads=2)", "num_heads=2).train(False)", "line 6 adds .train(False)"),
        ("manual_seed(231)", "manual_seed(232)", "line 1 has 232 where the original has 231"),
        ("-0.2494", "-0.2594", "line 21 has -0.2594 where the original has -0.2494"),
        ("-0.2494, 0.1396", "-0.3, 0.14", "line 21 has -0.3 where the original has -0.2494, and 1 more number with it"),
        ("-0.2494", "0.2494", "line 21 has 0.2494 where the original has -0.2494"),
        (", -0.3038]", "]", "a number is missing"),
        ("< 0.5", "< 0.9", "line 13 has 0.9 where the original has 0.5"),
    ],
)  # fmt: skip
def test_what_changes_the_meaning_is_told(
    hand_in: HandIn, originals: tuple[Original, ...], cell: str, old: str, new: str, words: str
) -> None:
    assert old in cell
    (note,) = notes(hand_in, originals, "md:# Test", "x = 1", cell.replace(old, new, 1))
    assert note.startswith(
        "For the instructor: a3.ipynb, cell 3: the handout's own test of multi-head attention was changed: "
    )
    assert words in note
    assert "Nothing was deducted" in note


def test_a_looser_relative_error_is_told(hand_in: HandIn, originals: tuple[Original, ...]) -> None:
    (note,) = notes(hand_in, originals, originals[2].source.replace("1e-8", "10"))
    assert "cell 1: the handout's own test of the relative error" in note
    assert "has 10 where the original has 1e-8" in note


def test_a_test_cut_into_several_cells_is_put_together(
    hand_in: HandIn, originals: tuple[Original, ...], cell: str
) -> None:
    pieces = cell.split("\n\n")
    cells = ["\n".join(pieces[:2]), *pieces[2:5], pieces[5].replace("0.7377", "0.7388"), *pieces[6:]]
    (note,) = notes(hand_in, originals, *cells)
    assert "a3.ipynb, cells 2 to 8: " in note
    assert "was changed: has 0.7388 where the original has 0.7377. " in note


def test_work_of_the_student_is_not_taken_for_a_test(
    hand_in: HandIn, originals: tuple[Original, ...], attention: str
) -> None:
    own = "attn = MultiHeadAttention(8, num_heads=2)\nattn.eval()\nprint(attn(torch.randn(1, 3, 8)))"
    assert notes(hand_in, originals, attention, own) == ()


def test_an_exported_file_is_looked_at_too(
    hand_in: HandIn, originals: tuple[Original, ...], cell: str
) -> None:
    submission = hand_in({"a3.py": f"# In[1]:\n\nx = 1\n\n# In[2]:\n{cell.replace('231', '7')}"})
    files = tuple(replace(file, kind=ArtifactKind.MODULE) for file in submission.files)
    (note,) = altered_cells(replace(submission, files=files), originals)
    assert "has 7 where the original has 231" in note
