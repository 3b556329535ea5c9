"""What a training run did, read in the judge from the columns that the worker took down.

The worker's word is evidence for a diagnosis alone: what it says is checked for its form, not believed for a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from reference.transformer.training_trace import COLUMNS, UNKNOWN

NO_PADDING, MASKED, UNMASKED = 0, 1, 2
"""Of a batch: nothing to hide, the padding hidden, the padding seen."""
LOGITS, PROBABILITIES, UNNORMALISED_LOGS = 1, 2, 3
"""What cross-entropy was computed from."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One call of a model."""

    at: int
    """On the run's own clock."""
    model: int
    """0 is the model that was handed over."""
    train: bool
    """True in train mode."""
    grad: bool
    """True where the output kept its graph."""
    trained_at: int
    """When a gradient came back to the output; -1 for never."""
    mask: int
    """NO_PADDING, MASKED or UNMASKED."""
    length: int
    """Padded length in tokens."""
    longest: int
    """Tokens of the longest text in it, without special ones."""
    special: bool
    """True where the first token of a text is the one that stands for the whole."""
    scores: int
    """What cross-entropy was computed from; 0 where none was seen."""
    rows: tuple[int, ...]
    """Number of each text: the training texts first, then the test texts; -1 for one that is neither."""
    predicted: tuple[int, ...]
    """The answers, or -1."""
    labels: tuple[int, ...]
    """The labels that the loss was computed with, or -1."""
    loss: float
    """As the loss function gave it; NaN where none was seen."""

    @property
    def trained(self) -> bool:
        """True where the batch was trained on."""
        return self.trained_at != UNKNOWN


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an optimizer."""

    at: int
    optimizer: int
    head_as_at_start: bool
    body_as_at_start: bool
    low: float
    """Smallest learning rate of its groups."""
    high: float
    """Largest learning rate of its groups."""
    norm: float
    """L2 norm of all gradients."""


@dataclass(frozen=True, slots=True)
class Optimizer:
    """One optimizer; the counts are of tensors in the embeddings, the encoder and the head."""

    kind: str
    covered: tuple[int, ...]
    trainable: tuple[int, ...]
    foreign: int
    """Tensors that are none of the model's."""
    initial_rate: float


@dataclass(frozen=True)
class TrainingRun:
    """One run of `finetune`."""

    batches: tuple[Batch, ...]
    backwards: tuple[tuple[int, bool], ...]
    """When, and whether gradients of an earlier one lay there."""
    steps: tuple[Step, ...]
    clips: tuple[int, ...]
    optimizers: tuple[Optimizer, ...]
    truth: tuple[int, ...]
    """The label of each text as it was handed over: the training texts first."""
    n_train: int
    moved: dict[str, float] = field(default_factory=dict)
    """How far embeddings, encoder and head are from where they began, as a share; computed by the judge."""

    @property
    def weights_moved(self) -> bool:
        """True where any weight is another than it was."""
        return any(change > 0 for change in self.moved.values())

    @cached_property
    def trained(self) -> list[Batch]:
        """The batches that were trained on."""
        return [b for b in self.batches if b.trained]

    @cached_property
    def untrained(self) -> list[Batch]:
        """The others: evaluation, as a rule."""
        return [b for b in self.batches if not b.trained]

    def of_test(self, batch: Batch) -> int:
        """How many of its texts are test texts."""
        return sum(row >= self.n_train for row in batch.rows)

    def of_train(self, batch: Batch) -> int:
        """How many of its texts are training texts."""
        return sum(0 <= row < self.n_train for row in batch.rows)

    @cached_property
    def test_batches(self) -> list[Batch]:
        """Batches of test texts that were not trained on."""
        return [b for b in self.untrained if 2 * self.of_test(b) > len(b.rows)]

    @cached_property
    def measurements(self) -> list[list[Batch]]:
        """The test batches between two steps: one list for each time that the test texts were gone through."""
        found: dict[int, list[Batch]] = {}
        for batch in self.test_batches:
            before = sum(step.at < batch.at for step in self.steps)
            found.setdefault(before, []).append(batch)
        return list(found.values())

    def right(self, batch: Batch) -> int:
        """How many texts of a batch got the label that was handed over with them."""
        pairs = zip(batch.rows, batch.predicted, strict=True)
        return sum(row != UNKNOWN and self.truth[row] == answer for row, answer in pairs)

    def share_right(self, batches: Sequence[Batch]) -> float:
        """Accuracy over the texts of `batches`, each text once, as answered last."""
        answers = {row: (batch, i) for batch in batches for i, row in enumerate(batch.rows) if row != UNKNOWN}
        hits = sum(self.truth[row] == batch.predicted[i] for row, (batch, i) in answers.items())
        return hits / len(answers) if answers else 0.0

    @cached_property
    def labelled(self) -> list[tuple[int, int]]:
        """(true label, label that the loss was computed with) of the texts that were trained on."""
        return [
            (self.truth[row], label)
            for batch in self.trained
            for row, label in zip(batch.rows, batch.labels, strict=True)
            if row != UNKNOWN and label != UNKNOWN
        ]


