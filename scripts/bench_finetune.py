"""CPU seconds of one training step: the reference's loop beside the plain one, on the same batches of the same texts.

    AG_NEWS_DIR=… python scripts/bench_finetune.py --tokenizer MODEL     20 steps of each, in turn
    python scripts/bench_finetune.py --smoke                             a tiny model, the bundled corpus, 3 steps

A is the plain loop: each batch is tokenised when its turn comes and padded to 128 tokens, AdamW as it comes, loss and
accuracy read after each step. B is reference/transformer/finetune.py. Both start from the same weights of a
DistilBERT-size model made from its config, get the same rows in the same batches, and run without dropout, so that
their losses have to agree; speed does not depend on the weights. They take turns step by step on one thread.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from reference.transformer import bodies, finetune
from reference.transformer.evaluation import encode, pad

PADDED = 128


def news(folder: str | None) -> list[dict[str, Any]]:
    """The training rows of the folder, or of the bundled corpus."""
    if folder is None:
        return list(bodies.rows("assets/news/train.jsonl"))
    lines = (Path(folder) / "train.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def model_of(tokenizer: Any, *, tiny: bool) -> Any:
    """DistilBERT's size (66 million weights), drawn at random, without dropout."""
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    size = {"dim": 32, "n_layers": 1, "n_heads": 2, "hidden_dim": 64} if tiny else {}
    off = {"dropout": 0.0, "attention_dropout": 0.0, "seq_classif_dropout": 0.0}
    torch.manual_seed(0)
    vocabulary = len(tokenizer) if tiny else max(len(tokenizer), 30_522)
    return DistilBertForSequenceClassification(
        DistilBertConfig(num_labels=4, vocab_size=vocabulary, **size, **off)
    )


class Plain:
    """One step of the plain loop."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = model.train(), tokenizer
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)

    def step(self, rows: list[dict[str, Any]]) -> float:
        batch = self.tokenizer(
            [row["text"] for row in rows],
            padding="max_length",
            truncation=True,
            max_length=PADDED,
            return_tensors="pt",
        )
        labels = torch.tensor([row["label"] for row in rows])
        self.optimizer.zero_grad()
        output = self.model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels
        )
        output.loss.backward()
        self.optimizer.step()
        (output.logits.argmax(-1) == labels).sum().item()
        return float(output.loss.item())


class Reference:
    """One step of the reference's loop; the tokens were made beforehand, and that is timed too."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.optimizer = finetune.adamw(model, 5e-5)

    def step(self, tokens: list[list[int]], labels: torch.Tensor) -> float:
        batch = {**pad(tokens, self.tokenizer.pad_token_id), "labels": labels}
        return finetune.train_epoch(self.model, [batch], self.optimizer)[0]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--tokenizer", help="folder of a BERT tokenizer; the bundled one splits texts finer")
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = tokenizer_in(options.tokenizer)
    rows = news(None if options.smoke else os.environ.get("AG_NEWS_DIR"))
    steps = 3 if options.smoke else options.steps

    started = time.process_time()
    tokens = encode(tokenizer, [row["text"] for row in rows], PADDED)
    shuffled = finetune.batches_of_similar_length(
        [len(t) for t in tokens], 8, torch.Generator().manual_seed(0)
    )
    host = (time.process_time() - started) * steps / len(shuffled)  # the share of these steps
    model = model_of(tokenizer, tiny=options.smoke)
    plain, own = Plain(copy.deepcopy(model), tokenizer), Reference(model, tokenizer)
    cost: dict[str, list[float]] = {"plain": [], "reference": []}
    apart, longest = 0.0, 0
    for batch in shuffled[:steps]:
        losses = []
        for name in cost:
            before = time.process_time()
            if name == "plain":
                losses.append(plain.step([rows[i] for i in batch]))
            else:
                labels = torch.tensor([rows[i]["label"] for i in batch])
                losses.append(own.step([tokens[i] for i in batch], labels))
            cost[name].append(time.process_time() - before)
        apart = max(apart, abs(losses[0] - losses[1]))
        longest += max(len(tokens[i]) for i in batch)
    cost["reference"] = [seconds + host / steps for seconds in cost["reference"]]
    print(
        f"{sum(p.numel() for p in model.parameters()):,} weights, {steps} steps of 8 texts, one thread, float32"
    )
    print(f"positions a text: plain {PADDED}, reference {longest / steps:.1f} on average")
    for name, seconds in cost.items():
        spread = f"median {median(seconds):.3f}, {min(seconds):.3f} to {max(seconds):.3f}"
        print(f"  {name:10} {sum(seconds) / steps:8.3f} CPU s a step ({spread})")
    print(f"  plain / reference {sum(cost['plain']) / sum(cost['reference']):.2f}")
    print(f"  largest difference of a loss {apart:.1e}")


def tokenizer_in(folder: str | None) -> Any:
    """The tokenizer of a folder, or the bundled one."""
    if folder is None:
        return bodies.tokenizer("distilbert")
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


if __name__ == "__main__":
    main()
