"""Wrong beliefs about the figures of the real run, each as a hand-in whose files show it."""

from __future__ import annotations

from grader.bank import Edit, Misconception

_MODELS = (("3b", "distilbert", "DistilBERT", "0.8906"), ("3d", "roberta", "RoBERTa", "0.9141"))
"""Part, model, its title, the last test accuracy of the model solution."""


def _of(part: str, body: str, title: str, last: str) -> tuple[Misconception, ...]:
    file = f"results/{body}.json"
    return (
        Misconception(
            id=f"no-learning-reported-{body}",
            title=f"The {title} that you report has learnt nothing",
            belief="A run that ends is a run that worked.",
            hint="How many texts would somebody get right who says World to all of them?",
            checks=(f"{part}.bar", f"{part}.checkpoint"),
            edits=(Edit(file, f'"test_acc": {last}', '"test_acc": 0.2656'),),
            diagnosed=False,
        ),
        Misconception(
            id=f"batch-means-reported-{body}",
            title="An accuracy that you report is no share of the texts",
            belief="The mean of the accuracies of the batches is the accuracy.",
            hint="How many right answers are 0.8871 of 128 texts?",
            checks=(f"{part}.reported",),
            edits=(Edit(file, f'"test_acc": {last}', '"test_acc": 0.8871'),),
            diagnosed=False,
        ),
        Misconception(
            id=f"other-batch-size-{body}",
            title="The run that you report has another batch size than the one asked for",
            belief="The batch size is a matter of memory alone.",
            hint="How many steps has an epoch, and how many did you take?",
            checks=(f"{part}.reported",),
            edits=(Edit(file, '"batch_size": 8', '"batch_size": 16'),),
            diagnosed=False,
        ),
    )


BANK: tuple[Misconception, ...] = tuple(entry for model in _MODELS for entry in _of(*model))
"""In the order of the handout."""
