"""Checkpoints of every kind for the tests, made of the tiny bodies: files in memory, by path."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from reference.transformer import bodies, finetune
from reference.transformer.evaluation import threads_for

BODIES = Path(bodies.data_root()) / "tests" / "transformer" / "assets" / "bodies"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
State = dict[str, Tensor]


class Rows:
    """Rows as finetune takes them."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._columns = {key: [row[key] for row in rows] for key in ("text", "label")}

    def __getitem__(self, key: str) -> list[Any]:
        return self._columns[key]


@cache
def trained(body: str) -> State:
    """The weights of a tiny body after a short training on the bundled corpus: above 0.85 on its test texts."""
    torch.manual_seed(0)
    model, tokenizer = bodies.body(body), bodies.tokenizer(body)
    train = Rows(bodies.sample("assets/news/train.jsonl", 256, 1))
    test = Rows(bodies.sample("assets/news/test.jsonl", 8, 1))
    with threads_for(model):
        finetune.finetune(model, tokenizer, train, test, epochs=1, learning_rate=1e-3)
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def config(body: str, **changes: Any) -> dict[str, Any]:
    """A body's config.json with changes; None takes an entry out."""
    found = json.loads((BODIES / body / "config.json").read_text(encoding="utf-8")) | changes
    return {key: value for key, value in found.items() if value is not None}


def tokenizer_files(body: str) -> dict[str, bytes]:
    """What tokenizer.save_pretrained writes."""
    return {name: (BODIES / body / name).read_bytes() for name in TOKENIZER}


def checkpoint(
    body: str = "distilbert",
    state: Mapping[str, Tensor] | None = None,
    *,
    folder: str = "",
    name: str = "model.safetensors",
    settings: Mapping[str, Any] | None = None,
    tokenizer: bool = True,
) -> dict[str, bytes]:
    """A folder of save_pretrained, as path -> content, in checkpoints/BODY unless `folder` says otherwise."""
    weights = {name: value.contiguous() for name, value in (state or trained(body)).items()}
    files = {
        name: save(weights, {"format": "pt"}) if name.endswith(".safetensors") else pickled(weights),
        "config.json": json.dumps(settings or config(body)).encode(),
        **(tokenizer_files(body) if tokenizer else {}),
    }
    return {f"{folder or f'checkpoints/{body}'}/{file}": content for file, content in files.items()}


def pickled(thing: Any) -> bytes:
    """As torch.save writes it."""
    buffer = io.BytesIO()
    torch.save(thing, buffer)
    return buffer.getvalue()


def changed(body: str, change: Callable[[State], None]) -> State:
    """The trained weights after a change in place."""
    state = {name: value.clone() for name, value in trained(body).items()}
    change(state)
    return state


def with_head(body: str, outputs: int, order: list[int]) -> State:
    """The trained weights with a head of `outputs` rows, in which row order[topic] stands for the topic."""
    head = {"distilbert": "classifier", "roberta": "classifier.out_proj"}[body]

    def reorder(state: State) -> None:
        for kind, low in (("weight", 0.0), ("bias", -50.0)):
            old = state[f"{head}.{kind}"]
            new = torch.full((outputs, *old.shape[1:]), low)
            for topic, output in enumerate(order):
                new[output] = old[topic]
            state[f"{head}.{kind}"] = new

    return changed(body, reorder)


def figures(*test_acc: str, body: str = "distilbert", n_test: int = 128) -> bytes:
    """results/BODY.json with these test accuracies as printed."""
    name = {"distilbert": "distilbert-base-uncased", "roberta": "roberta-base"}[body]
    epochs = ", ".join(f'{{"train_acc": 0.9219, "test_acc": {acc}}}' for acc in test_acc)
    head = f'"model": "{name}", "n_train": 1024, "n_test": {n_test}, "batch_size": 8, "learning_rate": 5e-5'
    return f'{{{head}, "epochs": [{epochs}]}}'.encode()
