"""Pre-train the two tiny bodies that the offline checks of parts 3b and 3d fine-tune.

    python -m scripts.make_bodies            write tests/transformer/assets/bodies/ (under two CPU minutes)
    python -m scripts.make_bodies --check    write nothing; exit code 1 if a file does not match MANIFEST.json

A model with random weights learns nothing in 3 epochs at learning rate 5e-5. So a DistilBERT and a RoBERTa of two
layers learn the four topics on other texts of the corpus's grammar; then the classification head is drawn anew,
and the model is back at chance, as a real pre-trained one is before fine-tuning.
One thread and fixed seeds: the same bytes again on the same kind of CPU with the same torch.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import Tensor, nn
from transformers import (
    DistilBertConfig,
    DistilBertForSequenceClassification,
    DistilBertTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    RobertaConfig,
    RobertaForSequenceClassification,
    RobertaTokenizer,
)

from scripts.make_corpus import LABELS, ROOT, Row, pretraining_rows

BODIES = ROOT / "tests" / "transformer" / "assets" / "bodies"
MANIFEST = BODIES / "MANIFEST.json"
KINDS = ("distilbert", "roberta")

VOCABULARY = 1280
WIDTH, LAYERS, HEADS, HIDDEN = 64, 2, 4, 128
# As the real models: a student may pad to 512.
POSITIONS = 512

ROWS_A_TOPIC = 1500
EPOCHS = 4
BATCH = 32
LEARNING_RATE = 2e-3
# Share of tokens hidden behind the mask token, so that the body does not lean on single words.
MASKED = 0.15
SEED = 11
# A random head on a good body can be right by luck; heads are drawn until one is this near to chance (0.25).
START_AT_MOST = 0.3


def prepare() -> None:
    """One thread and deterministic kernels: the sums come out in the same order every time."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


# ---------------------------------------------------------------- tokenizers


def wordpiece(texts: Sequence[str]) -> DistilBertTokenizer:
    """A lower-casing WordPiece tokenizer trained on `texts`."""
    raw = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    raw.normalizer = normalizers.BertNormalizer(lowercase=True)
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    characters = sorted({c for text in texts for c in raw.normalizer.normalize_str(text) if not c.isspace()})
    # The trainer numbers characters as it meets them in a hash map, and breaks ties between merges by number: only
    # with the characters listed beforehand does it find the same vocabulary twice.
    first = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *(f"##{c}" for c in characters)]
    raw.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=first, show_progress=False)
    )
    return DistilBertTokenizer(vocab=_by_id(raw.get_vocab()), model_max_length=POSITIONS)


