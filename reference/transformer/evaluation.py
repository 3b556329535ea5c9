"""What a classifier answers to many texts, in as little time as the machine allows, in float32.

Texts are sorted by length before they are put into batches, so that hardly any position is padding, and a batch is
bounded by its padded tokens, so that it fits whatever the texts are. The answers come back in the order of the texts.

Letters:  N texts   B batch   S length of the longest text in the batch, in tokens   C number of classes
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

MAX_TOKENS = 512
"""Positions of DistilBERT and RoBERTa."""

BATCH_TOKENS = {"cpu": 512, "cuda": 16_384}
"""Padded tokens of one batch. A CPU is fastest while the activations stay in its cache, a GPU when it is full."""

SMALL = 10_000_000
"""Weights below which a model is small."""

Ids = list[int]
"""The tokens of one text, special ones included."""


@contextmanager
def one_device() -> Iterator[torch.device]:
    """The CPU, or a GPU that is this process's alone while it lasts: where all are taken, it waits for the first."""
    if not torch.cuda.is_available():
        yield torch.device("cpu")
        return
    with claimed(torch.cuda.device_count()) as number:
        yield torch.device("cuda", number)


@contextmanager
def claimed(count: int, folder: Path | None = None) -> Iterator[int]:
    """The number of one of `count` devices, held by a lock that ends with the process."""
    import fcntl  # not on Windows, where no GPU is claimed

    place = folder or Path(tempfile.gettempdir())
    files = [(place / f"grade-gpu-{os.getuid()}-{i}.lock").open("w") for i in range(count)]
    try:
        for number, file in enumerate(files):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield number
            return
        fcntl.flock(files[0], fcntl.LOCK_EX)
        yield 0
    finally:
        for file in files:
            file.close()


def described(device: torch.device) -> str:
    """The device in words, for a report."""
    if device.type != "cuda":
        return f"the CPU, {torch.get_num_threads()} thread{'s' if torch.get_num_threads() > 1 else ''}"
    return f"one GPU, {torch.cuda.get_device_name(device)}"


@contextmanager
def threads_for(model: Any) -> Iterator[None]:
    """One thread while a small model computes: more of them would mostly wait for each other."""
    before = torch.get_num_threads()
    if sum(p.numel() for p in model.parameters()) < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def limit_of(tokenizer: Any) -> int:
    """Tokens that a text is cut to; a tokenizer without a limit of its own says 10^30."""
    return int(min(tokenizer.model_max_length, MAX_TOKENS))


def encode(tokenizer: Any, texts: Sequence[str], most: int | None = None) -> list[Ids]:
    """The tokens of each text, cut to `most` (or what the tokenizer says), without padding."""
    if not texts:
        return []
    encoded = tokenizer(
        list(texts), truncation=True, max_length=most or limit_of(tokenizer), return_attention_mask=False
    )
    return [list(ids) for ids in encoded["input_ids"]]


def pad(rows: Sequence[Ids], pad_id: int, length: int | None = None) -> dict[str, Tensor]:
    """input_ids and attention_mask (B, S): to the longest row, or to `length`; the mask is 0 on padding."""
    lengths = torch.tensor([len(row) for row in rows])  # (B,)
    S = length or int(lengths.max())
    input_ids = torch.tensor([row + [pad_id] * (S - len(row)) for row in rows])  # (B, S)
    return {"input_ids": input_ids, "attention_mask": (torch.arange(S) < lengths[:, None]).long()}


def batches(lengths: Sequence[int], most_tokens: int) -> Iterator[list[int]]:
    """Indices of the texts in batches of similar length, the longest first: what does not fit fails at once."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    while order:
        size = max(1, most_tokens // max(lengths[order[0]], 1))
        yield order[:size]
        order = order[size:]


def logits_of(
    model: Any, rows: Sequence[Ids], pad_id: int, between: Callable[[], None] = lambda: None
) -> Tensor:
    """(N, C), float32, on the CPU: what `model` answers in eval mode, in which it is left.

    `between` is called before each batch; what it raises ends the evaluation.
    """
    model.eval()
    device = next(model.parameters()).device
    found: list[Tensor | None] = [None] * len(rows)
    with torch.inference_mode():
        for batch in batches([len(row) for row in rows], BATCH_TOKENS.get(device.type, BATCH_TOKENS["cpu"])):
            between()
            inputs = pad([rows[i] for i in batch], pad_id)
            answers = model(**{name: value.to(device) for name, value in inputs.items()}).logits  # (B, C)
            for i, answer in zip(batch, answers.float().cpu(), strict=True):
                found[i] = answer
    return torch.stack([answer for answer in found if answer is not None]) if rows else torch.empty(0, 0)


def logits(model: Any, tokenizer: Any, texts: Sequence[str], most: int | None = None) -> Tensor:
    """(N, C): the same for texts."""
    return logits_of(model, encode(tokenizer, texts, most), tokenizer.pad_token_id)
