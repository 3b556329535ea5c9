"""What a worker saw becomes notes with a reason and a next step; an answer that no helper gives is refused."""

from __future__ import annotations

from typing import Any

import pytest

from grader.checking.outcomes import Failed
from reference.transformer.advice import notes

NOTHING: dict[str, Any] = {"loops": [], "left_behind": [], "prints": []}


def test_nothing_seen_is_nothing_said() -> None:
    assert notes(NOTHING) == []


def test_a_line_that_loops_over_two_axes_is_told_once() -> None:
    line = "attention.py, line 9"
    (note,) = notes(NOTHING | {"loops": [["positions", line], ["features", line]]})
    assert note.startswith(
        "Advice, no points: attention.py, line 9 runs once more for each of the positions and the"
    )
    assert "try to write it without the loop" in note


def test_a_tensor_is_told_by_its_name_or_by_the_line_that_makes_it() -> None:
    seen = [["scale", "a.py, line 3"], ["a.py, line 2", "a.py, line 4"]]
    named, made = notes(NOTHING | {"left_behind": seen})
    assert "The tensor scale stays on the CPU" in named
    assert "What is made in a.py, line 2 stays on the CPU" in made
    for note in (named, made):
        assert "register_buffer" in note
        assert "device=x.device" in note


def test_many_prints_are_one_note() -> None:
    (note,) = notes(NOTHING | {"prints": ["a.py, line 3", "a.py, line 5"]})
    assert "a.py, line 3 prints in every call of forward" in note


def test_a_name_of_any_length_is_cut() -> None:
    notes_of_long = notes(NOTHING | {"left_behind": [["x" * 10_000, "y" * 10_000]]})
    assert max(map(len, notes_of_long)) < 600


@pytest.mark.parametrize(
    "seen",
    [
        None,
        [],
        {},
        {"loops": [], "left_behind": []},
        NOTHING | {"more": 1},
        NOTHING | {"loops": [["moon", "a.py, line 3"]]},
        NOTHING | {"loops": [["heads"]]},
        NOTHING | {"loops": "heads"},
        NOTHING | {"left_behind": [[1, 2]]},
        NOTHING | {"prints": [3]},
        NOTHING | {"prints": "a.py"},
    ],
)
def test_what_no_helper_answers_is_refused(seen: Any) -> None:
    with pytest.raises(Failed):
        notes(seen)