def byte_level_bpe(texts: Sequence[str]) -> RobertaTokenizer:
    """A byte-level BPE tokenizer trained on `texts`, with the special ids of RoBERTa (pad is 1)."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    merges = [tuple(pair) for pair in json.loads(raw.to_str())["model"]["merges"]]
    return RobertaTokenizer(vocab=_by_id(raw.get_vocab()), merges=merges, model_max_length=POSITIONS)


def _by_id(vocabulary: dict[str, int]) -> dict[str, int]:
    return dict(sorted(vocabulary.items(), key=lambda item: item[1]))


# ---------------------------------------------------------------- models


def build(kind: str, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """A tiny model with random weights; dropout, activation and head are those of the real one."""
    common = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "id2label": dict(enumerate(LABELS)),
        "label2id": {name: i for i, name in enumerate(LABELS)},
    }
    if kind == "distilbert":
        return DistilBertForSequenceClassification(
            DistilBertConfig(
                dim=WIDTH,
                n_layers=LAYERS,
                n_heads=HEADS,
                hidden_dim=HIDDEN,
                max_position_embeddings=POSITIONS,
                **common,
            )
        )
    return RobertaForSequenceClassification(
        RobertaConfig(
            hidden_size=WIDTH,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            intermediate_size=HIDDEN,
            # RoBERTa counts positions from pad_token_id + 1.
            max_position_embeddings=POSITIONS + 2,
            type_vocab_size=1,
            layer_norm_eps=1e-5,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            **common,
        )
    )


def pretrain(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Row],
    *,
    epochs: int = EPOCHS,
    seed: int = SEED,
) -> list[float]:
    """Train in place on `rows` with a triangular learning rate; return the loss of every step."""
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    steps = epochs * (len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.1, anneal_strategy="linear"
    )
    losses: list[float] = []
    model.train()
    for _ in range(epochs):
        order = torch.randperm(len(rows)).tolist()
        for first in range(0, len(rows) - BATCH + 1, BATCH):
            batch = [rows[i] for i in order[first : first + BATCH]]
            inputs = tokenizer([row.text for row in batch], padding=True, return_tensors="pt")
            inputs["input_ids"] = _masked(inputs["input_ids"], tokenizer)
            loss = F.cross_entropy(model(**inputs).logits, torch.tensor([row.label for row in batch]))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
    return losses


def _masked(ids: Tensor, tokenizer: PreTrainedTokenizerBase) -> Tensor:
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    hide = (torch.rand(ids.shape) < MASKED) & ~special
    return ids.masked_fill(hide, tokenizer.mask_token_id)


def new_head(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Row]) -> None:
    """Draw the classification head anew, as `from_pretrained` does for a real body, until it is at chance."""
    heads = [module for name, module in model.named_children() if "classifier" in name]
    layers = [part for head in heads for part in head.modules() if isinstance(part, nn.Linear)]
    torch.manual_seed(SEED)
    while True:
        for layer in layers:
            nn.init.normal_(layer.weight, std=model.config.initializer_range)
            nn.init.zeros_(layer.bias)
        if accuracy(model, tokenizer, rows) <= START_AT_MOST:
            return


@torch.no_grad()
def accuracy(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Row]) -> float:
    """Share of `rows` that the model gets right, in eval mode, which it is left in."""
    model.eval()
    right = 0
    for first in range(0, len(rows), BATCH):
        batch = rows[first : first + BATCH]
        inputs = tokenizer([row.text for row in batch], padding=True, truncation=True, return_tensors="pt")
        right += int((model(**inputs).logits.argmax(-1) == torch.tensor([row.label for row in batch])).sum())
    return right / len(rows)


# ---------------------------------------------------------------- files


def make(kind: str, folder: Path, *, rows_a_topic: int = ROWS_A_TOPIC, epochs: int = EPOCHS) -> list[float]:
    """Train one body and save model and tokenizer in `folder`; return the losses."""
    rows = pretraining_rows(rows_a_topic)
    texts = [row.text for row in rows]
    tokenizer = wordpiece(texts) if kind == "distilbert" else byte_level_bpe(texts)
    torch.manual_seed(SEED)
    model = build(kind, tokenizer)
    losses = pretrain(model, tokenizer, rows, epochs=epochs)
    new_head(model, tokenizer, rows[:256])
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _save_plain_vocabulary(tokenizer, folder)
    for path in folder.iterdir():
        # safetensors writes 0600, and the sealed worker may run as another user.
        path.chmod(0o644)
    return losses


def _save_plain_vocabulary(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """The files that transformers before 5 reads: vocab.txt, or vocab.json and merges.txt."""
    vocabulary = _by_id(tokenizer.get_vocab())
    if isinstance(tokenizer, DistilBertTokenizer):
        (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
        return
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    merges = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["merges"]
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def hashes() -> dict[str, str]:
    """SHA-256 of every file of the bodies, by path below BODIES."""
    paths = sorted(path for kind in KINDS for path in (BODIES / kind).iterdir())
    return {
        path.relative_to(BODIES).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a command; the exit code is 0 unless --check finds a difference."""
    parser = argparse.ArgumentParser(description="Pre-train the two tiny bodies.")
    parser.add_argument("--check", action="store_true", help="compare with the manifest, write nothing")
    if parser.parse_args(arguments).check:
        wanted = json.loads(MANIFEST.read_text(encoding="utf-8"))["sha256"]
        differing = sorted({path for path, _ in wanted.items() ^ hashes().items()})
        print("\n".join(f"differs: {path}" for path in differing) or "all files match the manifest")
        return 1 if differing else 0
    prepare()
    for kind in KINDS:
        (BODIES / kind).mkdir(parents=True, exist_ok=True)
        losses = make(kind, BODIES / kind)
        print(f"{kind}: {len(losses)} steps, loss {losses[0]:.3f} -> {sum(losses[-50:]) / 50:.3f}")
    manifest = {"torch": torch.__version__, "sha256": hashes()}
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
