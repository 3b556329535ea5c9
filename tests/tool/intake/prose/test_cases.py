"""Single sentences and tables: which number is taken, and what is left to a person."""

from __future__ import annotations

import pytest

from grader.written import Written
from tests.tool.intake.prose.conftest import Reader


def one(written: Written, key: str) -> tuple[str, bool]:
    """The one reading of an answer, and whether it is sure."""
    (reading,) = written.answers[key].readings
    return reading.value, written.answers[key].sure


# ---------------------------------------------------------------- places, contradictions


def test_an_answer_keeps_its_place_and_its_sentence(read: Reader) -> None:
    written = read("# 4c\n\nFirst some words. All 48 heads need 25.77 GB of memory. Then more.\n")
    (reading,) = written.answers["4c.total"].readings
    assert (reading.value, reading.place) == ("25.77 GB", "report.md, line 3")
    assert reading.sentence == "All 48 heads need 25.77 GB of memory."


def test_two_answers_to_one_question_are_for_a_person(read: Reader) -> None:
    written = read("# 4c\n\nAll 48 heads need 25.77 GB.\n\nIn sum the 48 heads take 31.5 GB of memory.\n")
    answer = written.answers["4c.total"]
    assert not answer.sure
    assert {reading.value for reading in answer.readings} == {"25.77 GB", "31.5 GB"}


def test_the_last_step_of_a_derivation_is_the_answer(read: Reader) -> None:
    text = "# 4c\n\nMemory of one head:\n$$2 \\cdot 16384^2 = 2 \\cdot 268{,}435{,}456$$\n"
    text += "$$= 536{,}870{,}912 \\text{ bytes}$$\n"
    assert one(read(text), "4c.bytes") == ("536870912 byte", True)


# ---------------------------------------------------------------- units


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("bytes of one matrix = 536870912", "536870912 byte"),
        ("GB for one head = 0.536870912", "0.536870912 GB"),
        ("memory of one head in MiB: 512", "512 MiB"),
        ("memory of one head: 268435456 × 2 bytes = 536870912", "536870912 byte"),
    ],
)
def test_a_unit_is_taken_from_the_words_in_front(read: Reader, line: str, value: str) -> None:
    assert one(read(f"4c\n{line}\n", "r.txt"), "4c.bytes") == (value, True)


def test_memory_without_a_unit_is_for_a_person(read: Reader) -> None:
    value, sure = one(read("4c\nmemory of one head: 0.537\n", "r.txt"), "4c.bytes")
    assert (value, sure) == ("0.537", False)


def test_a_count_with_decimals_is_for_a_person(read: Reader) -> None:
    assert one(read("4d\nparameters of one block: 302.021\n", "r.txt"), "4d.block") == ("302.021", False)


def test_the_head_of_a_column_gives_the_multiple(read: Reader) -> None:
    text = "| Question | What | Parameters / 10^6 |\n|---|---|---|\n| 4d | one block | 302.021 |\n"
    assert one(read(text), "4d.block") == ("302.021 million", True)


def test_a_product_is_no_share(read: Reader) -> None:
    written = read("# 4e\n\nLoRA learns 2 · 8 · 6,144 = 98,304 parameters for one matrix.\n")
    assert "4e3.share" not in written.answers


# ---------------------------------------------------------------- accuracies

EPOCHS = ({"train_acc": "0.71", "test_acc": "0.86"}, {"train_acc": "0.92", "test_acc": "0.89"})


def accuracies(written: Written) -> list[dict[str, str]]:
    run = written.runs["results/distilbert.json"]
    assert not run.unclear
    return [{kind: row[kind] for kind in ("train_acc", "test_acc")} for row in run.epochs]


@pytest.mark.parametrize(
    "text",
    [
        "Epoch 1: loss 0.8423, train accuracy 0.71, test accuracy 0.86, 521.3 s\n"
        "Epoch 2: loss 0.2931, train accuracy 0.92, test accuracy 0.89, 519.8 s",
        "Epoch 1: 0.8423 loss, 0.71 train, 0.86 test\nEpoch 2: 0.2931 loss, 0.92 train, 0.89 test",
        "epoch=1 loss=0.8423 train_acc=0.71 test_acc=0.86 time=488.1s\n"
        "epoch=2 loss=0.2984 train_acc=0.92 test_acc=0.89",
        "Epoch 1: 0.71 / 0.86   Epoch 2: 0.92 / 0.89   (train / test)",
        "Train/test accuracy in percent: 71.0/86.0, 92.0/89.0.",
        "Epoch 1 gave 0.71 (train) and 0.86 (test). Epoch 2 gave 0.92 (train) and 0.89 (test).",
        "Accuracy in epoch 1 was 0.71 (train) and 0.86 (test).\n\n"
        "It was 0.92 (train) and 0.89 (test) in the second epoch.",
        "Epoch 0: train acc 0.71, test acc 0.86\nEpoch 1: train acc 0.92, test acc 0.89",
        "Accuracy on the test texts was 0.86 and 0.89 after the two epochs, and 0.71 and 0.92 on the training texts.",
        "After the first epoch I had 71 % on the training set and 86 % on the test set, "
        "after the second one 92 % and 89 %.",
        "          Epoch   Train acc.   Test acc.\n"
        "DistilBERT    1      0.71         0.86\nDistilBERT    2      0.92         0.89",
        "| | Epoch 1 | Epoch 2 |\n| Training accuracy | 0.71 | 0.92 |\n| Test accuracy | 0.86 | 0.89 |",
    ],
)  # fmt: skip
def test_figures_get_their_own_names(read: Reader, text: str) -> None:
    found = accuracies(read(f"Question 3b\n\n{text}\n", "r.txt"))
    assert [{k: float(v) for k, v in row.items()} for row in found] == [
        {k: float(v) for k, v in row.items()} for row in EPOCHS
    ]


