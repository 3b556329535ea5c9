"""Part 3: fine-tuning a pre-trained encoder to classify news, and using it.

Sources: Devlin et al., "BERT", NAACL 2019, arXiv:1810.04805, appendix A.3 (AdamW, 2e-5 to 5e-5, 2 to 4
epochs); Sanh et al., "DistilBERT", arXiv:1910.01108; Liu et al., "RoBERTa", arXiv:1907.11692; AG News:
Zhang et al., "Character-level Convolutional Networks for Text Classification", NIPS 2015, arXiv:1509.01626.

Letters:  B batch   S length of the longest text in the batch, in tokens   C number of classes

`train` and `test` are `datasets.Dataset` with the columns `text` (str) and `label` (int).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypedDict

import torch
from torch import Tensor

from reference.transformer.evaluation import encode, logits, pad

LABELS = ("World", "Sports", "Business", "Sci/Tech")
"""AG News, by label number."""

WINDOW = 32
"""Batches' worth of shuffled texts among which texts of similar length are put together."""


class Sample(TypedDict):
    """One text and its label."""

    text: str
    label: int


class Epoch(TypedDict):
    """What one pass over the training texts came to."""

    train_loss: float
    """Mean cross-entropy in nats over the training texts, each taken when its batch was trained on."""
    train_acc: float
    """Share of training texts that were classified right when their batch was trained on."""
    test_acc: float
    """Share of test texts classified right after the epoch."""
    seconds: float
    """Wall-clock time of training and test."""


# ---------------------------------------------------------------- 3a


def first_samples(train: Any, n: int = 3) -> list[Sample]:
    """Text and label of the first n training samples, in order; all of them where there are fewer."""
    return [
        {"text": row["text"], "label": int(row["label"])} for row in train.select(range(min(n, len(train))))
    ]


# ---------------------------------------------------------------- 3b and 3d


def finetune(
    model: Any,
    tokenizer: Any,
    train: Any,
    test: Any,
    *,
    epochs: int = 3,
    batch_size: int = 8,
    learning_rate: float = 5e-5,
    seed: int = 0,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    """Train all weights of `model` in place, on the device that it is on, and leave it in eval mode.

    The learning rate falls linearly to 0, as in BERT's own fine-tuning. One entry an epoch, in order; `on_epoch` gets
    each as soon as it is there.
    """
    torch.manual_seed(seed)  # dropout
    order = torch.Generator().manual_seed(seed)  # shuffling, apart, so that it does not depend on the model
    rows = encode(tokenizer, train["text"])  # once, not once an epoch
    labels = torch.tensor(list(train["label"]))
    optimizer = adamw(model, learning_rate)
    steps = epochs * -(-len(rows) // batch_size)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)  # ends at 0

    history: list[Epoch] = []
    for _ in range(epochs):
        start = time.perf_counter()
        shuffled = batches_of_similar_length([len(row) for row in rows], batch_size, order)
        batches = (
            {**pad([rows[i] for i in b], tokenizer.pad_token_id), "labels": labels[b]} for b in shuffled
        )
        train_loss, train_acc = train_epoch(model, batches, optimizer, schedule)
        test_acc = evaluate(model, tokenizer, test)
        epoch: Epoch = {
            "train_loss": train_loss,
            "train_acc": train_acc,
            "test_acc": test_acc,
            "seconds": time.perf_counter() - start,
        }
        on_epoch(epoch)
        history.append(epoch)
    return history


def batches_of_similar_length(
    lengths: Sequence[int], batch_size: int, generator: torch.Generator
) -> list[list[int]]:
    """Every index once, in shuffled batches; texts of one batch have about the same number of tokens.

    A batch is as long as its longest text. Random batches of 8 news texts are padded by half, these hardly at all. The
    texts are shuffled first and sorted only inside windows, so that batches differ from epoch to epoch.
    """
    order = torch.randperm(len(lengths), generator=generator).tolist()
    window = WINDOW * batch_size
    batches: list[list[int]] = []
    for start in range(0, len(order), window):
        alike = sorted(order[start : start + window], key=lambda i: lengths[i])
        batches += [alike[i : i + batch_size] for i in range(0, len(alike), batch_size)]
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


def adamw(model: Any, learning_rate: float) -> torch.optim.Optimizer:
    """AdamW over all weights, one kernel for the whole update where torch has one for the device."""
    fused = model.device.type in ("cpu", "cuda")
    return torch.optim.AdamW(model.parameters(), lr=learning_rate, fused=fused)


def train_epoch(
    model: Any,
    batches: Iterable[dict[str, Tensor]],
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
) -> tuple[float, float]:
    """One pass; mean loss and accuracy over its texts. `schedule` lowers the learning rate after each step."""
    model.train()  # from_pretrained gives eval mode: without this line dropout stays off
    device = model.device
    # Sums stay on the device: to read them after each batch would make a GPU wait for Python every time.
    loss_sum, right, seen = torch.zeros((), device=device), torch.zeros((), device=device), 0
    for batch in batches:
        batch = {name: value.to(device, non_blocking=True) for name, value in batch.items()}
        optimizer.zero_grad()
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
            output = model(**batch)  # loss (), logits (B, C)
        output.loss.backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()

        B = len(batch["labels"])
        loss_sum += output.loss.detach() * B  # the loss is a mean over B, and the last batch may be smaller
        right += (output.logits.argmax(dim=-1) == batch["labels"]).sum()
        seen += B
    return float(loss_sum) / seen, int(right) / seen


def predict_labels(model: Any, tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """The label number of each text, in eval mode and without gradients. Leaves the model in eval mode."""
    found: list[int] = logits(model, tokenizer, texts).argmax(dim=-1).tolist() if texts else []
    return found


def evaluate(model: Any, tokenizer: Any, dataset: Any) -> float:
    """Accuracy on the data set: a number of right answers over the number of texts, k/n."""
    labels = predict_labels(model, tokenizer, list(dataset["text"]))
    right = sum(1 for a, b in zip(labels, dataset["label"], strict=True) if a == b)
    return right / len(labels)


# ---------------------------------------------------------------- 3c


def predict(model: Any, tokenizer: Any, texts: Sequence[str]) -> list[str]:
    """The topic of each text, by name."""
    return [LABELS[label] for label in predict_labels(model, tokenizer, texts)]
