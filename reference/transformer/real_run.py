"""The real run of 3b and 3d: fine-tune whatever model is at hand on whatever news is, and print the report's table.

`grade reference --run 3b` calls this. With the assets fetched it is the run that the coursework asks for; without them
it runs on the tiny bodies and the corpus that come with the grader, and says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from grader.errors import UsageError
from grader.paths import data_root
from reference.transformer import assets, bodies, comparison
from reference.transformer.evaluation import described, one_device, threads_for
from reference.transformer.finetune import LABELS, Epoch, finetune, predict
from reference.transformer.news import News, Source, load_news

KINDS = {"3b": ("distilbert",), "3d": ("distilbert", "roberta")}
"""The models that each run trains, in order."""
NAMES = {"distilbert": "distilbert-base-uncased", "roberta": "roberta-base"}
SETTINGS: dict[str, Any] = {"batch_size": 8, "learning_rate": 5e-5}
EPOCHS = 3

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """One model after its run."""

    kind: str
    """Its model_type: "distilbert", "roberta", "bert"."""
    name: str
    """As shown, and as written into the figures."""
    model: Any
    tokenizer: Any
    history: list[Epoch]


def real_run(
    run: str,
    *,
    models: Sequence[Path] = (),
    data: Path | None = None,
    out: Path | None = None,
    seed: int,
    tell: Tell,
) -> list[Trained]:
    """Train, print the table of each model as it grows, and for 3d the comparison; write all of it to `out`.

    Raises UsageError for a model or data that cannot be read.
    """
    kinds = KINDS[run]
    if len(models) not in (0, len(kinds)):
        raise UsageError(
            f"Run {run} trains {len(kinds)} model{'s' if len(kinds) > 1 else ''}, and {len(models)} were given.",
            "Give --model once for each, DistilBERT's first.",
        )
    source, shown = _source(data)
    news = load_news(source, seed=None)
    tell(f"Data: {shown}; {len(news.train):,} training and {len(news.test):,} test texts.")
    with one_device() as device:
        tell(f"Device: {described(device)}.")
        given: Sequence[Path | None] = models or [None] * len(kinds)
        trained = [_train(*pair, news, seed, device, out, tell) for pair in zip(kinds, given, strict=True)]
        if run == "3d":
            _compare(trained, news, seed, out, tell)
    if out is not None:
        tell(f"\nWritten to {out}.")
    return trained


def _compare(trained: Sequence[Trained], news: News, seed: int, out: Path | None, tell: Tell) -> None:
    given = [(t.name, t.model, t.tokenizer, t.history) for t in trained]
    with threads_for(trained[0].model):
        compared = comparison.compare(given, list(news.test), seed)
    tell("\n" + comparison.as_text(compared))
    if out is not None:
        comparison.write(out, compared)


def _source(data: Path | None) -> tuple[Source, str]:
    if data is not None:
        for name in ("train.jsonl", "test.jsonl"):
            if not (data / name).is_file():
                raise UsageError(
                    f"{str(data)!r} holds no {name}.", "Give a folder with train.jsonl and test.jsonl."
                )
        return data, f"the folder {data.name}"
    kept = assets.find("ag_news")
    if kept is not None:
        return "ag_news", f"AG News, from {kept.origin}"
    return "bundled", "the corpus that comes with the grader (`grade assets fetch` brings AG News)"


def _train(
    kind: str, path: Path | None, news: News, seed: int, device: torch.device, out: Path | None, tell: Tell
) -> Trained:
    torch.manual_seed(seed)  # the classification head is drawn when the model is made
    kept = assets.find(NAMES[kind])
    if path is not None:
        name = path.name
    elif kept is not None:
        path, name = kept.path, NAMES[kind]
    else:
        path = data_root() / "tests" / "transformer" / "assets" / "bodies" / kind
        name = f"tiny {kind} (`grade assets fetch {NAMES[kind]}` brings the real one)"
    model, tokenizer = load(path)
    model.to(device)
    weights = sum(p.numel() for p in model.parameters())
    tell(f"\n{name}: {weights:,} weights; batch 8, learning rate 5e-5, {EPOCHS} epochs, seed {seed}.")
    tell(_ROW.format("epoch", "train loss", "train acc", "test acc", "seconds"))
    done: list[Epoch] = []

    def show(epoch: Epoch) -> None:
        done.append(epoch)
        figures = (f"{epoch[key]:.4f}" for key in ("train_loss", "train_acc", "test_acc"))
        tell(_ROW.format(len(done), *figures, f"{epoch['seconds']:.1f}"))

    with threads_for(model):
        finetune(model, tokenizer, news.train, news.test, epochs=EPOCHS, **SETTINGS, seed=seed, on_epoch=show)
    tell(f"Time: {sum(epoch['seconds'] for epoch in done) / 60:.1f} min.")
    one = Trained(model.config.model_type, name.split(" (")[0], model, tokenizer, done)
    if out is not None:
        _write_one(out, one, news)
    return one


_ROW = "{:>5}  {:>10}  {:>9}  {:>8}  {:>8}"


def load(path: Path) -> tuple[Any, Any]:
    """Model with a head for four topics, and tokenizer, out of a folder of one's own. Raises UsageError."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    if not (path / "config.json").is_file():
        raise UsageError(
            f"There is no model in {str(path)!r}.", "Give the folder of save_pretrained, with its tokenizer."
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        model = AutoModelForSequenceClassification.from_pretrained(
            path, num_labels=len(LABELS), local_files_only=True, ignore_mismatched_sizes=True
        )
    except (OSError, ValueError) as error:
        cause = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UsageError(
            f"There is no model in {str(path)!r} ({cause}).",
            "Give the folder of save_pretrained, with its tokenizer.",
        ) from error
    if len(tokenizer) < 1000:  # a tokenizer that finds no vocabulary says nothing and knows five tokens
        raise UsageError(
            f"The tokenizer in {str(path)!r} knows {len(tokenizer)} tokens only.", "Add its files."
        )
    return model, tokenizer


def _write_one(out: Path, one: Trained, news: News) -> None:
    """Figures and predictions in the form in which students hand them in, and the checkpoint."""
    results = out / "results"
    results.mkdir(parents=True, exist_ok=True)
    sizes = {"n_train": len(news.train), "n_test": len(news.test)}
    write_json(results / f"{one.kind}.json", {"model": one.name, **sizes, **SETTINGS, "epochs": one.history})
    if one.kind != "roberta":
        texts = [row["text"] for row in bodies.rows("assets/news/four_texts.jsonl")]
        answers = zip(texts, predict(one.model, one.tokenizer, texts), strict=True)
        predictions = [{"text": text, "label": label} for text, label in answers]
        write_json(results / "predictions.json", {"model": one.name, "predictions": predictions})
    folder = out / "checkpoints" / one.kind
    one.model.save_pretrained(folder)
    one.tokenizer.save_pretrained(folder)


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a document that a person can read too."""
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
