"""The rules that name a training loop's mistake: total on any record, and silent without evidence."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.transformer.figure_rules import FIGURES
from reference.transformer.judged import IN_FIGURES, IN_TRAINING, named
from reference.transformer.training_facts import Facts
from reference.transformer.training_mistakes import MISTAKES
from reference.transformer.training_rules import IN_EVALUATION, RULES
from reference.transformer.training_run import read
from reference.transformer.training_trace import COLUMNS, Recorder

TRUTH = [0, 1, 2, 3] * 4
N_TRAIN = 12
MOVED = {"embeddings": 0.0, "encoder": 0.0, "head": 0.0}
ALL = (*RULES, *IN_EVALUATION, *FIGURES)


def empty() -> dict[str, Any]:
    """The record of a run in which nothing happened."""
    return Recorder(None, lambda model: None).plain()


def test_each_rule_has_its_words_and_each_mistake_its_rule() -> None:
    assert {rule.__name__.replace("_", "-") for rule in ALL} == set(MISTAKES)
    for mistake in MISTAKES.values():
        assert not mistake.title.endswith(".")
        assert mistake.belief.endswith(".")
        assert mistake.hint[-1] in ".?"


def test_nothing_is_said_of_a_run_in_which_nothing_happened() -> None:
    run = read(empty(), TRUTH, N_TRAIN, MOVED)
    assert run is not None
    facts = Facts(run, 0.0, 0.0)
    assert [rule.__name__ for rule in ALL if rule(facts)] == []
    assert named(facts, IN_TRAINING) is None
    assert named(None, IN_FIGURES) is None


@pytest.mark.parametrize("key", sorted(empty()))
@pytest.mark.parametrize("value", [None, "text", -1, [[1]], [None], torch.ones(3), torch.full((2, 5), -7)])
def test_a_record_of_another_form_is_no_record(key: str, value: Any) -> None:
    assert read({**empty(), key: value}, TRUTH, N_TRAIN, MOVED) is None
    assert read({k: v for k, v in empty().items() if k != key}, TRUTH, N_TRAIN, MOVED) is None


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """Anything of the right form: what a student could make the worker say."""
    numbers, bits = st.integers(-3, 60), st.integers(0, 1)
    counts = draw(st.lists(st.integers(0, 9), max_size=25))
    forwards = [[draw(numbers) for _ in COLUMNS] + [count] for count in counts]
    rows = [draw(st.integers(-1, len(TRUTH) - 1)) for _ in range(sum(counts))]
    given_labels = [draw(st.integers(-1, 5)) for _ in rows]
    optimizers = draw(st.integers(0, 3))
    steps = draw(st.integers(0, 30)) if optimizers else 0
    floats = st.floats(allow_nan=True, allow_infinity=True, width=32)

    def table(rows: list[list[Any]], width: int, dtype: torch.dtype = torch.int64) -> torch.Tensor:
        return torch.tensor(rows, dtype=dtype).reshape(-1, width)

    return {
        "forwards": table(forwards, len(COLUMNS) + 1),
        "rows": torch.tensor(rows, dtype=torch.int64),
        "predicted": torch.tensor(given_labels, dtype=torch.int64),
        "labels": torch.tensor(given_labels, dtype=torch.int64),
        "losses": torch.tensor([draw(floats) for _ in counts], dtype=torch.float64),
        "backwards": table([[draw(numbers), draw(bits)] for _ in range(draw(st.integers(0, 12)))], 2),
        "steps": table(
            [
                [draw(numbers), draw(st.integers(0, optimizers - 1)), draw(bits), draw(bits)]
                for _ in range(steps)
            ],
            4,
        ),
        "sizes": table([[draw(floats) for _ in range(3)] for _ in range(steps)], 3, torch.float64),
        "clips": torch.tensor([draw(numbers) for _ in range(draw(st.integers(0, 8)))], dtype=torch.int64),
        "optimizers": [
            {
                "kind": "AdamW",
                "covered": [draw(numbers)] * 3,
                "trainable": [draw(numbers)] * 3,
                "foreign": 0,
                "initial_lr": draw(floats),
            }
            for _ in range(optimizers)
        ],
    }


@settings(max_examples=150, deadline=None)
@given(
    record=records(),
    moved=st.sampled_from([{}, MOVED, {"embeddings": 9.0, "encoder": 9.0, "head": 0.01}]),
    accuracy=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    claims=st.sampled_from([None, (), (0.5,), (0.1, 0.25, 0.3), (90.0, 91.0, 92.0), (0.7, 0.7, 0.7)]),
    broken=st.booleans(),
)
def test_no_record_makes_a_rule_fail(
    record: dict[str, Any], moved: dict[str, float], accuracy: float, claims: Any, broken: bool
) -> None:
    run = read(record, TRUTH, N_TRAIN, moved)
    assert run is not None
    facts = Facts(run, accuracy, accuracy, claims, broken_weights=broken)
    for rule in ALL:
        assert isinstance(rule(facts), str), rule.__name__
