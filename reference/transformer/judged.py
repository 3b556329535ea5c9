"""What the judge makes of one run of a student's training: its own figures, and the mistake that explains them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed
from grader.model import Diagnosis
from reference.transformer import figure_rules, training_rules, training_run
from reference.transformer.bodies import Row, WeightsDoNotFit, answers, moved, rows, with_weights
from reference.transformer.history import epochs_of
from reference.transformer.rerun import EPOCHS, Rerun
from reference.transformer.training_facts import Facts
from reference.transformer.training_mistakes import MISTAKES

IN_TRAINING = training_rules.RULES
"""Rules that may explain a model that is not as it should be."""
IN_FIGURES = (
    *figure_rules.FIGURES,
    *training_rules.IN_EVALUATION,
    training_rules.no_attention_mask,
    training_rules.texts_cut_short,
    training_rules.no_special_tokens,
)
"""Rules that may explain a wrong accuracy: how it was added up, then what was answered."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One run of finetune, with what the judge computed from its weights."""

    rerun: Rerun
    answers: dict[str, int]
    """What the model says to the texts that the student's code has not seen."""
    given: Fraction
    """Accuracy on the test texts with their own labels."""
    unseen: Fraction
    """Accuracy on texts that the student's code has not seen."""
    claimed: Fraction
    """Accuracy on the test texts as they were labelled: what finetune should return, and a script should print."""
    chosen: Fraction | None
    """The same on those test texts that a script has evaluated last, by the worker's word; None where it was all of
    them, each as often as any other, or is not known."""
    facts: Facts | None
    """For the rules; None where the worker's record cannot be read."""


# ---------------------------------------------------------------- the mistake, named


def named(facts: Facts | None, rules: tuple[training_rules.Rule, ...]) -> Diagnosis | None:
    """The first mistake that one of `rules` sees."""
    if facts is None:
        return None
    for rule in rules:
        evidence = rule(facts)
        if evidence:
            return MISTAKES[rule.__name__.replace("_", "-")].diagnosis(evidence)
    return None


def advise(check: Running, mistake: Diagnosis | None) -> None:
    """Tell of a mistake that cost nothing here."""
    if mistake is not None:
        check.note(
            f"Seen while it trained, at no cost of points: {mistake.title} ({mistake.evidence}). {mistake.hint}"
        )


def facts_of(run: Rerun, unseen: float, claimed: float, broken: bool) -> Facts | None:
    truth = [row["label"] for row in (*run.train_rows, *run.test_rows)]
    change = {} if broken else moved(run.body, run.state)
    read = training_run.read(run.trace, truth, len(run.train_rows), change)
    if read is None:
        return None
    epochs = epochs_of(run.history)
    claims = None if epochs is None else tuple(epoch["test_acc"] for epoch in epochs)
    return Facts(read, unseen, claimed, claims, EPOCHS, broken)


# ---------------------------------------------------------------- the figures


def in_the_judge(run: Rerun) -> Any:
    """The judge's own model with these weights."""
    try:
        return with_weights(run.body, run.state)
    except WeightsDoNotFit as error:
        failed = Failed(
            f"After finetune the model cannot be used: {error}.",
            "Train the model that is passed in, in place; NaN weights come from too large a learning rate.",
        )
        facts = facts_of(run, 0.0, 0.0, broken=True)
        raise failed.because(named(facts, IN_TRAINING)) from error


def chosen_by(run: Rerun) -> list[Row]:
    """The test texts that a script has chosen for its last evaluation; none where it was all of them, or is not known.

    It is the worker's word, and a forged one could choose the texts that were answered rightly: nothing may pass by it.
    """
    truth = [row["label"] for row in (*run.train_rows, *run.test_rows)]
    record = training_run.read(run.trace, truth, len(run.train_rows), {})
    if run.printed is None or record is None or not record.measurements:
        return []
    first = len(run.train_rows)
    counts = Counter(row - first for batch in record.measurements[-1] for row in batch.rows if row >= first)
    if len(counts) == len(run.test_rows) and len(set(counts.values())) == 1:
        return []
    return [run.test_rows[i] for i in counts.elements()]


def judged(run: Rerun) -> Judged:
    """What the judge computes from the weights."""
    model = in_the_judge(run)
    own, unseen = rows("assets/news/test.jsonl"), rows("hidden/heldout.jsonl")
    texts = [row["text"] for row in (*own, *unseen)]
    said = dict(zip(texts, answers(run.body, model, texts), strict=True))

    def right(part: Sequence[Row]) -> Fraction:
        return Fraction(sum(said[row["text"]] == row["label"] for row in part), len(part))

    given, hidden, claimed = map(right, (own, unseen, run.test_rows))
    some = chosen_by(run)
    facts = facts_of(run, float(min(given, hidden)), float(claimed), broken=False)
    answered = {row["text"]: said[row["text"]] for row in unseen}
    return Judged(run, answered, given, hidden, claimed, right(some) if some else None, facts)
