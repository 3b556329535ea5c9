"""results/*.json: figures, predictions, and the test whether an accuracy can exist."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake import (
    Found,
    accuracy_counts,
    explain_impossible,
    label_name,
    nearest_accuracies,
    possible_accuracy,
    read_answers,
    read_metrics,
    read_predictions,
)
from grader.model import ArtifactKind, Submission, SubmittedFile

HandIn = Callable[[dict[str, Any]], Submission]
PATH = "results/distilbert.json"
GOOD = """{"model": "distilbert-base-uncased", "n_train": 1024, "n_test": 128, "batch_size": 8,
 "learning_rate": 5e-05,
 "epochs": [{"train_acc": 0.7217, "test_acc": 0.8750, "train_loss": 0.9, "seconds": 510.2},
            {"train_acc": 0.9209, "test_acc": 0.8984}]}"""


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_figures_keep_their_digits(hand_in: HandIn) -> None:
    metrics = read_metrics(hand_in({PATH: GOOD}), PATH)
    assert metrics.status is Found.FOUND
    assert (metrics.n_train, metrics.n_test, metrics.batch_size) == (1024, 128, 8)
    assert metrics.learning_rate == Decimal("5e-5")
    assert [str(e.test_acc) for e in metrics.epochs] == ["0.8750", "0.8984"]
    assert (metrics.epochs[0].seconds, metrics.epochs[1].seconds) == (Decimal("510.2"), None)
    assert metrics.problems == metrics.notes == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            changed("0.8984", '"ninety"'),
            "epochs[1].test_acc is the text 'ninety', a number between 0 and 1 is due.",
        ),
        (
            changed("0.8984", "-0.5"),
            "epochs[1].test_acc is the number -0.5, a number between 0 and 1 is due.",
        ),
        (changed("0.8984", "898"), "epochs[1].test_acc is the number 898, a number between 0 and 1 is due."),
        (changed("0.8984", "true"), "epochs[1].test_acc is true, a number between 0 and 1 is due."),
        (changed("0.8984", "null"), "epochs[1].test_acc is null, a number between 0 and 1 is due."),
        (changed('"n_test": 128, ', ""), "n_test is not there, a whole number is due."),
        (changed("1024", "10.5"), "n_train is the number 10.5, a whole number above 0 is due."),
        (changed('"distilbert-base-uncased"', "7"), "model is the number 7, a text is due."),
        (changed("5e-05", "[5e-05]"), "learning_rate is a list, a number above 0 is due."),
        (changed("510.2", '"a minute"'), "epochs[0].seconds is the text 'a minute'"),
        (changed('"epochs": [', '"epochs": [7, '), "epochs[0] is the number 7, an object with train_acc"),
        ('{"epochs": 3}', "epochs is the number 3, a list of at most 1,000 epochs is due."),
        ("[1, 2]", "is a list, and an object {…} is due."),
    ],
)
def test_each_wrong_field_is_named(hand_in: HandIn, text: str, said: str) -> None:
    metrics = read_metrics(hand_in({PATH: text}), PATH)
    assert metrics.status is Found.MALFORMED
    assert any(said in p.message for p in metrics.problems), metrics.problems


def test_what_can_be_read_is_there_beside_a_problem(hand_in: HandIn) -> None:
    metrics = read_metrics(hand_in({PATH: changed("0.8984", '"ninety"')}), PATH)
    assert metrics.epochs[0].test_acc == Decimal("0.8750")
    assert metrics.epochs[1].test_acc is None


@pytest.mark.parametrize(
    ("written", "read"), [("89.84", "0.8984"), ('"89.8 %"', "0.898"), ('"0.8984"', "0.8984")]
)
def test_percent_and_quoted_numbers_are_understood_with_a_note(
    hand_in: HandIn, written: str, read: str
) -> None:
    metrics = read_metrics(hand_in({PATH: changed("0.8984", written)}), PATH)
    assert metrics.status is Found.FOUND
    assert str(metrics.epochs[1].test_acc) == read
    assert "epochs[1].test_acc" in metrics.notes[0]


def test_a_misspelt_key_is_pointed_at(hand_in: HandIn) -> None:
    metrics = read_metrics(hand_in({PATH: changed("batch_size", "batchsize")}), PATH)
    assert "is 'batch_size' meant?" in metrics.notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,}', "Remove the comma"),
        ("{'a': 1}", "double quotes only"),
        ('{"a": 1 "b": 2}', "A comma is missing"),
        ('{"a": 1} // mine', "no comments"),
        ('{\n"a": @}', "Line 2, column 6"),
        ('{"epochs": NaN}', "NaN is not a number that a figure can have"),
        ('{"epochs": 1' + "0" * 100 + "}", "too long"),
        ('{"epochs": 1e99999}', "too long"),
        ("[" * 100_000, "nested more than 30 deep"),
    ],
)
def test_json_that_cannot_be_read(hand_in: HandIn, text: str, said: str) -> None:
    metrics = read_metrics(hand_in({PATH: text}), PATH)
    assert metrics.status is Found.MALFORMED
    assert said in str(metrics.problems[0])


def test_a_key_twice_is_noted(hand_in: HandIn) -> None:
    metrics = read_metrics(hand_in({PATH: changed('"n_test": 128', '"n_test": 100, "n_test": 128')}), PATH)
    assert metrics.n_test == 128
    assert "has the key 'n_test' twice" in metrics.notes[0]


def test_keys_without_number_take_no_time(hand_in: HandIn) -> None:
    """To count each key anew, or to look for what each may have been meant for, would take minutes."""
    keys = ", ".join(f'"{i}":1' for i in range(80_000))
    metrics = read_metrics(hand_in({PATH: changed('{"model"', f'{{"0":1, {keys}, "model"')}), PATH)
    assert metrics.status is Found.FOUND
    assert metrics.notes == (f"{PATH} has the key '0' twice in one place; the last one was read.",)


@pytest.mark.parametrize("text", ["", "  \n", '{"model": "x", "epochs": []}', '{"model": "x"}'])
def test_a_file_not_filled_in_is_missing(hand_in: HandIn, text: str) -> None:
    assert read_metrics(hand_in({PATH: text}), PATH).status is Found.MISSING
    assert read_metrics(hand_in({}), PATH).status is Found.MISSING


def test_predictions(hand_in: HandIn) -> None:
    text = json.dumps(
        {"model": "m", "predictions": [{"text": "a", "label": "Sports"}, {"text": "b", "label": 3}]}
    )
    predictions = read_predictions(hand_in({"results/predictions.json": text}))
    assert predictions.status is Found.FOUND
    assert [p.label for p in predictions.predictions] == ["Sports", "3"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"predictions": "Sports"}, "predictions is the text 'Sports', a list of {text, label} is due."),
        (
            {"predictions": ["Sports"]},
            "predictions[0] is the text 'Sports', an object with text and label is due.",
        ),
        ({"predictions": [{"label": "x"}]}, "predictions[0].text is null, a text is due."),
        ({"predictions": [{"text": "a", "label": [1]}]}, "predictions[0].label is a list"),
    ],
)
def test_wrong_predictions_are_named(hand_in: HandIn, document: dict[str, Any], said: str) -> None:
    predictions = read_predictions(hand_in({"results/predictions.json": json.dumps(document)}))
    assert predictions.status is Found.MALFORMED
    assert said in predictions.problems[0].message


def test_labels_not_filled_in_are_missing(hand_in: HandIn) -> None:
    text = json.dumps({"predictions": [{"text": "a", "label": ""}, {"text": "b"}]})
    assert read_predictions(hand_in({"results/predictions.json": text})).status is Found.MISSING


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Sci/Tech", "Sci/Tech"),
        ("sci tech", "Sci/Tech"),
        ("LABEL_1", "Sports"),
        ("1", "Sports"),
        ("9", None),
        ("x", None),
    ],
)
def test_label_names(label: str, name: str | None) -> None:
    assert label_name(label, ["World", "Sports", "Business", "Sci/Tech"]) == name


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists, max_leaves=8)
)
def test_no_content_makes_reading_fail(content: Any) -> None:
    data = (
        content
        if isinstance(content, bytes)
        else json.dumps({"epochs": content, "predictions": content}).encode()
    )
    file = SubmittedFile(PATH, data, ArtifactKind.METRICS)
    submission = Submission("a", Path("a"), "", (file,))
    assert read_metrics(submission, PATH).status in Found
    assert read_predictions(submission, PATH).status in Found


# ---------------------------------------------------------------- accuracies that can exist


@pytest.mark.parametrize(
    ("value", "n", "possible"),
    [
        ("0.8750", 128, True), ("0.8984", 128, True), ("0.8906", 128, True), ("0.7217", 1024, True),
        ("0.9209", 1024, True), ("0.9658", 1024, True), ("0.93", 128, True), ("1", 128, True), ("0", 128, True),
        ("0.8997", 128, False), ("0.9", 128, True), ("0.9000", 128, False), ("0.8985", 128, False),
        ("1.01", 128, False), ("-0.1", 128, False), ("NaN", 128, False), ("0.5", 0, False),
        ("0.9169999957084656", 1000, True), ("0.8984375", 128, True), ("0.89843749999999", 128, True),
    ],
)  # fmt: skip
def test_possible_accuracies(value: str, n: int, possible: bool) -> None:
    assert possible_accuracy(Decimal(value), n) is possible


@given(st.integers(1, 2000), st.data(), st.integers(1, 8), st.sampled_from([ROUND_DOWN, ROUND_HALF_EVEN]))
def test_every_printed_share_is_possible(n: int, data: st.DataObject, digits: int, rounding: str) -> None:
    k = data.draw(st.integers(0, n))
    printed = (Decimal(k) / Decimal(n)).quantize(Decimal(1).scaleb(-digits), rounding=rounding)
    assert possible_accuracy(printed, n)
    assert k in accuracy_counts(printed, n)


def test_nearest_accuracies_and_the_sentence() -> None:
    assert nearest_accuracies(Decimal("0.8997"), 128) == (Fraction(115, 128), Fraction(116, 128))
    assert explain_impossible(Decimal("0.8997"), 128) == (
        "0.8997 cannot be the share of 128 texts: no whole number of right answers gives it. "
        "Nearest are 0.8984 (115/128) and 0.9062 (116/128)."
    )


def test_the_examples_of_the_students_page_are_read(hand_in: HandIn) -> None:
    page = (Path(__file__).parents[3] / "docs" / "handing-in.md").read_text(encoding="utf-8")
    run, predictions = (block.partition("```")[0] for block in page.split("```json\n")[1:])
    assert read_metrics(hand_in({PATH: run}), PATH).status is Found.FOUND
    assert read_predictions(hand_in({"results/predictions.json": predictions})).status is Found.FOUND
    answers = read_answers(hand_in({"answers.toml": page.split("```toml\n")[1].partition("```")[0]}))
    assert {answers.get(key).status for key in ("2a.shape", "2a.norm", "3d.comparison", "4c.bytes")} == {
        Found.FOUND
    }
