"""3d: two fine-tuned models beside each other, in figures, in words that follow from them, and as a picture."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from reference.transformer import panels
from reference.transformer.evaluation import encode, logits_of
from reference.transformer.finetune import Epoch
from reference.transformer.robustness import (
    FIRST_WORDS,
    TYPO_RATES,
    Bin,
    accuracy,
    bins,
    calibration_error,
    first_words,
    log_loss,
    mcnemar,
    with_typos,
)


@dataclass(frozen=True, slots=True)
class Figures:
    """One model."""

    name: str
    weights: int
    megabytes: float
    """Of its weights in float32; 1 MB is 10^6 bytes."""
    train: list[float]
    """Training accuracy by epoch."""
    test: list[float]
    """Test accuracy by epoch."""
    training_s: float
    """Wall-clock seconds of all epochs, tests included."""
    answer_ms: float
    """Milliseconds a text when the test texts are answered in batches."""
    accuracy: float
    """On the test texts, after the last epoch."""
    typos: list[float]
    """The same with typing errors, at each of TYPO_RATES."""
    cut: list[float]
    """The same of the first words alone, at each of FIRST_WORDS."""
    calibration_error: float
    log_loss: float
    bins: list[Bin]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same texts."""

    n: int
    """Test texts."""
    models: tuple[Figures, Figures]
    first_only: int
    """Texts that only the first answers rightly."""
    second_only: int
    p_equal: float
    """Probability of a split at least as uneven if both were equally good (McNemar, exact)."""


Model = tuple[str, Any, Any, Sequence[Epoch]]
"""Name, model, tokenizer, what its fine-tuning returned."""


def compare(models: Sequence[Model], test: Sequence[dict[str, Any]], seed: int) -> Comparison:
    """Measure both models on `test`, rows of text and label; `seed` draws the typing errors."""
    (first, right_a), (second, right_b) = (_figures(*model, test=test, seed=seed) for model in models)
    a = sum(x and not y for x, y in zip(right_a, right_b, strict=True))
    b = sum(y and not x for x, y in zip(right_a, right_b, strict=True))
    return Comparison(len(test), (first, second), a, b, mcnemar(a, b))


def _figures(
    name: str,
    model: Any,
    tokenizer: Any,
    history: Sequence[Epoch],
    *,
    test: Sequence[dict[str, Any]],
    seed: int,
) -> tuple[Figures, list[bool]]:
    texts, labels = [row["text"] for row in test], [int(row["label"]) for row in test]

    def answers(given: Sequence[str]) -> Tensor:
        return logits_of(model, encode(tokenizer, given), tokenizer.pad_token_id)

    started = time.perf_counter()
    clean = answers(texts)
    seconds = time.perf_counter() - started
    weights = sum(p.numel() for p in model.parameters())
    tenths = bins(clean, labels)
    found = Figures(
        name=name,
        weights=weights,
        megabytes=weights * 4 / 1e6,
        train=[epoch["train_acc"] for epoch in history],
        test=[epoch["test_acc"] for epoch in history],
        training_s=sum(epoch["seconds"] for epoch in history),
        answer_ms=1000 * seconds / len(texts),
        accuracy=accuracy(clean, labels),
        typos=[accuracy(answers([with_typos(t, rate, seed) for t in texts]), labels) for rate in TYPO_RATES],
        cut=[accuracy(answers([first_words(t, count) for t in texts]), labels) for count in FIRST_WORDS],
        calibration_error=calibration_error(tenths),
        log_loss=log_loss(clean, labels),
        bins=tenths,
    )
    return found, [int(a) == b for a, b in zip(clean.argmax(-1), labels, strict=True)]


# ---------------------------------------------------------------- in words and tables


def rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    """The table: what, first model, second model."""

    def both(title: str, shown: Any) -> tuple[str, str, str]:
        return title, shown(comparison.models[0]), shown(comparison.models[1])

    table = [
        both("weights", lambda m: f"{m.weights:,}"),
        both("size in float32, MB", lambda m: f"{m.megabytes:,.1f}"),
        both("training, s", lambda m: f"{m.training_s:,.1f}"),
        both("answering, ms a text", lambda m: f"{m.answer_ms:.1f}"),
        both("train accuracy by epoch", lambda m: " ".join(f"{x:.4f}" for x in m.train)),
        both("test accuracy by epoch", lambda m: " ".join(f"{x:.4f}" for x in m.test)),
    ]
    for i, rate in enumerate(TYPO_RATES[1:], 1):
        table.append(both(f"test, {rate:.0%} of letters wrong", lambda m, i=i: f"{m.typos[i]:.4f}"))
    for i, count in enumerate(FIRST_WORDS[1:], 1):
        table.append(both(f"test, first {count} words", lambda m, i=i: f"{m.cut[i]:.4f}"))
    table += [
        both("expected calibration error", lambda m: f"{m.calibration_error:.4f}"),
        both("log loss, nats", lambda m: f"{m.log_loss:.4f}"),
    ]
    return table