def read(value: Any, truth: Sequence[int], n_train: int, moved: dict[str, float]) -> TrainingRun | None:
    """The run out of what `Recorder.plain` gave; None where it is not of that form."""
    try:
        return _read(value, tuple(truth), n_train, moved)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RuntimeError):
        return None


def _read(value: Any, truth: tuple[int, ...], n_train: int, moved: dict[str, float]) -> TrainingRun:
    forwards = _table(value["forwards"], torch.int64, len(COLUMNS) + 1)
    losses = value["losses"].tolist()
    flat = [_column(value[name]) for name in ("rows", "predicted", "labels")]
    if any(len(column) != len(flat[0]) for column in flat) or len(losses) != len(forwards):
        raise ValueError("columns of different length")
    if not all(UNKNOWN <= row < len(truth) for row in flat[0]):
        raise ValueError("a text that was not handed over")
    if any(fields[-1] < 0 for fields in forwards) or sum(fields[-1] for fields in forwards) != len(flat[0]):
        raise ValueError("batches that do not make up the columns")
    batches, place = [], 0
    for (*fields, count), loss in zip(forwards, losses, strict=True):
        at, model, train, grad, trained_at, mask, length, longest, special, scores = fields
        rows, predicted, labels = (tuple(column[place : place + count]) for column in flat)
        place += count
        head = (at, model, bool(train), bool(grad), trained_at, mask, length, longest, bool(special), scores)
        batches.append(Batch(*head, rows, predicted, labels, float(loss)))
    steps = _table(value["steps"], torch.int64, 4)
    sizes = _table(value["sizes"], torch.float64, 3)
    optimizers = tuple(map(_optimizer, value["optimizers"]))
    if not all(0 <= step[1] < len(optimizers) for step in steps):
        raise ValueError("a step of no optimizer")
    return TrainingRun(
        batches=tuple(batches),
        backwards=tuple((at, bool(dirty)) for at, dirty in _table(value["backwards"], torch.int64, 2)),
        steps=tuple(
            Step(at, o, bool(h), bool(b), *map(float, size))
            for (at, o, h, b), size in zip(steps, sizes, strict=True)
        ),
        clips=tuple(_column(value["clips"])),
        optimizers=optimizers,
        truth=truth,
        n_train=n_train,
        moved=moved,
    )


def _column(value: Any) -> list[int]:
    if not isinstance(value, Tensor) or value.dtype is not torch.int64 or value.dim() != 1:
        raise ValueError("a column of another form")
    numbers: list[int] = value.tolist()
    return numbers


def _table(value: Any, dtype: torch.dtype, width: int) -> list[list[Any]]:
    if (
        not isinstance(value, Tensor)
        or value.dtype is not dtype
        or value.dim() != 2
        or value.shape[1] != width
    ):
        raise ValueError("a table of another form")
    rows: list[list[Any]] = value.tolist()
    return rows


def _optimizer(value: dict[str, Any]) -> Optimizer:
    covered, trainable = (tuple(map(int, value[name])) for name in ("covered", "trainable"))
    if len(covered) != 3 or len(trainable) != 3:
        raise ValueError("an optimizer of another form")
    return Optimizer(
        str(value["kind"])[:40], covered, trainable, int(value["foreign"]), float(value["initial_lr"])
    )
