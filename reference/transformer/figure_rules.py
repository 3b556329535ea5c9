"""How a test accuracy that `finetune` returns came about, where it is not what its own evaluation answered.

The same kind of rules as in `training_rules`, about figures. What is compared is the last epoch's claim with what the
worker's record of the evaluation gives when it is added up in the ways that students do.
"""

from __future__ import annotations

from collections.abc import Callable

from reference.transformer.training_facts import Facts, share
from reference.transformer.training_rules import HALF, NEARLY_ALL, Rule
from reference.transformer.training_run import Batch
from reference.transformer.training_trace import UNKNOWN

CHANCE = (0.12, 0.42)
"""Where the accuracy of right answers to other texts lies: a quarter, give or take four standard errors."""


def epochs_ignored(f: Facts) -> str:
    if f.claims is None or len(f.claims) == f.epochs:
        return ""
    return f"{len(f.claims)} epochs came back where {f.epochs} were asked for"


def percentages(f: Facts) -> str:
    last, measured = _last(f), _measured(f)
    if last is None or last <= 1.5 or measured is None or not _near(f, last / 100, measured):
        return ""
    return f"{last:.4g} is 100 times the share of right answers"


def evaluates_training_texts(f: Facts) -> str:
    last, run = _last(f), f.run
    if last is None or _is_right(f, last):
        return ""
    ways: tuple[tuple[list[Batch], str], ...] = (
        ([b for b in run.untrained if 2 * run.of_train(b) > len(b.rows)][-len(run.trained) :], "evaluation"),
        (run.trained[-len(run.trained) // f.epochs :], "the last epoch of training"),
    )
    for batches, where in ways:
        if batches and abs(last - run.share_right(batches)) <= 1.5 / max(1, run.n_train):
            return f"{last:.4f} is the accuracy on the training texts, in {where}"
    if not run.test_batches and ways[0][0] and not _unknown(run.untrained):
        return "no test text was ever evaluated, and training texts were"
    return ""


def evaluates_other_model(f: Facts) -> str:
    other = share(batch.model != 0 for batch in f.run.test_batches)
    trained = share(batch.model == 0 for batch in f.run.trained)
    if other < NEARLY_ALL or trained < NEARLY_ALL:
        return ""
    return "the test texts were answered by another model than the one that was trained"


def measured_before_training(f: Facts) -> str:
    run = f.run
    if not run.test_batches or f.claims is None:
        return ""
    last = max(batch.at for batch in run.test_batches)
    after = share(step.at > last for step in run.steps)
    if after < HALF / f.epochs:
        return ""
    return f"{after:.0%} of all steps came after the last time that the test texts were evaluated"


def accuracy_over_batches(f: Facts) -> str:
    return _added_up(f, _over_batches, "right answers were divided by the number of batches, {batches}")


def accuracy_of_last_batch(f: Facts) -> str:
    return _added_up(f, _of_last_batch, "it is the accuracy of the last of {batches} batches")


def mean_of_unequal_batches(f: Facts) -> str:
    return _added_up(f, _mean_of_batches, "it is the mean over {batches} batches that are not of one size")


def test_labels_misaligned(f: Facts) -> str:
    last, measured = _last(f), _measured(f)
    if last is None or measured is None or not CHANCE[0] <= last <= CHANCE[1]:
        return ""
    if measured < CHANCE[1] + 0.1:
        return ""
    return f"{measured:.2f} of the answers fit their own text's label, {last:.2f} is what chance gives"


def figures_not_measured(f: Facts) -> str:
    last, measured = _last(f), _measured(f)
    if last is None or _is_right(f, last) or _unknown(f.run.untrained):
        return ""
    if measured is None:
        return "no test text was ever evaluated"
    if _near(f, last, measured):
        return ""
    return f"{last:.4f} was returned; the answers in its own evaluation are right in {measured:.4f}"


def _last(f: Facts) -> float | None:
    return f.claims[-1] if f.claims else None


def _measured(f: Facts) -> float | None:
    """Accuracy of the answers in the last evaluation of the test texts; None where some are not known again."""
    if not f.run.measurements or _unknown(f.run.measurements[-1]):
        return None
    return f.run.share_right(f.run.measurements[-1])


def _unknown(batches: list[Batch]) -> bool:
    """True where a text is among them that cannot be told from others, as when all but its first words is cut off."""
    return any(row == UNKNOWN for batch in batches for row in batch.rows)


def _near(f: Facts, value: float, due: float) -> bool:
    return abs(value - due) <= 1.5 / max(1, len(f.run.truth) - f.run.n_train)


def _is_right(f: Facts, value: float) -> bool:
    return _near(f, value, f.recomputed)


def _added_up(f: Facts, way: Callable[[Facts, list[Batch]], float], words: str) -> str:
    last, measured = _last(f), _measured(f)
    if last is None or measured is None or _is_right(f, last) or abs(last - measured) < 1e-6:
        return ""  # what its evaluation answered was added up as it should be
    batches = f.run.measurements[-1]
    if len(batches) < 2 or abs(way(f, batches) - last) > 1e-4:
        return ""
    return words.format(batches=len(batches))


def _over_batches(f: Facts, batches: list[Batch]) -> float:
    return sum(map(f.run.right, batches)) / len(batches)


def _of_last_batch(f: Facts, batches: list[Batch]) -> float:
    return f.run.right(batches[-1]) / max(1, len(batches[-1].rows))


def _mean_of_batches(f: Facts, batches: list[Batch]) -> float:
    return sum(f.run.right(batch) / max(1, len(batch.rows)) for batch in batches) / len(batches)


FIGURES: tuple[Rule, ...] = (
    percentages, evaluates_training_texts, evaluates_other_model, accuracy_over_batches, accuracy_of_last_batch,
    mean_of_unequal_batches, measured_before_training, test_labels_misaligned, figures_not_measured, epochs_ignored,
)  # fmt: skip
"""About figures. The id of a mistake is the name of its rule, with hyphens."""