def sentences(comparison: Comparison) -> list[str]:
    """What the figures say, and what they do not."""
    first, second = comparison.models
    n, gap = comparison.n, abs(first.accuracy - second.accuracy)
    split = f"{comparison.first_only} texts only {first.name} has right, {comparison.second_only} only {second.name}"
    sure = (
        "is evidence that they differ" if comparison.p_equal < 0.05 else "is no evidence that one is better"
    )
    return [
        f"Accuracy: {split}; a gap of {gap:.4f} on {n} texts {sure} (p = {comparison.p_equal:.2f}).",
        f"Time: {second.name} took {_times(second.training_s, first.training_s)} as long to train as {first.name}, "
        f"with {_times(second.weights, first.weights)} the weights.",
        f"Robustness: with {TYPO_RATES[-1]:.0%} of the letters wrong {first.name} loses "
        f"{first.accuracy - first.typos[-1]:.4f}, {second.name} {second.accuracy - second.typos[-1]:.4f}; "
        f"of the first {FIRST_WORDS[-1]} words alone they keep {first.cut[-1]:.4f} and {second.cut[-1]:.4f}.",
        f"Confidence: off by {first.calibration_error:.4f} and {second.calibration_error:.4f} on average.",
    ]


def _times(a: float, b: float) -> str:
    return f"{a / b:.1f} times" if b else "many times"


def as_text(comparison: Comparison) -> str:
    """For a terminal."""
    first, second = comparison.models
    table = [("", first.name, second.name), *rows(comparison)]
    widths = [max(len(row[i]) for row in table) for i in range(3)]
    lines = ["  ".join((a.ljust(widths[0]), b.rjust(widths[1]), c.rjust(widths[2]))) for a, b, c in table]
    return "\n".join([*(line.rstrip() for line in lines), "", *sentences(comparison)])


def as_markdown(comparison: Comparison) -> str:
    """A page with table and plot."""
    first, second = comparison.models
    table = "\n".join(f"| {a} | {b} | {c} |" for a, b, c in rows(comparison))
    said = "\n".join(f"- {sentence}" for sentence in sentences(comparison))
    return (
        f"# {first.name} and {second.name} on {comparison.n} test texts\n\n![The same as a plot](comparison.svg)\n\n"
        f"| | {first.name} | {second.name} |\n| --- | ---: | ---: |\n{table}\n\n{said}\n"
    )


def write(folder: Path, comparison: Comparison) -> None:
    """comparison.json, comparison.md and comparison.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    document = json.dumps(asdict(comparison), indent=2, ensure_ascii=False) + "\n"
    (folder / "comparison.json").write_text(document, encoding="utf-8")
    (folder / "comparison.md").write_text(as_markdown(comparison), encoding="utf-8")
    (folder / "comparison.svg").write_text(picture(comparison), encoding="utf-8")


def picture(comparison: Comparison) -> str:
    """Four panels as one SVG: accuracy by epoch, under typing errors, of the first words, and confidence."""
    models = comparison.models
    epochs = [str(i + 1) for i in range(max(len(m.test) for m in models))]
    by_epoch = {f"{m.name}, {split}": getattr(m, split) for m in models for split in ("train", "test")}
    panel = panels.Panel
    return panels.svg(
        f"{models[0].name} and {models[1].name} on {comparison.n} test texts",
        [
            panel("Accuracy by epoch", "epoch", epochs, by_epoch),
            panel(
                "With typing errors",
                "share of letters",
                [f"{rate:.0%}" for rate in TYPO_RATES],
                {m.name: m.typos for m in models},
            ),
            panel(
                "Cut short",
                "words from the beginning",
                ["all", *map(str, FIRST_WORDS[1:])],
                {m.name: m.cut for m in models},
            ),
            panel(
                "Is its confidence right?",
                "confidence, by tenths",
                [f"{b / 10:.1f}" for b in range(10)],
                {m.name: _by_tenth(m.bins) for m in models}
                | {"as it should be": [b / 10 + 0.05 for b in range(10)]},
            ),
        ],
    )


def _by_tenth(found: Sequence[Bin]) -> list[float | None]:
    places: list[float | None] = [None] * 10
    for b in found:
        places[min(int(b.confidence * 10), 9)] = b.accuracy
    return places
