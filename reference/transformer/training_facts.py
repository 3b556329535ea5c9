"""What the rules of `training_rules` and `figure_rules` ask of one run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from reference.transformer.training_run import TrainingRun

TRAINED = 0.70
"""Accuracy on unseen texts that shows training. A correct loop is above 0.85 under every seed tried, a loop that does
not train stays below 0.45; docs/datasheet.md has the table and its command."""


@dataclass(frozen=True)
class Facts:
    """One run of `finetune`: what it did, what it says, and what the judge computed."""

    run: TrainingRun
    accuracy: float
    """On unseen texts, by the judge; 0 where the weights cannot be used."""
    recomputed: float
    """On the test texts with the labels that they were handed over with, by the judge."""
    claims: tuple[float, ...] | None = None
    """The test accuracies that it returned, by epoch."""
    epochs: int = 3
    """That were asked for."""
    broken_weights: bool = False
    """True where weights are NaN or infinite."""

    @property
    def unmoved(self) -> bool:
        """True where the weights are those that were handed over."""
        return not self.broken_weights and not self.run.weights_moved

    @cached_property
    def trained_texts(self) -> tuple[int, int]:
        """Training texts and test texts in batches with gradients, each as often as it was in one."""
        run = self.run
        return sum(map(run.of_train, run.trained)), sum(map(run.of_test, run.trained))

    @cached_property
    def dirty(self) -> tuple[list[bool], list[bool]]:
        """Whether gradients lay there before a backward pass: the first after each step, and the others."""
        first: list[bool] = []
        between: list[bool] = []
        steps = [step.at for step in self.run.steps]
        done = 0
        for i, (at, dirty) in enumerate(self.run.backwards):
            before = done
            while done < len(steps) and steps[done] < at:
                done += 1
            if i:
                (first if done > before else between).append(dirty)
        return first, between


def share(values: Iterable[bool]) -> float:
    """How many are true, 0 of none."""
    found = list(values)
    return sum(found) / len(found) if found else 0.0