def test_a_table_whose_head_fits_no_column_is_no_guess(read: Reader) -> None:
    text = "Question 3b\n\nEpoch  Training  Test\n1  0.84  0.71  0.86\n2  0.29  0.92  0.89\n"
    run = read(text, "r.txt").runs.get("results/distilbert.json")
    assert run is None or run.unclear


def test_accuracies_of_the_last_epoch_alone_are_for_a_person(read: Reader) -> None:
    run = read("# 3b\n\nEpoch 3: train 0.71, test 0.86\n").runs["results/distilbert.json"]
    assert "none of an earlier one" in run.unclear


def test_two_values_for_one_epoch_are_for_a_person(read: Reader) -> None:
    text = "# 3b\n\nEpoch 1: train 0.71, test 0.86\n\nEpoch 1: train 0.75, test 0.86\n"
    assert "0.71" in read(text).runs["results/distilbert.json"].unclear


def test_labels_under_no_heading_are_for_a_person(read: Reader) -> None:
    written = read("The classes are World, Sports, Business and Sci/Tech.\n")
    answer = written.labels["results/predictions.json"]
    assert not answer.sure
    assert [reading.sentence for reading in answer.readings] == [
        "The classes are World, Sports, Business and Sci/Tech."
    ]


# ---------------------------------------------------------------- what does not add up


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# 4e3\n\nThe share is $75.497 / 115.976 \\times 100 \\approx 0.065\\,\\%$.\n",
         "the units of the numbers differ"),
        ("# 4c\n\nOne head: $268{,}435{,}456 \\times 2 = 536{,}870{,}921$ bytes.\n", "do not give the printed result"),
        ("# 4c\n\nOne head needs 536,870,912 bytes = 0.537 GB. All heads: 48 × 0.537 GB = 25.776 GB.\n",
         "was rounded before"),
        ("# 3b\n\nEpoch 1: train 0.7217, test 0.8751\n", "no whole number of right answers gives it"),
        ("# 3b\n\n| Epoch | Train | Test |\n|--|--|--|\n| 1 | 0.7217 | 0.8750 |\n| 2 | 0.9209 | 0.8984 |\n\n"
         "DistilBERT's final test accuracy is 0.9141.\n", "for the last epoch"),
    ],
)  # fmt: skip
def test_what_does_not_add_up_is_said(read: Reader, text: str, said: str) -> None:
    assert said in " ".join(read(text).flags)


def test_what_adds_up_is_not_flagged(read: Reader) -> None:
    text = "# 4c\n\n$16384^2 = 268{,}435{,}456$ elements. "
    text += "$2 \\cdot 268{,}435{,}456 = 536{,}870{,}912$ bytes $\\approx 0.537$ GB.\n"
    assert read(text).flags == ()


def test_a_sentence_that_ends_with_a_raised_digit_ends_there(read: Reader) -> None:
    text = (
        "4d\nThe parameters of the second layer is 1.01·10¹⁰.\nThe parameters of all 48 blocks is 1000000.\n"
    )
    written = read(text, "r.txt")
    assert one(written, "4d.second") == ("1.01e10", True)
    assert one(written, "4d.total") == ("1000000", True)


def test_a_number_that_answers_another_question_is_not_taken_for_this_one_too(read: Reader) -> None:
    text = "# 4c\n\nAll 48 heads need 25.78 GB of memory.\n\nFinal answer: 25.78 GB\n"
    written = read(text)
    assert one(written, "4c.total") == ("25.78 GB", True)
    assert "4c.bytes" not in written.answers or not written.answers["4c.bytes"].sure


def test_the_number_of_an_item_is_no_count(read: Reader) -> None:
    assert "4c.elements" not in read("# 4c\n\nFor the heads 3. 48 × 0.5 GB = 24 GB in total\n").answers
