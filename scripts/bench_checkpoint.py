"""CPU seconds to evaluate a DistilBERT-size checkpoint on 128 texts: the grader's way beside the plain loop.

    AG_NEWS_DIR=… python scripts/bench_checkpoint.py --tokenizer MODEL --runs 2
    python scripts/bench_checkpoint.py --smoke      a tiny model and the bundled corpus

A is the plain loop: from_pretrained, texts in their order, batches of 32 padded to their longest. B is what a check
does: header, config and tokenizer validated, weights read into place, texts sorted by length, batches bounded by
tokens. Both load the same files (66 million weights drawn at random; speed does not depend on them), in turn, on one
thread, in float32, and have to answer the same.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers.utils.logging import disable_progress_bar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from grader.intake import read_submission
from grader.intake.weights import open_weights
from reference.transformer import bodies
from reference.transformer.checkpoint_files import choose
from reference.transformer.checkpoints import TensorFile, load
from reference.transformer.evaluation import logits_of
from reference.transformer.finetune import LABELS
from scripts.bench_finetune import model_of, tokenizer_in


def test_texts(folder: str | None) -> list[str]:
    """The 128 test texts of the folder, or of the bundled corpus."""
    if folder is None:
        return [row["text"] for row in bodies.rows("assets/news/test.jsonl")]
    lines = (Path(folder) / "test.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def plain(folder: Path, texts: list[str]) -> torch.Tensor:
    """As most scripts do it."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    found = []
    with torch.no_grad():
        for i in range(0, len(texts), 32):
            batch = tokenizer(
                texts[i : i + 32], padding=True, truncation=True, max_length=512, return_tensors="pt"
            )
            found.append(model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits)
    return torch.cat(found)


def graders(hand_in: Path, texts: list[str]) -> torch.Tensor:
    """As the check does it."""
    submission = read_submission(hand_in)
    candidate = choose(submission, "distilbert").candidate
    assert candidate is not None
    with open_weights(submission, candidate.weights) as file:
        loaded = load(candidate, TensorFile(file), "distilbert")
    assert loaded.vocabulary is not None
    return logits_of(loaded.model, loaded.vocabulary.encode(texts, 512), loaded.model.config.pad_token_id)


def timed(work: Callable[[], torch.Tensor]) -> tuple[float, torch.Tensor]:
    """CPU seconds of this process, and what came out."""
    started = time.process_time()
    found = work()
    return time.process_time() - started, found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--tokenizer", help="folder of a BERT tokenizer; the bundled one splits texts finer")
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    disable_progress_bar()
    texts = test_texts(None if options.smoke else os.environ.get("AG_NEWS_DIR"))
    tokenizer = tokenizer_in(options.tokenizer)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "checkpoints" / "distilbert"
        _save(model_of(tokenizer, tiny=options.smoke), tokenizer, folder)
        size = (folder / "model.safetensors").stat().st_size
        cost: dict[str, list[float]] = {"plain": [], "grader": []}
        for _ in range(1 if options.smoke else options.runs):
            a, due = timed(lambda: plain(folder, texts))
            b, found = timed(lambda: graders(Path(place), texts))
            cost["plain"].append(a)
            cost["grader"].append(b)
        apart = float((due - found).abs().max())
    print(
        f"a checkpoint of {size / 1e6:,.0f} MB on {len(texts)} texts, one thread, float32, loading included"
    )
    for name, seconds in cost.items():
        print(f"  {name:7} {median(seconds):7.2f} CPU s ({min(seconds):.2f} to {max(seconds):.2f})")
    print(f"  plain / grader {sum(cost['plain']) / sum(cost['grader']):.2f}")
    print(f"  largest difference of a logit {apart:.1e}")
    print(
        f"  peak of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB, both ways in it"
    )


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    model.config.id2label = dict(enumerate(LABELS))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main()
