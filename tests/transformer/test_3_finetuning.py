"""Parts 3b and 3d: the training code is run on a tiny pre-trained body, and what counts is recomputed in the judge.

The worker trains; the weights come back as tensors; the judge puts them into its own model and measures accuracy on
texts that the worker was given and on texts that it has never seen.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch import Tensor

from grader.checking.evidence import Running
from grader.checking.outcomes import Blocked, Failed, Partial, StudentFault
from grader.checking.received import tensors
from grader.checking.student import Student
from grader.model import Plot, Status
from grader.worker.calls import Call, Raised, Ref
from reference.transformer.bodies import (
    LABELS,
    Row,
    WeightsDoNotFit,
    accuracy,
    dataset_call,
    logits,
    rows,
    sample,
    with_weights,
)
from reference.transformer.bodies import body as pretrained

ROWS = 256
"""Training texts of the re-run: a correct loop reaches 0.85 with them in about 2 CPU seconds."""
TRAINED = 0.70
"""Accuracy on unseen texts that shows training. A correct loop is above 0.85 under every seed tried, a loop that does
not train stays below 0.45; docs/datasheet.md has the table and its command."""
EPOCHS = 3
CHANGED = 4
"""One test label in so many is changed on purpose, those of one topic to another, so that the test accuracy lies far
from the training accuracy: a figure that was not measured on the test texts cannot pass for one that was. A model that
was trained on the test texts gives that topic the other name on unseen texts too."""
ON_PURPOSE = (
    f"One test label in {CHANGED} is changed on purpose in this run: a right test accuracy is about 0.7 here. It tells "
    "an accuracy that was measured on the test texts from one that was not."
)


@dataclass(frozen=True, slots=True)
class Body:
    """One of the two models of the coursework."""

    id: str
    title: str


DISTILBERT = Body("distilbert", "DistilBERT")
ROBERTA = Body("roberta", "RoBERTa")


@dataclass(frozen=True, slots=True)
class Run:
    """What came back from running the student's finetune once."""

    state: dict[str, Tensor]
    history: Any
    history_problem: str | None
    """Why `history` is not there, as a sentence for the student."""
    test_rows: list[Row]
    """As the student's code was given them, changed labels and all."""


def changed_topic(seed: int) -> tuple[int, int]:
    """The label that is changed in the test set of this run, and what it is changed to."""
    topic, other = random.Random(seed).sample(range(len(LABELS)), 2)
    return topic, other


def with_changed_labels(samples: list[Row], seed: int) -> list[Row]:
    """The same rows; those of one topic, one in CHANGED, have the label of another, drawn from `seed`."""
    topic, other = changed_topic(seed)
    return [{**row, "label": other} if row["label"] == topic else row for row in samples]


def in_the_judge(body: Body, state: dict[str, Tensor]) -> Any:
    try:
        return with_weights(body.id, state)
    except WeightsDoNotFit as error:
        raise Failed(
            f"After finetune the model cannot be used: {error}.",
            "Train the model that is passed in, in place; NaN weights come from too large a learning rate.",
        ) from error


# ---------------------------------------------------------------- 3b and 3d: the loop trains


def run_finetune(check: Running, student: Student, body: Body, shared: dict[str, Any]) -> Run:
    """Run the student's finetune once; its weights and what it returned."""
    train = sample("assets/news/train.jsonl", ROWS, check.seed)
    test = with_changed_labels(
        sample("assets/news/test.jsonl", len(rows("assets/news/test.jsonl")), check.seed), check.seed
    )
    check.asked = (
        f"finetune(model, tokenizer, train, test, epochs={EPOCHS}, batch_size=8, learning_rate=5e-5) on a tiny "
        f"pre-trained {body.title}, {len(train)} training and {len(test)} test texts"
    )
    if shared.get("finetune hangs"):
        raise StudentFault(
            Status.TIMEOUT,
            f"finetune did not come back within {student.timeout_s:g} seconds before; it was not run again.",
            "Look for a loop that never ends.",
        )
    calls = [
        Call("harness:tiny_model", (body.id,), seed=check.seed, keep="model"),
        Call("harness:tokenizer", (body.id,), keep="tokenizer"),
        dataset_call(train, "train"),
        dataset_call(test, "test"),
        Call(
            "student:finetune",
            tuple(Ref(name) for name in ("model", "tokenizer", "train", "test")),
            {"epochs": EPOCHS, "batch_size": 8, "learning_rate": 5e-5, "seed": check.seed % 1000},
            seed=check.seed,
            keep="history",
        ),
        Call("harness:weights", (Ref("model"),)),
        Call("object:history"),
    ]
    try:
        replies = student.replies(*calls)
    except StudentFault as fault:
        shared["finetune hangs"] = fault.status is Status.TIMEOUT
        raise
    refuse_trainer(replies)
    state = tensors(student.values(replies[:-1])[-1], "the model's weights")
    last = replies[-1]
    problem = last.message if isinstance(last, Raised) else None
    return Run(state, None if problem else getattr(last, "value", None), problem, test)


