"""Runs a student's `finetune` on a tiny body in the worker, and brings back what can be judged.

The data of a run are drawn from its seed. One topic has another label in the test set on purpose, so that the test
accuracy lies far from the training accuracy; and two short runs that differ in nothing but the test labels show
whether these have any part in the weights.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grader.checking.evidence import Running
from grader.checking.outcomes import StudentFault
from grader.checking.received import tensors, texts
from grader.checking.student import Student
from grader.model import Status
from grader.worker.calls import Call, Raised, Ref, Returned
from reference.transformer.bodies import LABELS, Row, dataset_call, rows, sample

EPOCHS, BATCH_SIZE, LEARNING_RATE = 3, 8, 5e-5
ROWS = {"distilbert": 320, "roberta": 256}
"""Training texts of the re-run: with them right loops of every style reach 0.9 in 1 to 2 CPU seconds."""
SHORTEST = 128
"""Of each topic, so many texts are drawn from, the shortest ones: half the tokens, and no less to learn."""
CHANGED = 4
"""One test label in so many is changed on purpose, those of one topic to another. A figure that was not measured on the
test texts cannot pass for one that was, and a model that was trained on the test texts alone gives that topic the other
name on unseen texts too."""
LAST_UNCHANGED = 40
"""The last test texts have no changed label: the accuracy of the last batch is not that of all."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """What came back from running the student's finetune once."""

    body: str
    """"distilbert" or "roberta"."""
    state: dict[str, Tensor]
    """The weights that it left."""
    frozen: frozenset[str]
    """Names of weights that it set to be left alone; the worker's word."""
    history: Any
    history_problem: str | None
    """Why `history` is not there, as a sentence for the student."""
    trace: Any
    """What the worker took down."""
    train_rows: list[Row]
    test_rows: list[Row]
    """As the student's code was given them, changed labels and all."""
    seed: int
    """From which they were drawn."""
    printed: str | None = None
    """Of a script: what it printed and wrote; None where `finetune` was called."""


def changed_topic(seed: int) -> tuple[int, int]:
    """The label that is changed in the test set of this run, and what it is changed to."""
    topic, other = random.Random(seed).sample(range(len(LABELS)), 2)
    return topic, other


def labelled_test_texts(seed: int) -> list[Row]:
    """All test texts; those of one topic, one in CHANGED, have the label of another, and none of them stands last."""
    topic, other = changed_topic(seed)
    drawn = sample("assets/news/test.jsonl", len(rows("assets/news/test.jsonl")), seed)
    kept = [row for row in drawn if row["label"] != topic]
    first = kept[LAST_UNCHANGED:] + [{**row, "label": other} for row in drawn if row["label"] == topic]
    random.Random(seed).shuffle(first)
    return first + kept[:LAST_UNCHANGED]


def run_finetune(student: Student, body: str, seed: int) -> Rerun:
    """Raises StudentFault where it raises, hangs or dies."""
    train = sample("assets/news/train.jsonl", ROWS[body], seed, shortest=SHORTEST)
    test = labelled_test_texts(seed)
    calls = [
        *_handed_over(body, train, test, seed),
        Call("harness:tokenizer", (body,), keep="tokenizer"),
        Call("harness:watch_training", (Ref("model"), [row["text"] for row in (*train, *test)])),
        _finetune(seed, EPOCHS),
        Call("harness:training_watched"),
        Call("harness:frozen", (Ref("model"),)),
        Call("harness:weights", (Ref("model"),)),
        Call("object:history"),
    ]
    replies = student.replies(*calls)
    trace, frozen, state = student.values(replies[:-1])[-3:]
    last = replies[-1]
    return Rerun(
        body=body,
        state=tensors(state, "the model's weights"),
        frozen=frozenset(texts(frozen, "the frozen weights")),
        history=last.value if isinstance(last, Returned) else None,
        history_problem=last.message if isinstance(last, Raised) else None,
        trace=trace,
        train_rows=train,
        test_rows=test,
        seed=seed,
    )


def depends_on_test_labels(check: Running, student: Student, body: str) -> bool:
    """True where the weights depend on the test labels: shown by runs that agree in all else, each of them twice.

    Right code cannot give True: what it does is either the same in the two runs of one kind and of the other, or not
    the same in two runs of one kind, as where it takes a seed of its own. One epoch, so that a choice among epochs by
    their test accuracy has nothing to choose from.
    """
    train = sample("assets/news/train.jsonl", 2 * BATCH_SIZE, check.seed, shortest=SHORTEST)
    test = sample("assets/news/test.jsonl", BATCH_SIZE, check.seed)
    other = [{**row, "label": (row["label"] + 1) % len(LABELS)} for row in test]

    def once(labelled: list[Row]) -> dict[str, Tensor]:
        replies = student.replies(
            *_handed_over(body, train, labelled, check.seed),
            _finetune(check.seed, 1),
            Call("harness:weights", (Ref("model"),)),
        )
        return tensors(student.values(replies)[-1], "the model's weights")

    try:
        with check.aside():
            first, second = once(test), once(other)
            if _same(first, second):
                return False
            return _same(first, once(test)) and _same(second, once(other))
    except StudentFault:
        return False  # code that needs more texts than these shows nothing


def _same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def _handed_over(body: str, train: list[Row], test: list[Row], seed: int) -> list[Call]:
    return [
        Call("harness:tiny_model", (body,), seed=seed, keep="model"),
        dataset_call(train, "train"),
        dataset_call(test, "test"),
    ]


def _finetune(seed: int, epochs: int) -> Call:
    settings = {"batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE, "seed": seed % 1000}
    return Call(
        "student:finetune",
        tuple(Ref(name) for name in ("model", "tokenizer", "train", "test")),
        {"epochs": epochs, **settings},
        seed=seed,
        keep="history",
    )


def hung_before(shared: dict[str, Any], timeout_s: float) -> None:
    """Raise StudentFault where finetune of this submission did not come back before: it is run once."""
    if shared.get("finetune hangs"):
        raise StudentFault(
            Status.TIMEOUT,
            f"finetune did not come back within {timeout_s:g} seconds before; it was not run again.",
            "Look for a loop that never ends.",
        )
