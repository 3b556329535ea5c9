"""The texts of part 3: the bundled news corpus, or AG News where it has been fetched.

Source of AG News: Zhang, Zhao, LeCun, "Character-level Convolutional Networks for Text Classification", NIPS 2015,
arXiv:1509.01626. Its texts may not be redistributed, so the grader carries a corpus of its own; docs/datasheet.md
describes it, and `reference.transformer.assets` which rows of AG News are taken. All come in the same shape.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

from grader.errors import GraderError, UnknownName
from grader.paths import data_root
from reference.transformer import assets

LABELS = ("World", "Sports", "Business", "Sci/Tech")
"""The topics by label number, in the hub's order."""

N_TRAIN, N_TEST = 1024, 128
"""Sizes of the coursework's part of AG News."""

SOURCES = ("bundled", "ag_news")
Source = Literal["bundled", "ag_news"] | Path


class News(NamedTuple):
    """Two `datasets.Dataset` with the columns `text` (string) and `label` (a ClassLabel over LABELS)."""

    train: Any
    test: Any


def load_news(
    source: Source = "bundled", n_train: int = N_TRAIN, n_test: int = N_TEST, seed: int | None = 0
) -> News:
    """n_train and n_test rows (all where there are fewer), chosen and ordered by `seed`; None keeps the order.

    "bundled" reads the corpus that comes with the grader, "ag_news" the part of AG News that `grade assets fetch`
    brought, a path the files train.jsonl and test.jsonl there; none of them needs a network. Raises GraderError where
    the rows are not there, and UnknownName for another source.
    """
    folder = folder_of(source)
    return News(
        *(
            _choose(_dataset(folder / f"{split}.jsonl"), count, seed)
            for split, count in (("train", n_train), ("test", n_test))
        )
    )


def folder_of(source: Source) -> Path:
    """The folder with train.jsonl and test.jsonl; raises as load_news does."""
    if isinstance(source, Path):
        return source
    if source == "bundled":
        return data_root() / "tests" / "transformer" / "assets" / "news"
    if source != "ag_news":
        raise UnknownName("source of news", source, SOURCES)
    kept = assets.find("ag_news")
    if kept is None:
        raise GraderError(
            "AG News has not been fetched.",
            'Run `grade assets fetch ag_news` once, or use the bundled corpus (source="bundled").',
        )
    return kept.path


def _dataset(path: Path) -> Any:
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=list(LABELS))})
    return Dataset.from_list(assets.read_rows(path), features=features)


def _choose(rows: Any, count: int, seed: int | None) -> Any:
    # In memory: a cache file of the order would be written beside the data, and be in the way of read-only ones.
    order = rows if seed is None else rows.shuffle(seed=seed, keep_in_memory=True)
    return order.select(range(min(count, len(order))), keep_in_memory=True)
