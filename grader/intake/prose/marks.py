"""What tables and sentences have in common where they state accuracies: words, runs, and how a figure is taken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from grader.intake.prose.amounts import TIMES
from grader.intake.prose.figures import Figure
from grader.intake.prose.outline import Path, path_of
from grader.intake.prose.questions import RunWords
from grader.intake.prose.words import contains

TRAIN, TEST = ("train",), ("test", "valid", "=val", "eval", "=dev", "held out")
ACCURACY = ("acc", "correct")
OTHER = ("loss", "f 1", "=f", "precision", "recall", "perplexity")
PERCENT = ("percent", "per cent", "%")
NONE = -1
"""No epoch is named; 0 is the first where a report counts from 0."""
Found = tuple[str, int, str, Decimal, str, str]
"""Results file, epoch, kind, value, place, sentence."""


def value_of(figure: Figure, kind: str, unit: str) -> Decimal | None:
    """The figure as a share, a loss or seconds; None where it cannot be one."""
    exact = Decimal(figure.digits.replace(",", "")).scaleb(figure.exponent)
    if kind == "seconds":
        factor = TIMES.get(figure.unit or unit, 1)
        return exact * factor
    if kind == "train_loss":
        return exact if not figure.unit else None
    if (figure.unit or unit) == "%" or (not figure.unit and 1 < exact <= 100):
        return exact.scaleb(-2) if exact <= 100 else None
    return exact if not figure.unit and 0 <= exact <= 1 else None


def run_of(runs: Sequence[RunWords], text: str) -> RunWords | None:
    """The one run whose model is named in the text; None where none is, or more than one."""
    named = [run for run in runs if contains(text, run.names)]
    return named[0] if len(named) == 1 else None


def last_run(runs: Sequence[RunWords], text: str) -> RunWords | None:
    """The run named last."""
    for piece in reversed(re.split(r"[\s,;:()]+", text)):
        if run := run_of(runs, piece):
            return run
    return None


def run_at(runs: Sequence[RunWords], path: Path) -> RunWords | None:
    """The run of the question that a place in a report belongs to."""
    return next((run for run in runs if path and path[: len(path_of(run.part))] == path_of(run.part)), None)
