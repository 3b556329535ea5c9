"""What the judge reads in the output of a script: figures and samples."""

from __future__ import annotations

from fractions import Fraction

import pytest

from reference.transformer.bodies import rows
from reference.transformer.script_run import samples_in, says

SHARE = Fraction(91, 128)  # 0.7109375
TEXTS = rows("assets/news/train.jsonl")[:3]


@pytest.mark.parametrize(
    "printed",
    [
        "test accuracy 0.7109",
        "acc=0.711",
        "Accuracy: 71.1%",
        "71.09 %",
        "{'eval_accuracy': 0.7109375}",
        "0.71",
    ],
)
def test_an_accuracy_is_found_at_the_digits_it_is_printed_with(printed: str) -> None:
    assert says(printed, SHARE)


@pytest.mark.parametrize(
    "printed", ["", "0.7", "71", "0.7190", "72.1%", "7.109", "10.7109", "v1.0.7109", "loss 0.72", "epoch 3"]
)
def test_other_numbers_are_not_taken_for_it(printed: str) -> None:
    assert says(printed, SHARE) is None


@pytest.mark.parametrize("printed", ["1.00", "100%", "1.0000", "100.0"])
def test_an_accuracy_of_one_can_be_printed(printed: str) -> None:
    assert says(printed, Fraction(1))


def test_samples_are_found_with_their_labels() -> None:
    printed = "\n".join(f"{row['text']} -> {row['label']}" for row in TEXTS)
    assert samples_in(printed, rows("assets/news/train.jsonl")) == [(row, True) for row in TEXTS]
    cut = "\n".join(f"{row['label']}  {row['text'][:45]}..." for row in TEXTS)
    assert [row["text"] for row, _ in samples_in(cut, TEXTS)] == [row["text"] for row in TEXTS]


def test_a_text_without_its_label_is_seen() -> None:
    found = samples_in("\n".join(row["text"] for row in TEXTS), TEXTS)
    assert len(found) == 3
    assert samples_in("no texts at all", TEXTS) == []
