"""The coursework's data set and models under the names that students write, inside the worker.

A script or notebook loads `ag_news` and `distilbert-base-uncased` by itself. Here, where there is no network, these
names lead to the bundled news and the tiny bodies: splits as long as the real ones, calls for a GPU answered by the
CPU, and a budget of steps, so that a script ends within seconds. Nothing is left for the next submission.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

MODELS = {
    "distilbert-base-uncased": "distilbert",
    "distilbert/distilbert-base-uncased": "distilbert",
    "roberta-base": "roberta",
    "FacebookAI/roberta-base": "roberta",
}
"""Name on the hub -> the tiny body that stands in for it."""
DATASETS = frozenset({"ag_news", "fancyzhx/ag_news", "wangrongsheng/ag_news"})
LENGTHS = {"train": 120_000, "test": 7_600}
"""Of the real splits."""
TOPICS = ["World", "Sports", "Business", "Sci/Tech"]
LONGEST = 128
"""Tokens that `padding="max_length"` pads to. With 512, right code would take minutes."""
NO_DROPOUT_OF_SCORES = {
    "distilbert": {"attention_dropout": 0.0},
    "roberta": {"attention_probs_dropout_prob": 0.0},
}
"""Dropout of the attention weights takes a third of a training step of these bodies and teaches them nothing that the
other dropout does not."""

notes: list[str] = []
"""What was answered in another way than on a student's machine, a sentence each."""

news: dict[str, list[dict[str, Any]]] = {}
"""Split -> its rows, {"text": str, "label": int}."""


def note(sentence: str) -> None:
    """Once."""
    if sentence not in notes:
        notes.append(sentence)


# ---------------------------------------------------------------- the news


def split(rows: Sequence[Mapping[str, Any]], length: int) -> Any:
    """A data set of `length` rows in which `rows` come again and again: any run of len(rows) has each once.

    What is done with all of it (map, filter, shuffle) is done with `rows`, and is as fast.
    """
    import datasets
    import numpy as np

    class Split(datasets.Dataset):
        """One split; `own` is the part that is repeated."""

        own: Any

        def _like(self, own: Any) -> Any:
            """`own` repeated as often as the rows were."""
            count = len(self) * len(own) // max(1, len(self.own))
            if not len(own):
                return own
            return _as_split(own, count)

        def map(self, function: Any = None, with_indices: bool = False, **settings: Any) -> Any:
            if with_indices:
                return super().map(function, with_indices=True, **settings)
            return self._like(self.own.map(function, **settings))

        def filter(self, function: Any = None, with_indices: bool = False, **settings: Any) -> Any:
            if with_indices:
                return super().filter(function, with_indices=True, **settings)
            return self._like(self.own.filter(function, **settings))

        def shuffle(self, seed: Any = None, generator: Any = None, **settings: Any) -> Any:
            return self._like(self.own.shuffle(seed=seed, generator=generator, keep_in_memory=True))

    def on_own(name: str) -> Any:
        original = getattr(datasets.Dataset, name)

        @functools.wraps(original)
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            return self._like(original(self.own, *args, **kwargs))

        return method

    for name in (
        "rename_column",
        "rename_columns",
        "remove_columns",
        "select_columns",
        "with_format",
        "cast_column",
    ):
        setattr(Split, name, on_own(name))
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=TOPICS)}
    )
    columns = {key: [row[key] for row in rows] for key in ("text", "label")}

    def _as_split(own: Any, count: int) -> Any:
        repeated = own.select(np.resize(np.arange(len(own)), count))
        repeated.__class__ = Split
        repeated.own = own
        return repeated

    return _as_split(datasets.Dataset.from_dict(columns, features=features), length)