def refuse_trainer(replies: list[Any]) -> None:
    """`Trainer` asks for a package that is not here, and tells the student to install it, which would not help."""
    if any(isinstance(r, Raised) and "accelerate" in r.message for r in replies):
        raise Failed(
            "finetune uses transformers' Trainer, which needs the package accelerate; code is graded without it.",
            "Write the loop in PyTorch: a DataLoader, torch.optim.AdamW, loss.backward(), optimizer.step().",
        )


def refuse_training_on_test(body: Body, model: Any, seed: int) -> None:
    """Fail a model that has learnt the three other topics, and gives the changed one its changed name on unseen texts.

    Honest training never does. A model that says one thing to every text has not learnt the others.
    """
    topic, other = changed_topic(seed)
    unseen = rows("hidden/heldout.jsonl")
    given = logits(body.id, model, [row["text"] for row in unseen]).argmax(-1)
    labels = torch.tensor([row["label"] for row in unseen])
    mistaken = (given == other)[labels == topic].double().mean()
    learnt = (given == labels)[labels != topic].double().mean()
    if float(mistaken) > 0.7 and float(learnt) > TRAINED:
        raise Failed(
            f"The model gives {LABELS[topic]} texts the topic {LABELS[other]}. So they are labelled in this run's test "
            "set, on purpose, and nowhere else: it was trained on the test texts.",
            "Train on `train` alone; `test` is for measuring.",
        )


def refuse_frozen_body(body: Body, state: dict[str, Tensor]) -> None:
    """Fine-tuning changes the pre-trained layers too, not the new head alone."""
    before = pretrained(body.id).state_dict()
    layers = [name for name in before if name.startswith(f"{body.id}.")]
    if all(torch.equal(before[name], state[name]) for name in layers):
        raise Partial(
            "Only the new head was trained: the weights of the pre-trained layers are what they were.",
            "Fine-tuning hands all parameters of the model to the optimizer, and freezes none.",
            fraction=Fraction(1, 2),
        )


def judge_training(check: Running, student: Student, body: Body, shared: dict[str, Any]) -> None:
    run = run_finetune(check, student, body, shared)
    model = in_the_judge(body, run.state)
    given = accuracy(body.id, model, rows("assets/news/test.jsonl"))
    unseen = accuracy(body.id, model, rows("hidden/heldout.jsonl"))
    recomputed = accuracy(body.id, model, run.test_rows)
    shared[body.id] = run
    shared[f"{body.id} accuracy"] = recomputed
    check.expected = f"an accuracy of at least {TRAINED:.2f}, computed by the grader from your weights"
    check.obtained = (
        f"{float(given):.4f} on the test texts, {float(unseen):.4f} on texts that your code has not seen"
    )
    rerun = [e["test_acc"] for e in _epochs(run.history) or [] if e.get("test_acc") is not None]
    if rerun:
        check.note(ON_PURPOSE)
        check.plot(
            Plot(
                kind="curves",
                title=f"Test accuracy by epoch, as your finetune returned it in this run ({body.title})",
                x_label="epoch",
                y_label="accuracy",
                series={
                    "returned by your code": rerun,
                    "recomputed (last epoch)": [None] * (len(rerun) - 1) + [float(recomputed)],
                },
            )
        )
    refuse_training_on_test(body, model, check.seed)
    if min(given, unseen) < Fraction(str(TRAINED)):
        raise Failed(
            f"After finetune the model answers {float(min(given, unseen)):.0%} of the texts correctly; "
            "a loop that trains gets well above 80 % here.",
            "Follow one batch: loss, backward, step, zero_grad; train mode for training; the labels of the same rows.",
        )
    refuse_frozen_body(body, run.state)


