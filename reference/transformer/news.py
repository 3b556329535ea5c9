"""The texts of part 3: the bundled news corpus, or AG News itself where the machine has it.

Source of AG News: Zhang, Zhao, LeCun, "Character-level Convolutional Networks for Text Classification", NIPS 2015,
arXiv:1509.01626. Its texts may not be redistributed, so the grader carries a corpus of its own; docs/datasheet.md
describes it. Both come out of `load_news` in the same shape.

    python -m reference.transformer.news    download AG News and the two models once, for use without a network
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from grader.errors import GraderError, UnknownName
from grader.paths import data_root

LABELS = ("World", "Sports", "Business", "Sci/Tech")
"""The topics by label number, in the hub's order."""

N_TRAIN, N_TEST = 1024, 128
"""Sizes of the coursework's part of AG News."""

AG_NEWS = "fancyzhx/ag_news"
AG_NEWS_REVISION = "eb185aade064a813bc0b7f42de02595523103ca4"

MODEL_REVISIONS = {
    "distilbert-base-uncased": "12040accade4e8a0f71eabdb258fecc2e7e948be",
    "roberta-base": "e2da8e2f811d1448a5b465c236feacd80ffbac7b",
}
"""The commit of each model on the hub that a run without a pin got when this was written."""

Source = Literal["bundled", "hub"]
T = TypeVar("T")


class News(NamedTuple):
    """Two `datasets.Dataset` with the columns `text` (string) and `label` (a ClassLabel over LABELS)."""

    train: Any
    test: Any


def load_news(
    source: Source = "bundled", n_train: int = N_TRAIN, n_test: int = N_TEST, seed: int = 0
) -> News:
    """n_train and n_test rows (all where there are fewer), chosen and ordered by `seed`.

    "bundled" reads the corpus that comes with the grader and needs neither network nor cache. "hub" takes AG News
    from the local cache or downloads it. Raises GraderError at once where neither is possible, and UnknownName for
    another source.
    """
    readers: dict[str, Callable[[], News]] = {"bundled": _bundled, "hub": _hub}
    if source not in readers:
        raise UnknownName("source of news", source, readers)
    train, test = readers[source]()
    return News(_choose(train, n_train, seed), _choose(test, n_test, seed))


def prefetch() -> dict[str, Path]:
    """Download AG News and both models into the Hugging Face cache; return the folder of each model.

    About 800 MB the first time. Afterwards `HF_HUB_OFFLINE=1` works, also for code that names no revision.
    Raises GraderError without a network.
    """
    _require_network()
    _hub()
    return {name: _prefetch_model(name, revision) for name, revision in MODEL_REVISIONS.items()}


def _prefetch_model(name: str, revision: str) -> Path:
    from huggingface_hub import snapshot_download

    wanted = ["config.json", "model.safetensors", "tokenizer*.json", "vocab.*", "merges.txt"]
    # Students write no revision. A download by commit alone leaves no note in the cache of what "main" is, and
    # such code would find nothing without a network; files that both commits have are stored once.
    _fetched(lambda: snapshot_download(name, allow_patterns=wanted))
    return Path(_fetched(lambda: snapshot_download(name, revision=revision, allow_patterns=wanted)))


# ---------------------------------------------------------------- where the rows come from


def _bundled() -> News:
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=list(LABELS))})
    folder = data_root() / "tests" / "transformer" / "assets" / "news"

    def read(name: str) -> Any:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        return Dataset.from_list([json.loads(line) for line in lines], features=features)

    return News(read("train.jsonl"), read("test.jsonl"))


def _hub() -> News:
    if not _told_to_stay_offline():
        _require_network()
    from datasets import load_dataset

    both = _fetched(lambda: load_dataset(AG_NEWS, revision=AG_NEWS_REVISION))
    return News(both["train"], both["test"])


def _choose(rows: Any, count: int, seed: int) -> Any:
    # In memory: a cache file of the order would be written beside the data, and be in the way of read-only ones.
    order = rows.shuffle(seed=seed, keep_in_memory=True)
    return order.select(range(min(count, len(order))), keep_in_memory=True)


# ---------------------------------------------------------------- the network, or rather its absence


def _told_to_stay_offline() -> bool:
    # Read when huggingface_hub is imported; changing the environment later has no effect on it either.
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def _require_network() -> None:
    """Ask the hub one question: without this, each file is tried for half a minute before anything is said."""
    from huggingface_hub import HfApi

    _fetched(lambda: HfApi().dataset_info(AG_NEWS, revision=AG_NEWS_REVISION, timeout=10))


def _fetched(call: Callable[[], T]) -> T:
    try:
        return call()
    except Exception as error:  # the libraries below raise unrelated classes for one and the same thing
        cause = str(error).strip().splitlines() or [type(error).__name__]
        raise GraderError(
            f"AG News or its models cannot be had from the Hugging Face hub ({cause[0]}).",
            "Run `python -m reference.transformer.news` once with a network and then set HF_HUB_OFFLINE=1, "
            'or use the bundled corpus (source="bundled").',
        ) from error


if __name__ == "__main__":
    try:
        for fetched, folder in prefetch().items():
            print(f"{fetched}: {folder}")
    except GraderError as error:
        raise SystemExit(str(error)) from None
