"""Parts 3b and 3d: a checkpoint that was handed in is asked again, and the claims are compared with what it answers.

Nobody has to hand one in: without one the figures are taken at their word, and earn what they earn by themselves.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NoReturn

import pytest

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, NeedsReview, Partial
from grader.checking.student import Student
from grader.intake import Found, Metrics, label_name, read_predictions
from grader.intake.weights import WeightsProblem
from grader.model import Plot, Submission
from reference.transformer import bodies, forensics, reevaluation
from reference.transformer.architecture import NotUsableError
from reference.transformer.checkpoint_files import choose
from reference.transformer.claims import (
    AS_ASKED,
    Count,
    Order,
    agreement,
    count,
    describe_order,
    learnt_order,
    named_order,
)
from reference.transformer.news import LABELS
from reference.transformer.reevaluation import AtHand, Evaluated, at_hand, evaluate
from reference.transformer.reported import DISTILBERT, ROBERTA, Body, figures, refuse_below_bar

WORKS = {True: 0.70, False: 0.50}
"""Accuracy from which a checkpoint has learnt the task, on the texts it was made for and on the grader's own. A right
run has 0.84 to 0.91 on AG News; chance is 0.25, and 0.45 is five standard errors beyond it on 128 texts."""
AGAIN = (
    "Hand in the checkpoint of the run whose figures you report, as model.save_pretrained(folder) leaves it."
)


def judge_checkpoint(check: Running, submission: Submission, student: Student, body: Body) -> None:
    check.asked = (
        f"your {body.title} checkpoint, where one is handed in, on the test texts and on held-out ones"
    )
    texts = at_hand()
    evaluated = evaluated_or_none(check, submission, student, body, texts)
    if evaluated is None:
        refuse_below_bar(figures(check, submission, body), body)
        return
    found, order = judge_answers(check, evaluated, texts, body)
    if body is DISTILBERT:
        compare_predictions(check, submission, evaluated, order)
    place = check.location
    metrics = figures(check, submission, body)
    check.location = place
    judge_claims(check, metrics, evaluated, texts, found, order)


def evaluated_or_none(
    check: Running, submission: Submission, student: Student, body: Body, texts: AtHand
) -> Evaluated | None:
    """What the checkpoint answers; None where none was handed in, or where the grader lacks what it needs for it."""
    try:
        chosen = choose(submission, body.id)
        if chosen.candidate is None:
            check.note(
                "No checkpoint was handed in, so the figures are taken at their word. "
                f"One in checkpoints/{body.id}/ would be evaluated, and the claim compared with it."
            )
            return None
        check.location = chosen.candidate.shown
        for note in chosen.notes:
            check.note(note)
        found = evaluate(submission, chosen.candidate, body.id, texts, student)
    except (NotUsableError, WeightsProblem) as error:
        if getattr(error, "ours", False):
            check.note(f"{error.message} {error.next_step} The figures are taken at their word.")
            return None
        raise Failed(error.message, error.next_step) from error
    for note in found.notes:
        check.note(note)
    return found


# ---------------------------------------------------------------- what it answers


def judge_answers(check: Running, evaluated: Evaluated, texts: AtHand, body: Body) -> tuple[Count, Order]:
    """Right answers under the order of the labels; ends the check where they are too few or the order is another."""
    orders = {named_order(evaluated.loaded.names) or AS_ASKED, AS_ASKED}
    counts = {
        order: count(evaluated.test, texts.test.labels, order)
        for order in orders
        if max(order) < evaluated.loaded.outputs
    }
    order = max(counts, key=lambda order: counts[order].right, default=AS_ASKED)
    found = counts.get(order, Count(0, 0, 0, len(texts.test.labels)))
    check.obtained = f"{found.shown} on {texts.test.name}"
    if counts:
        held_out = count(evaluated.held_out, texts.held_out.labels, order)
        check.obtained += f"; {held_out.shown} on {texts.held_out.name}"
        if texts.alike:
            for sign in forensics.memorised_sign((found.right, found.n), (held_out.right, held_out.n)):
                check.note(sign.sentence)
    check.note(
        f"{evaluated.loaded.weights:,} weights, float32, on {evaluated.device}; texts from {texts.origin} "
        f"(SHA-256 {texts.test.sha256[:12]}); {check.location} has SHA-256 {evaluated.sha256[:12]}."
    )
    check.plot(confusion(evaluated, texts, body))
    if found.share < WORKS[texts.real]:
        refuse_what_has_not_learnt(evaluated, texts, found, body)
    return found, order


def refuse_what_has_not_learnt(evaluated: Evaluated, texts: AtHand, found: Count, body: Body) -> NoReturn:
    """Say whether another order of the labels explains it."""
    other = learnt_order(evaluated.test, texts.test.labels)
    if other is not None:
        right = count(evaluated.test, texts.test.labels, other)
        raise Partial(
            f"The {body.title} has learnt, but {describe_order(other)}. As asked for it has {found.right} of "
            f"{texts.test.name} right; in its own order {right.right}.",
            "Pass the labels as the data set has them, and leave num_labels at 4.",
            fraction=Fraction(1, 2),
        )
    raise Failed(
        f"The {body.title} checkpoint answers {found.right} of {texts.test.name} rightly: it has not learnt the task.",
        "Was it saved after training, from the model that was trained?",
    )


def confusion(evaluated: Evaluated, texts: AtHand, body: Body) -> Plot:
    """Texts of each topic (rows) by the output that the checkpoint chose."""
    best = evaluated.test.argmax(-1).tolist()
    columns = min(evaluated.loaded.outputs, 8)
    table = [
        [
            float(sum(b == out and label == topic for b, label in zip(best, texts.test.labels, strict=True)))
            for out in range(columns)
        ]
        for topic in range(len(LABELS))
    ]
    return Plot(
        kind="heatmap",
        title=f"What the {body.title} checkpoint answers to {texts.test.name}",
        x_label="output, from 0",
        y_label="topic: " + ", ".join(LABELS),
        series={"texts": table},
    )


def compare_predictions(check: Running, submission: Submission, evaluated: Evaluated, order: Order) -> None:
    """Note where the labels reported for 3c are not those that the checkpoint gives to the same texts."""
    reported = read_predictions(submission)
    if reported.status is not Found.FOUND:
        return
    own = {
        "".join(row["text"].split()).casefold(): row["text"]
        for row in bodies.rows("assets/news/four_texts.jsonl")
    }
    given = [(own["".join(p.text.split()).casefold()], p.label) for p in reported.predictions
             if "".join(p.text.split()).casefold() in own]  # fmt: skip
    if not given:
        return
    best = evaluated.answers([text for text, _ in given]).argmax(-1).tolist()
    said = [LABELS[order.index(b)] if b in order else "none" for b in best]
    other = [
        f"{text[:40]}…: {label or 'nothing'} is reported, {answer} is what it answers"
        for (text, label), answer in zip(given, said, strict=True)
        if label_name(label, LABELS) != answer
    ]
    if other:
        check.note(f"For a person: {reported.path} is not what this checkpoint answers. {'; '.join(other)}.")


# ---------------------------------------------------------------- what was claimed of it


def judge_claims(
    check: Running, metrics: Metrics, evaluated: Evaluated, texts: AtHand, found: Count, order: Order
) -> None:
    """Compare the claimed test accuracies with the recomputed one, where they are about the same texts."""
    claimed = [epoch.test_acc for epoch in metrics.epochs]
    if not texts.real:
        check.note(
            "AG News is not at hand here, so the claimed accuracy could not be compared: another set of texts gives "
            "another accuracy. For whoever grades: `grade assets fetch ag_news`."
        )
        return
    check.expected = f"{claimed[-1]}, as claimed for the last epoch in {metrics.path}"
    if metrics.n_test != found.n:
        check.note(
            f"The claims are about {metrics.n_test} texts and {found.n} are at hand: they cannot be compared."
        )
        return
    same = agreement(claimed, found)
    if same.last:
        return
    if same.epochs:
        check.note(
            f"It has the accuracy claimed for epoch {same.epochs[-1]}, not the last: the best one was kept, it seems."
        )
        return
    for most in reevaluation.CUTS:
        again = count(evaluated.answers(texts.test.texts, most), texts.test.labels, order)
        if agreement(claimed, again).last:
            check.note(f"It has the claimed accuracy where texts are cut to {most} tokens: {again.shown}.")
            return
    check.largest_difference = min(
        (abs(float(c) - found.share) for c in claimed if c is not None), default=None
    )
    raise NeedsReview(
        f"The checkpoint has {found.shown} on {texts.test.name}; {claimed[-1]} is claimed for the last epoch, and no "
        "other epoch has what it has. A person will ask about it.",
        AGAIN,
    )


@pytest.mark.check("3b.checkpoint")
def test_distilbert_checkpoint(check: Running, submission: Submission, student: Student) -> None:
    judge_checkpoint(check, submission, student, DISTILBERT)


@pytest.mark.check("3d.checkpoint")
def test_roberta_checkpoint(check: Running, submission: Submission, student: Student) -> None:
    judge_checkpoint(check, submission, student, ROBERTA)
