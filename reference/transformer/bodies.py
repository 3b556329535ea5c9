"""The tiny pre-trained bodies in the judge: a model of our own with somebody's weights, and what it answers.

What a fine-tuned model is worth is computed here, from weights that came back as plain tensors; nothing that the
training process says about itself is needed.

Importing this module imports transformers: the checks do so while they are collected, when the process for student code
is busy with the same import beside them.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

import torch
from torch import Tensor
from transformers import (
    DistilBertForSequenceClassification,
    DistilBertTokenizer,
    RobertaForSequenceClassification,
    RobertaTokenizer,
)
from transformers.utils.logging import disable_progress_bar

from grader.paths import data_root
from grader.worker.calls import Call
from reference.transformer.evaluation import pad
from reference.transformer.training_trace import GROUPS, group_of

LABELS = ("World", "Sports", "Business", "Sci/Tech")
"""AG News, by label number."""

Row: TypeAlias = dict[str, Any]
"""{"text": str, "label": int}"""

_BATCH = 64
_tokens: dict[tuple[str, str], list[int]] = {}
"""(body, text) -> its tokens; the texts are those of this assignment, a few hundred."""


class WeightsDoNotFit(ValueError):
    """The weights are not those of this model: another set of names, other shapes, or values that are not finite."""


@cache
def rows(path: str) -> tuple[Row, ...]:
    """The rows of a JSON Lines file below tests/transformer, for example "assets/news/train.jsonl"."""
    file = data_root() / "tests" / "transformer" / path
    return tuple(json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())


def sample(path: str, n: int, seed: int, shortest: int | None = None) -> list[Row]:
    """n rows (or as many as there are) in an order drawn from `seed`, as even over the labels as they come.

    shortest: only so many of each label, those with the shortest texts, are drawn from.
    """
    order = list(rows(path))
    random.Random(seed).shuffle(order)
    by_label = [[r for r in order if r["label"] == label] for label in range(len(LABELS))]
    if shortest is not None:
        limits = [sorted(len(r["text"]) for r in group)[:shortest][-1] for group in by_label]
        by_label = [
            [r for r in group if len(r["text"]) <= limit]
            for group, limit in zip(by_label, limits, strict=True)
        ]
    even = [row for group in zip(*by_label, strict=False) for row in group][:n]
    random.Random(seed + 1).shuffle(even)
    return even


def dataset_call(samples: Sequence[Row], keep: str) -> Call:
    """Makes `samples` a datasets.Dataset in the worker, kept there under the name `keep`."""
    return Call("harness:dataset", ([r["text"] for r in samples], [r["label"] for r in samples]), keep=keep)


@cache
def tokenizer(body: str) -> Any:
    """The tokenizer of "distilbert" or "roberta"."""
    kinds = {"distilbert": DistilBertTokenizer, "roberta": RobertaTokenizer}
    return kinds[body].from_pretrained(_folder(body))


def body(name: str) -> Any:
    """The tiny pre-trained model as it comes, one of our own, in eval mode."""
    return copy.deepcopy(_pristine(name))


@cache
def _pristine(name: str) -> Any:
    disable_progress_bar()  # loading 40 tensors is no event to report
    kinds = {"distilbert": DistilBertForSequenceClassification, "roberta": RobertaForSequenceClassification}
    return kinds[name].from_pretrained(_folder(name), num_labels=len(LABELS)).eval()


def moved(name: str, state: Mapping[str, Tensor]) -> dict[str, float]:
    """|after - before| / |before| over the weights of the embeddings, the encoder and the head."""
    change, size = dict.fromkeys(GROUPS, 0.0), dict.fromkeys(GROUPS, 0.0)
    for key, before in _pristine(name).state_dict().items():
        group = group_of(key)
        change[group] += float((state[key].double() - before.double()).square().sum())
        size[group] += float(before.double().square().sum())
    return {group: (change[group] / size[group]) ** 0.5 for group in GROUPS}


def with_weights(name: str, state: Mapping[str, Tensor]) -> Any:
    """A model of our own with `state` for weights, in eval mode. Raises WeightsDoNotFit."""
    model = body(name)
    own = model.state_dict()
    if own.keys() != state.keys() or any(own[key].shape != state[key].shape for key in own):
        raise WeightsDoNotFit(
            "the names or shapes of the weights are not those of the model that was handed over"
        )
    if not all(bool(value.isfinite().all()) for value in state.values()):
        raise WeightsDoNotFit("some weights are NaN or infinite")
    model.load_state_dict(dict(state))
    return model.eval()


def logits(body: str, model: Any, texts: Sequence[str]) -> Tensor:
    """(N, C): what the model answers to N texts, in the mode that it is in, without gradients.

    Texts of similar length share a batch, so that little of it is padding; the answers are in the order of `texts`.
    """
    ids = _ids(body, texts)
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    found: list[Tensor | None] = [None] * len(ids)
    with torch.no_grad():
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            answers = model(**pad([ids[i] for i in batch], tokenizer(body).pad_token_id)).logits  # (B, C)
            for i, answer in zip(batch, answers, strict=True):
                found[i] = answer
    return torch.stack([answer for answer in found if answer is not None])


def _ids(body: str, texts: Sequence[str]) -> list[list[int]]:
    """The tokens of each text; what was tokenised once is not tokenised again."""
    new = [text for text in dict.fromkeys(texts) if (body, text) not in _tokens]
    if new:
        for text, ids in zip(new, tokenizer(body)(new, truncation=True)["input_ids"], strict=True):
            _tokens[body, text] = ids
    return [_tokens[body, text] for text in texts]


def answers(body: str, model: Any, texts: Sequence[str]) -> list[int]:
    """The label number that the model gives to each text."""
    labels: list[int] = logits(body, model, texts).argmax(-1).tolist()
    return labels


def accuracy(body: str, model: Any, test: Sequence[Row]) -> Fraction:
    """The exact share k/n of `test` that the model answers with the right label."""
    given = answers(body, model, [row["text"] for row in test])
    return Fraction(sum(a == row["label"] for a, row in zip(given, test, strict=True)), len(test))


def _folder(body: str) -> str:
    return str(data_root() / "tests" / "transformer" / "assets" / "bodies" / body)
