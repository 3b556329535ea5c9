"""The figures of a student's real run, as the checks of 3b and 3d read them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Missing, NeedsReview
from grader.intake import Found, Metrics, read_metrics
from grader.model import Submission

BAR = Decimal("0.80")
"""Test accuracy that the real run has to reach: good reports have 0.84 to 0.91 on 128 texts, so a right run that is
three standard errors below the middle still passes."""


@dataclass(frozen=True, slots=True)
class Body:
    """One of the two models of the coursework."""

    id: str
    title: str
    results: str


DISTILBERT = Body("distilbert", "DistilBERT", "results/distilbert.json")
ROBERTA = Body("roberta", "RoBERTa", "results/roberta.json")


def figures(check: Running, submission: Submission, body: Body) -> Metrics:
    """The figures of one model; ends the check where they are not there or cannot be read."""
    metrics = read_metrics(submission, body.results)
    check.location = metrics.path
    for note in metrics.notes:
        check.note(note)
    if metrics.status is Found.MISSING:
        raise Missing(metrics.problems[0].message, metrics.problems[0].next_step)
    if metrics.status is Found.UNCLEAR:
        read = ", ".join(f"{e.train_acc or '?'}/{e.test_acc or '?'}" for e in metrics.epochs)
        check.obtained = f"{read} (train/test by epoch)"
        raise NeedsReview(metrics.problems[0].message, metrics.problems[0].next_step)
    if metrics.status is Found.MALFORMED:
        more = f" ({len(metrics.problems) - 1} more)" if len(metrics.problems) > 1 else ""
        raise Failed(metrics.problems[0].message + more, metrics.problems[0].next_step)
    return metrics


def refuse_below_bar(metrics: Metrics, body: Body) -> None:
    """Fail figures whose last test accuracy is below BAR."""
    last = metrics.epochs[-1].test_acc
    if last is None or last < BAR:
        raise Failed(
            f"The test accuracy of {body.title} ends at {last}; {BAR} is the bar.",
            "Train accuracy near 0.25 means that nothing is learnt; high train and low test accuracy, too long a run.",
        )
