"""Which of the variants the tests grade: some of each kind, or with TRAINING_WHOLE=1 every mistake and every style.

All of them under two seeds: `scripts/measure_training.py`.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from tests.tool.variants.finetune.bugs import BUGS, Variant
from tests.tool.variants.finetune.styles import STYLES, Style

WHOLE = bool(os.environ.get("TRAINING_WHOLE"))
"""Leave none out."""

_BUGS = (
    "manual-no-step",  # gradients and steps
    "manual-no-zero-grad",
    "loader-head-only",  # what the optimizer holds
    "manual-lr-5e-2",  # and its rate
    "manual-never-train",  # mode
    "manual-labels-shuffled",  # labels
    "manual-trains-on-test",  # texts
    "manual-cut-to-4",  # what the model sees
    "loader-softmax",  # the loss
    "manual-from-scratch",  # weights
    "manual-percent",  # figures
    "manual-invented",
)
_STYLES = (
    "manual-as-it-is",
    "manual-accumulation-2",  # gradients and steps
    "loader-one-cycle",  # optimizers and schedules
    "manual-similar-lengths",  # batches
    "loader-one-hot-targets",  # the loss
    "manual-encoder-and-head",  # the model's call
    "manual-lora-peft",  # which weights train
    "manual-in-lower-case",  # texts
    "trainer-own-loss",  # other people's loops
)

ONE_EACH: tuple[Variant, ...] = tuple({bug.mistake: bug for bug in reversed(BUGS)}.values())[::-1]
"""The first variant of each mistake."""
SOME_BUGS = ONE_EACH if WHOLE else tuple(bug for bug in BUGS if bug.id in _BUGS)
SOME_STYLES: tuple[Style, ...] = tuple(
    style for style in STYLES if (style.id in _STYLES or WHOLE) and (not style.needs or find_spec(style.needs))
)
SOME_LOOPS = None if WHOLE else ("plain", "workers_and_full_padding")
"""Names of the right loops in tests/transformer/variants/finetune; None for all."""
