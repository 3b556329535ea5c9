"""Parts 3b and 3d: the training code is run on a tiny pre-trained body, and what counts is recomputed in the judge.

The worker trains; the weights come back as tensors; the judge puts them into its own model and measures accuracy on
texts that the worker was given and on texts that it has never seen. What the worker took down while it trained names
the mistake behind a lost point, or is told as advice; it never decides a point.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
import torch

from grader.checking.evidence import Running
from grader.checking.outcomes import Blocked, Failed, NeedsReview, Partial, StudentFault
from grader.checking.student import Student
from grader.model import Diagnosis, Plot, Status
from reference.transformer.bodies import LABELS, rows
from reference.transformer.bodies import body as pretrained
from reference.transformer.history import epochs_of
from reference.transformer.judged import IN_FIGURES, IN_TRAINING, Judged, advise, judged, named
from reference.transformer.rerun import (
    BATCH_SIZE,
    CHANGED,
    EPOCHS,
    LEARNING_RATE,
    ROWS,
    Rerun,
    changed_topic,
    depends_on_test_labels,
    hung_before,
    run_finetune,
)
from reference.transformer.script_run import run_scripts, says, trained_by_script, was_run
from reference.transformer.training_facts import TRAINED, share

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


def run_once(check: Running, student: Student, body: Body, shared: dict[str, Any]) -> Rerun:
    check.asked = (
        f"finetune(model, tokenizer, train, test, epochs={EPOCHS}, batch_size={BATCH_SIZE}, "
        f"learning_rate={LEARNING_RATE:g}) on a tiny pre-trained {body.title}, {ROWS[body.id]} training and "
        f"{len(rows('assets/news/test.jsonl'))} test texts"
    )
    hung_before(shared, student.timeout_s)
    if shared.get("finetune is missing") and was_run(shared):
        return trained_by_script(check, student, body.id, shared)
    try:
        return run_finetune(student, body.id, check.seed)
    except StudentFault as fault:
        shared["finetune hangs"] = fault.status is Status.TIMEOUT
        shared["finetune is missing"] = fault.status is Status.MISSING
        if fault.status is not Status.MISSING or not run_scripts(check, student, shared):
            raise
    return trained_by_script(check, student, body.id, shared)


def refuse_training_on_test(result: Judged) -> None:
    """Fail a model that has learnt the three other topics, and gives the changed one its changed name on unseen texts.

    Honest training never does. A model that says one thing to every text has not learnt the others.
    """
    topic, other = changed_topic(result.rerun.seed)
    unseen = rows("hidden/heldout.jsonl")
    mistaken = [result.answers[row["text"]] == other for row in unseen if row["label"] == topic]
    learnt = [result.answers[row["text"]] == row["label"] for row in unseen if row["label"] != topic]
    if share(mistaken) > 0.7 and share(learnt) > TRAINED:
        raise Failed(
            f"The model gives {LABELS[topic]} texts the topic {LABELS[other]}. So they are labelled in this run's test "
            "set, on purpose, and nowhere else: it was trained on the test texts.",
            "Train on `train` alone; `test` is for measuring.",
        ).because(named(result.facts, IN_TRAINING))


def refuse_frozen_body(check: Running, result: Judged) -> None:
    """Fine-tuning changes the pre-trained layers too, not the new head alone, unless they were frozen on purpose."""
    run = result.rerun
    before = pretrained(run.body).state_dict()
    layers = [name for name in before if name.startswith(f"{run.body}.")]
    if not all(torch.equal(before[name], run.state[name]) for name in layers):
        return
    if run.frozen.issuperset(layers):
        check.note("You froze the pre-trained layers, so the new head alone was trained. That is accepted.")
        return
    raise Partial(
        "Only the new head was trained: the weights of the pre-trained layers are what they were.",
        "Fine-tuning hands all parameters of the model to the optimizer.",
        fraction=Fraction(1, 2),
    ).because(named(result.facts, IN_TRAINING))


def judge_training(check: Running, student: Student, body: Body, shared: dict[str, Any]) -> None:
    run = run_once(check, student, body, shared)
    check.expected = f"an accuracy of at least {TRAINED:.2f}, computed by the grader from your weights"
    result = shared[body.id] = judged(run)
    given, unseen = float(result.given), float(result.unseen)
    check.obtained = f"{given:.4f} on the test texts, {unseen:.4f} on texts that your code has not seen"
    show_curve(check, result, body)
    refuse_training_on_test(result)
    mistake = named(result.facts, IN_TRAINING)
    lower = min(result.given, result.unseen)
    if lower < Fraction(str(TRAINED)):
        raise Failed(
            f"After finetune the model answers {float(lower):.0%} of the texts correctly; "
            "a loop that trains gets well above 80 % here.",
            "Follow one batch: loss, backward, step, zero_grad; train mode for training; the labels of the same rows.",
        ).because(mistake)
    if body is DISTILBERT and run.printed is None and depends_on_test_labels(check, student, body.id):
        raise Failed(
            "Two runs that differ in nothing but the labels of the test texts leave different weights: the test labels "
            "are trained on.",
            "Train on `train` alone; `test` is for measuring.",
        ).because(mistake)
    refuse_frozen_body(check, result)
    advise(check, mistake)


def show_curve(check: Running, result: Judged, body: Body) -> None:
    returned = [e["test_acc"] for e in epochs_of(result.rerun.history) or []]
    if not returned:
        return
    check.note(ON_PURPOSE)
    check.plot(
        Plot(
            kind="curves",
            title=f"Test accuracy by epoch, as your finetune returned it in this run ({body.title})",
            x_label="epoch",
            y_label="accuracy",
            series={
                "returned by your code": returned,
                "recomputed (last epoch)": [None] * (len(returned) - 1) + [float(result.claimed)],
            },
        )
    )


@pytest.mark.check("3b.trains")
def test_distilbert_trains(check: Running, student: Student, shared: dict[str, Any]) -> None:
    judge_training(check, student, DISTILBERT, shared)


@pytest.mark.check("3d.trains")
def test_roberta_trains(check: Running, student: Student, shared: dict[str, Any]) -> None:
    judge_training(check, student, ROBERTA, shared)


# ---------------------------------------------------------------- the figures that finetune returns


def judge_claims(check: Running, body: Body, shared: dict[str, Any]) -> None:
    if body.id not in shared:
        raise Blocked(
            "It rests on a run of finetune, and there was none.",
            f"Run the whole of part {check.declaration.part}.",
        )
    result: Judged = shared[body.id]
    check.note(ON_PURPOSE)
    check.asked = "what finetune returned: train_loss, train_acc, test_acc and seconds of each epoch"
    check.obtained = str(result.rerun.history)[:600]
    check.expected = (
        f"{EPOCHS} epochs; a last test_acc of {float(result.claimed):.4f}, computed from the weights it left"
    )
    mistake = named(result.facts, IN_FIGURES)
    if result.rerun.printed is not None:
        judge_printed(check, result, mistake)
        return
    epochs = read_epochs(result.rerun)
    if len(epochs) != EPOCHS:
        raise Failed(
            f"finetune returned {len(epochs)} epochs; {EPOCHS} were asked for.", "Use the argument `epochs`."
        ).because(mistake)
    claimed, n = epochs[-1]["test_acc"], len(result.rerun.test_rows)
    check.largest_difference = abs(claimed - float(result.claimed))
    # One text of difference is left to rounding: the worker and the judge may add up in another order.
    if check.largest_difference > 1.5 / n:
        as_share = abs(claimed / 100 - float(result.claimed)) <= 1.5 / n
        style = " As a percentage it would fit: return a share between 0 and 1." if as_share else ""
        raise Failed(
            f"finetune reports a test accuracy of {claimed:.4f}; the model has {float(result.claimed):.4f}.{style}",
            "Count right answers over the whole test set, in evaluation mode, after the epoch's last step.",
        ).because(mistake)
    for i, epoch in enumerate(epochs):
        if not 0 <= epoch["train_acc"] <= 1:
            raise Failed(
                f"train_acc of epoch {i + 1} is {epoch['train_acc']:.4g}, not a share.",
                "Divide by the number of texts.",
            )
    advise(check, mistake)


def judge_printed(check: Running, result: Judged, mistake: Diagnosis | None) -> None:
    """A script returns nothing: the accuracy of its model must stand in what it printed or wrote."""
    check.asked = "the test accuracy that the script printed or wrote"
    check.expected = f"{float(result.claimed):.4f}, computed from the weights that it left"
    check.obtained = says(result.rerun.printed or "", result.claimed)
    if check.obtained is None:
        fits = says(result.rerun.printed or "", result.chosen) if result.chosen is not None else None
        on_some = (
            f" It printed {fits}, which is the accuracy on the test texts that it chose, by its own record."
            if fits
            else ""
        )
        raise NeedsReview(
            f"The test accuracy of the model is {float(result.claimed):.4f} in this run, and what the script printed "
            f"does not hold that number.{on_some} A person will compare.",
            f"Print the accuracy on {len(result.rerun.test_rows)} test texts after each epoch, as a number.",
        )
    advise(check, mistake)


def read_epochs(run: Rerun) -> list[dict[str, float]]:
    if run.history_problem:
        raise Failed(run.history_problem, "Return a list with one dict of plain numbers an epoch.")
    epochs = epochs_of(run.history)
    if epochs is None:
        raise Failed(
            "finetune does not return train_loss, train_acc, test_acc and seconds for each epoch.",
            'Return a list such as [{"train_loss": …, "train_acc": …, "test_acc": …, "seconds": …}, …].',
        )
    return epochs


@pytest.mark.check("3b.claims")
def test_distilbert_claims(check: Running, shared: dict[str, Any]) -> None:
    judge_claims(check, DISTILBERT, shared)


@pytest.mark.check("3d.claims")
def test_roberta_claims(check: Running, shared: dict[str, Any]) -> None:
    judge_claims(check, ROBERTA, shared)