@pytest.mark.check("3b.trains")
def test_distilbert_trains(check: Running, student: Student, shared: dict[str, Any]) -> None:
    judge_training(check, student, DISTILBERT, shared)


@pytest.mark.check("3d.trains")
def test_roberta_trains(check: Running, student: Student, shared: dict[str, Any]) -> None:
    judge_training(check, student, ROBERTA, shared)


def judge_claims(check: Running, body: Body, shared: dict[str, Any]) -> None:
    if body.id not in shared:
        raise Blocked(
            "It rests on a run of finetune, and there was none.",
            f"Run the whole of part {check.declaration.part}.",
        )
    run: Run = shared[body.id]
    recomputed: Fraction = shared[f"{body.id} accuracy"]
    n = len(run.test_rows)
    check.note(ON_PURPOSE)
    check.asked = "what finetune returned: train_loss, train_acc, test_acc and seconds of each epoch"
    check.obtained = str(run.history)[:600]
    check.expected = (
        f"{EPOCHS} epochs; a last test_acc of {float(recomputed):.4f}, computed from the weights it left"
    )
    if run.history_problem:
        raise Failed(run.history_problem, "Return a list with one dict of plain numbers an epoch.")
    epochs = _epochs(run.history)
    if epochs is None:
        raise Failed(
            "finetune does not return train_loss, train_acc, test_acc and seconds for each epoch.",
            'Return a list such as [{"train_loss": …, "train_acc": …, "test_acc": …, "seconds": …}, …].',
        )
    if len(epochs) != EPOCHS:
        raise Failed(
            f"finetune returned {len(epochs)} epochs; {EPOCHS} were asked for.", "Use the argument `epochs`."
        )
    claimed = epochs[-1]["test_acc"]
    check.largest_difference = abs(claimed - float(recomputed))
    # One text of difference is left to rounding: the worker and the judge may add up in another order.
    if check.largest_difference > 1.5 / n:
        style = (
            " As a percentage it would fit: return a share between 0 and 1."
            if _near(claimed / 100, recomputed, n)
            else ""
        )
        raise Failed(
            f"finetune reports a test accuracy of {claimed:.4f}; the model has {float(recomputed):.4f}.{style}",
            "Count right answers over the whole test set, in evaluation mode, after the epoch's last step.",
        )
    for i, epoch in enumerate(epochs):
        if not 0 <= epoch["train_acc"] <= 1:
            raise Failed(
                f"train_acc of epoch {i + 1} is {epoch['train_acc']:.4g}, not a share.",
                "Divide by the number of texts.",
            )


def _near(value: float, accuracy_: Fraction, n: int) -> bool:
    return abs(value - float(accuracy_)) <= 1.5 / n


@pytest.mark.check("3b.claims")
def test_distilbert_claims(check: Running, shared: dict[str, Any]) -> None:
    judge_claims(check, DISTILBERT, shared)


@pytest.mark.check("3d.claims")
def test_roberta_claims(check: Running, shared: dict[str, Any]) -> None:
    judge_claims(check, ROBERTA, shared)


def _epochs(history: Any) -> list[dict[str, float]] | None:
    """Per-epoch figures out of a list of dicts or a dict of lists; None where they are not there."""
    keys = ("train_loss", "train_acc", "test_acc", "seconds")
    if isinstance(history, dict) and all(isinstance(history.get(k), list) for k in keys):
        history = [
            dict(zip(keys, row, strict=True)) for row in zip(*(history[k] for k in keys), strict=False)
        ]
    if not isinstance(history, list) or not all(isinstance(e, dict) for e in history):
        return None
    found = []
    for entry in history:
        numbers = {k: _number(entry.get(k)) for k in keys}
        if any(v is None for v in numbers.values()):
            return None
        found.append({k: v for k, v in numbers.items() if v is not None})
    return found


def _number(value: Any) -> float | None:
    """A finite number, or None: NaN is neither near anything nor far from it."""
    if isinstance(value, Tensor) and value.numel() == 1:
        value = float(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(value)