def name_news(assets: str) -> None:
    """Let load_dataset find the news under its names: `news` where that was filled, else the bundled rows."""
    import datasets

    original = datasets.load_dataset

    def splits() -> dict[str, Any]:
        for name in () if news else LENGTHS:
            lines = (Path(assets) / "news" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
            news[name] = [json.loads(line) for line in lines]
        return {name: split(news[name], length) for name, length in LENGTHS.items()}

    @functools.wraps(original)
    def load_dataset(
        path: str, *args: Any, split: Any = None, streaming: bool = False, **settings: Any
    ) -> Any:
        if path in DATASETS:
            found = datasets.DatasetDict(splits()) if split is None else _part(splits(), split)
            return found.to_iterable_dataset() if streaming and split is not None else found
        if Path(path).exists() or "data_files" in settings or "data_dir" in settings:
            return original(path, *args, split=split, streaming=streaming, **settings)
        raise ConnectionError(f"Couldn't reach {path!r} on the Hub: here ag_news alone can be loaded.")

    datasets.load_dataset = datasets.load.load_dataset = load_dataset


def _part(splits: Mapping[str, Any], wanted: Any) -> Any:
    """What `split=` of load_dataset asks for: "train", "train[:1024]", a ReadInstruction, or a list of these."""
    import datasets
    from datasets.arrow_reader import ReadInstruction

    if isinstance(wanted, (list, tuple)):
        return [_part(splits, one) for one in wanted]
    asked = wanted if isinstance(wanted, ReadInstruction) else ReadInstruction.from_spec(str(wanted))
    found = []
    for one in asked.to_absolute({name: len(rows) for name, rows in splits.items()}):
        whole = splits[one.splitname]
        first, last = one.from_ or 0, len(whole) if one.to is None else one.to
        found.append(whole if (first, last) == (0, len(whole)) else whole.select(range(first, last)))
    return found[0] if len(found) == 1 else datasets.concatenate_datasets(found)


def give_columns_as_lists() -> None:
    """A column of a data set is a list, as it was before datasets 4.0: tokenizers take no other."""
    import datasets

    original = datasets.Dataset.__getitem__

    @functools.wraps(original)
    def getitem(self: Any, key: Any) -> Any:
        found = original(self, key)
        return found[:] if isinstance(key, str) else found

    datasets.Dataset.__getitem__ = getitem


# ---------------------------------------------------------------- the models


def name_models(assets: str) -> None:
    """Let from_pretrained find the tiny bodies under the names of the real models."""
    import transformers
    from transformers.models.auto.auto_factory import _BaseAutoModelClass

    def models(kind: type, body: str, settings: dict[str, Any]) -> None:
        if settings.get("config") is not None:
            return  # made before, with all this
        for key, value in NO_DROPOUT_OF_SCORES[body].items():
            settings.setdefault(key, value)
        if "SequenceClassification" in kind.__name__ and "num_labels" not in settings:
            settings.update(
                num_labels=2, ignore_mismatched_sizes=True
            )  # as the real ones, which know no topics

    for cls, prepare in (
        (_BaseAutoModelClass, models),
        (transformers.PreTrainedModel, models),
        (transformers.AutoConfig, None),
        (transformers.PretrainedConfig, None),
        (transformers.AutoTokenizer, None),
        (transformers.PreTrainedTokenizerBase, None),
    ):
        cls.from_pretrained = classmethod(_found(cls.from_pretrained.__func__, assets, prepare))


def _found(original: Any, assets: str, prepare: Callable[[type, str, dict[str, Any]], None] | None) -> Any:
    @functools.wraps(original)
    def from_pretrained(cls: type, name: Any = None, *args: Any, **settings: Any) -> Any:
        name = settings.pop("pretrained_model_name_or_path", name)
        body = None if Path(str(name)).is_dir() else MODELS.get(str(name).rstrip("/"))
        if body is None:
            return original(cls, name, *args, **settings)
        settings.pop("revision", None)
        if prepare is not None:
            prepare(cls, body, settings)
        found = original(cls, f"{assets}/bodies/{body}", *args, **settings)
        if hasattr(found, "model_max_length"):
            found.model_max_length = LONGEST
        return found

    return from_pretrained


# ---------------------------------------------------------------- calls for a GPU


def _here(device: Any) -> Any:
    """The CPU for any device that is not there."""
    name = device.type if isinstance(device, torch.device) else device
    if isinstance(name, str) and name.split(":")[0] in ("cuda", "mps", "xpu"):
        note(f"There is no {name.split(':')[0]} device here: the CPU took its place.")
        return torch.device("cpu")
    return device


def _on_the_cpu(function: Any) -> Any:
    """`function`, with devices among its arguments replaced."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(a, (str, torch.device)) for a in args):
            args = tuple(_here(a) if isinstance(a, (str, torch.device)) else a for a in args)
        if kwargs.get("device") is not None:
            kwargs["device"] = _here(kwargs["device"])
        return function(*args, **kwargs)

    wrapped.on_the_cpu = True  # type: ignore[attr-defined]
    return wrapped


def answer_gpu_calls() -> None:
    """Let `.to("cuda")`, `.cuda()`, `device="cuda"` and the like have the CPU's effect."""
    for owner, names in (
        (torch.Tensor, ("to",)),
        (nn.Module, ("to",)),
        (
            torch,
            ("tensor", "as_tensor", "zeros", "ones", "full", "empty", "arange", "rand", "randn", "randint"),
        ),
        (
            torch,
            (
                "zeros_like",
                "ones_like",
                "full_like",
                "rand_like",
                "randn_like",
                "randperm",
                "set_default_device",
            ),
        ),
    ):
        for name in names:
            if not hasattr(getattr(owner, name), "on_the_cpu"):
                setattr(owner, name, _on_the_cpu(getattr(owner, name)))
    for owner in (torch.Tensor, nn.Module):
        owner.cuda = lambda self, *args, **kwargs: self.to("cuda")
    torch.cuda.synchronize = lambda *args, **kwargs: None
