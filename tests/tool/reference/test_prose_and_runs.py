"""Concepts are found by their words; accuracies are fractions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.transformer.prose import PROSE, Concept
from reference.transformer.runs import N_TEST, N_TRAIN, RUNS, counts


@pytest.mark.parametrize("id", ["3d.comparison", "4a.objective", "4b.comparison"])
def test_the_model_answer_has_every_concept(id: str) -> None:
    prose = PROSE[id]
    assert prose.id == id
    assert len(prose.concepts) >= 5
    for concept, passage in prose.look(prose.answer):
        assert passage is not None, concept.name
        assert passage in prose.answer


@pytest.mark.parametrize("id", PROSE)
def test_an_answer_about_something_else_has_none(id: str) -> None:
    assert [p for _, p in PROSE[id].look("I had pizza and it rained all day.") if p] == []
    assert [p for _, p in PROSE[id].look("") if p] == []


@pytest.mark.parametrize(
    ("words", "text", "passage"),
    [
        ("generali", "It generalises well.", "generalises"),
        ("cross entropy", "the Cross-Entropy loss", "Cross-Entropy"),
        ("cross entropy", "cross\nentropy", "cross\nentropy"),
        ("predict … token", "predicting the very next token", "predicting the very next token"),
        ("predict … token", "predict a b c d e token", None),
        ("BERT", "DistilBERT", None),
        ("token", "tokens, tokens", "tokens"),
    ],
)
def test_words_of_a_concept(words: str, text: str, passage: str | None) -> None:
    assert Concept("", (words,)).find(text) == passage


def test_the_published_accuracies_are_fractions() -> None:
    train = [counts(a, N_TRAIN) for run in RUNS for a in run.train]
    test = [counts(a, N_TEST) for run in RUNS for a in run.test]
    assert train == [[739], [943], [989], [746], [935], [972]]
    assert test == [[112], [115], [114], [108], [111], [117]]


@given(st.integers(0, 1024), st.sampled_from([128, 1024]), st.integers(1, 6))
def test_what_is_true_is_possible(k: int, n: int, decimals: int) -> None:
    k %= n + 1
    assert k in counts(f"{k / n:.{decimals}f}", n)


@pytest.mark.parametrize(("printed", "n"), [("0.8990", 128), ("0.92", 10), ("1.5", 128), ("0.72180", 1024)])
def test_what_cannot_be_true_has_no_count(printed: str, n: int) -> None:
    assert counts(printed, n) == []
