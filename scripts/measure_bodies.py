"""Measure what a fine-tuning loop makes of the tiny bodies: a right one, and wrong ones.

    python -m scripts.measure_bodies                         the right loop, seeds 0 to 4, on 256 and on all rows
    python -m scripts.measure_bodies no_zero_grad head_only  these wrong loops, seeds 0 and 1, on 256 rows
    python -m scripts.measure_bodies all                     all of them (about five CPU minutes)

One line a run: test accuracy after each epoch, accuracy on the held-out texts and on the further texts for 3c, the
gradient norm at the last step, how far head and body moved (relative to their size), and the CPU seconds.
Settings of the coursework: batch 8, AdamW, learning rate 5e-5, 3 epochs, a new order every epoch; one thread.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from transformers import (
    DistilBertForSequenceClassification,
    DistilBertTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    RobertaForSequenceClassification,
    RobertaTokenizer,
)
from transformers import logging as transformers_logging

from scripts.make_bodies import BODIES, KINDS, accuracy, prepare
from scripts.make_corpus import ASSETS, HIDDEN, Row

WRONG = (
    "no_zero_grad",
    "zero_grad_before_step",
    "no_backward",
    "no_step",
    "lr_0",
    "lr_5e-2",
    "lr_5e-3",
    "labels_shifted",
    "labels_random",
    "head_only",
    "never_train_mode",
    "no_attention_mask",
    "softmax_before_loss",
    "sorted_by_label",
)


def read(path: str, hidden: bool = False) -> list[Row]:
    """The rows of a JSON Lines file."""
    lines = ((HIDDEN if hidden else ASSETS) / path).read_text(encoding="utf-8").splitlines()
    return [Row(**json.loads(line)) for line in lines]


def load(kind: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model and tokenizer, as the classes that the coursework names."""
    model, tokenizer = {
        "distilbert": (DistilBertForSequenceClassification, DistilBertTokenizer),
        "roberta": (RobertaForSequenceClassification, RobertaTokenizer),
    }[kind]
    return model.from_pretrained(BODIES / kind), tokenizer.from_pretrained(BODIES / kind)


def train_epoch(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Row],
    optimizer: torch.optim.Optimizer,
    wrong: str,
) -> float:
    """One epoch, right or wrong in one way; the gradient norm at the last step."""
    model.train(wrong != "never_train_mode")
    order = random.sample(range(len(rows)), len(rows))
    if wrong == "sorted_by_label":
        order = sorted(order, key=lambda i: rows[i].label)
    norm = 0.0
    for first in range(0, len(order), 8):
        batch = [rows[i] for i in order[first : first + 8]]
        inputs = tokenizer([row.text for row in batch], padding=True, truncation=True, return_tensors="pt")
        labels = torch.tensor([row.label for row in batch])
        if wrong == "labels_shifted":
            labels = (labels + 1) % 4
        if wrong == "labels_random":
            labels = torch.randint(0, 4, labels.shape)
        if wrong == "no_attention_mask":
            del inputs["attention_mask"]
        logits = model(**inputs).logits
        loss = F.cross_entropy(logits.softmax(-1) if wrong == "softmax_before_loss" else logits, labels)
        if wrong != "no_zero_grad":
            optimizer.zero_grad()
        if wrong != "no_backward":
            loss.backward()
        if wrong == "zero_grad_before_step":
            optimizer.zero_grad()
        norm = sum(float((p.grad**2).sum()) for p in model.parameters() if p.grad is not None) ** 0.5
        if wrong != "no_step":
            optimizer.step()
    return norm


def moved(model: PreTrainedModel, before: dict[str, torch.Tensor], head: bool) -> float:
    """|after - before| / |before| over the weights of the head, or of all the rest."""
    names = [name for name in before if ("classifier" in name) == head]
    after = model.state_dict()
    difference = sum(float(((after[name] - before[name]) ** 2).sum()) for name in names)
    return (difference / sum(float((before[name] ** 2).sum()) for name in names)) ** 0.5


def run(kind: str, rows: Sequence[Row], seed: int, wrong: str = "") -> str:
    """Train and evaluate once; one line for the table."""
    model, tokenizer = load(kind)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(seed)
    random.seed(seed)
    rates = {"lr_0": 0.0, "lr_5e-2": 5e-2, "lr_5e-3": 5e-3}
    trained = [p for name, p in model.named_parameters() if wrong != "head_only" or "classifier" in name]
    optimizer = torch.optim.AdamW(trained, lr=rates.get(wrong, 5e-5))
    start, reached, norm = time.process_time(), [], 0.0
    for _ in range(3):
        norm = train_epoch(model, tokenizer, rows, optimizer, wrong)
        reached.append(accuracy(model, tokenizer, read("test.jsonl")))
    seconds = time.process_time() - start
    unseen = [
        accuracy(model, tokenizer, read(name, hidden=True)) for name in ("heldout.jsonl", "four_more.jsonl")
    ]
    return (
        f"{kind:10} {len(rows):5} {wrong or 'right':22} seed {seed}  "
        + " ".join(f"{value:.3f}" for value in reached)
        + "  unseen "
        + " ".join(f"{value:.3f}" for value in unseen)
        + f"  gradient {norm:6.2f}  moved head {moved(model, before, True):.3f}"
        + f" body {moved(model, before, False):.4f}  {seconds:.1f} s"
    )


def main(arguments: Sequence[str]) -> None:
    """Print the table that was asked for."""
    prepare()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    train = read("train.jsonl")
    for kind in KINDS:
        print(f"{kind}: accuracy before training {accuracy(*load(kind), read('test.jsonl')):.3f}")
        if not arguments or "all" in arguments:
            for rows, seeds in ((train[:256], range(5)), (train, range(2))):
                print("\n".join(run(kind, rows, seed) for seed in seeds), flush=True)
        for wrong in WRONG if "all" in arguments else arguments:
            print("\n".join(run(kind, train[:256], seed, wrong) for seed in range(2)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
