"""Parts 3b and 3d: the figures of the real run on the student's own machine. They are read, not re-run."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from grader.checking.evidence import Running
from grader.checking.outcomes import NeedsReview, Partial
from grader.intake import explain_impossible, possible_accuracy, read_metrics
from grader.model import Plot, Submission
from reference.transformer import forensics
from reference.transformer.reported import BAR, DISTILBERT, ROBERTA, Body, figures, refuse_below_bar

SETTINGS = {"n_train": 1024, "n_test": 128, "batch_size": 8, "learning_rate": Decimal("5e-5")}
EPOCHS = 3


def judge_figures(check: Running, submission: Submission, body: Body) -> None:
    check.asked = f"the figures in {body.results}: settings as asked, accuracies of whole numbers of texts"
    metrics = figures(check, submission, body)
    check.obtained = (
        ", ".join(f"{e.train_acc}/{e.test_acc}" for e in metrics.epochs) + " (train/test by epoch)"
    )
    curves = {
        "train": [float(e.train_acc) if e.train_acc is not None else None for e in metrics.epochs],
        "test": [float(e.test_acc) if e.test_acc is not None else None for e in metrics.epochs],
    }
    check.plot(Plot("curves", f"Accuracies that you report for {body.title}", "epoch", "accuracy", curves))
    impossible = [
        f"Epoch {i}: {explain_impossible(value, n)}"
        for i, epoch in enumerate(metrics.epochs, 1)
        for value, n in ((epoch.train_acc, metrics.n_train), (epoch.test_acc, metrics.n_test))
        if value is not None and n and not possible_accuracy(value, n)
    ]
    for sign in forensics.signs(metrics):
        check.note(sign.sentence)
    if body is ROBERTA:
        other = read_metrics(submission, DISTILBERT.results)
        for sign in forensics.signs_between(other, metrics):
            check.note(sign.sentence)
    if impossible:
        for sentence in impossible:
            check.note(sentence)
        check.note(
            "An honest copy of a count of texts is never impossible; of invented figures with four digits "
            f"{1 - forensics.grim_share(128, 4):.0%} are, on 128 texts."
        )
        raise NeedsReview(
            f"A reported accuracy cannot be true: {impossible[0]} A person will ask about it.",
            "Copy the figures again from your run; do not round or average them.",
        )
    wrong = [
        f"{name} is {getattr(metrics, name)}, {due} was asked for"
        for name, due in SETTINGS.items()
        if getattr(metrics, name) != due
    ]
    if len(metrics.epochs) != EPOCHS:
        wrong.append(f"there are {len(metrics.epochs)} epochs, {EPOCHS} were asked for")
    if metrics.model is None or body.id not in metrics.model.casefold():
        wrong.append(f"the model is {metrics.model!r}, a {body.title} was asked for")
    if wrong:
        raise Partial(
            f"The figures are possible, but the run is not the one asked for: {'; '.join(wrong)}.",
            "Run it once more with the settings of the handout.",
            fraction=Fraction(1, 2),
        )


@pytest.mark.check("3b.reported")
def test_distilbert_figures(check: Running, submission: Submission) -> None:
    judge_figures(check, submission, DISTILBERT)


@pytest.mark.check("3d.reported")
def test_roberta_figures(check: Running, submission: Submission) -> None:
    judge_figures(check, submission, ROBERTA)


def judge_bar(check: Running, submission: Submission, body: Body) -> None:
    check.asked = f"the test accuracy of the last epoch in {body.results}"
    metrics = figures(check, submission, body)
    check.expected, check.obtained = f"at least {BAR}", str(metrics.epochs[-1].test_acc)
    refuse_below_bar(metrics, body)


@pytest.mark.check("3b.bar")
def test_distilbert_bar(check: Running, submission: Submission) -> None:
    judge_bar(check, submission, DISTILBERT)


@pytest.mark.check("3d.bar")
def test_roberta_bar(check: Running, submission: Submission) -> None:
    judge_bar(check, submission, ROBERTA)
