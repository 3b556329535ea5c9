"""What the real run of part 3 needs and this package must not carry: a part of AG News, and the two models.

    ag_news                   1,024 + 128 texts, the rows that the starter kit selects, and 256 more held out
    distilbert-base-uncased   the model of 3b
    roberta-base              the model of 3d

The selection is the starter kit's: `load_dataset("fancyzhx/ag_news")[split].shuffle(seed=0).select(range(n))`. Its row
numbers are pinned by their SHA-256, so another version of NumPy cannot change it unnoticed. The held-out texts are the
256 rows of the published test set that follow the 128 in the same order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from grader import assets
from grader.assets import Asset, AssetError, Kept

AG_NEWS = "fancyzhx/ag_news"
SIZES = {"train": 1024, "test": 128}
HELD_OUT = 256
PUBLISHED = {"train": 120_000, "test": 7_600}
"""Rows of the published data set."""
ROW_NUMBERS = {
    "train": "7b9b5fcd3d52af9cf9707b1770193a430dbe810eccfa98afac855e98d1c8900e",
    "test": "6bfb52535afaa4fe2ba6871becb6f54364e3ebd0c44907b3550d949a56691fda",
}
"""SHA-256 of the selected row numbers of each split, in order, with commas between them."""


def selected(split: str, count: int) -> list[int]:
    """The first `count` row numbers of a published split as `shuffle(seed=0)` of a datasets.Dataset orders them.

    Raises AssetError where this NumPy orders them in another way.
    """
    import numpy as np

    order = np.random.default_rng(0).permutation(PUBLISHED[split])
    pinned = ",".join(str(i) for i in order[: SIZES[split]])
    if hashlib.sha256(pinned.encode()).hexdigest() != ROW_NUMBERS[split]:
        raise AssetError(
            f"NumPy {np.__version__} shuffles in another order than the one that is pinned.",
            "Install NumPy 1.26 or 2 and fetch again.",
        )
    return [int(i) for i in order[:count]]


def _select_rows(raw: Path, ready: Path) -> None:
    """The published parquet files -> train.jsonl, test.jsonl and heldout.jsonl."""
    for split, size in SIZES.items():
        more = HELD_OUT if split == "test" else 0
        rows = _rows_of(sorted(raw.glob(f"data/{split}-*.parquet")), split, selected(split, size + more))
        _write_rows(ready / f"{split}.jsonl", rows[:size])
        if more:
            _write_rows(ready / "heldout.jsonl", rows[size:])


def _rows_of(files: Sequence[Path], split: str, numbers: Sequence[int]) -> list[dict[str, Any]]:
    import pyarrow as arrow  # type: ignore[import-untyped]
    from pyarrow.parquet import read_table  # type: ignore[import-untyped]

    table = arrow.concat_tables([read_table(file, columns=["text", "label"]) for file in files])
    if len(table) != PUBLISHED[split]:
        raise AssetError(
            f"The {split} set of {AG_NEWS} has {len(table):,} rows, and {PUBLISHED[split]:,} are published."
        )
    found: list[dict[str, Any]] = table.take(list(numbers)).to_pylist()
    return found


def _write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    lines = (json.dumps({"text": row["text"], "label": row["label"]}) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of one JSON Lines file, {"text": str, "label": 0 to 3}; raises AssetError for anything else."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        right = rows and all(type(r["text"]) is str and r["label"] in (0, 1, 2, 3) for r in rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AssetError(f"{path} cannot be read as rows of text and label ({error}).") from error
    if not right:
        raise AssetError(f"{path} does not hold rows with a text and a label from 0 to 3.")
    return [{"text": row["text"], "label": row["label"]} for row in rows]


def _inspect_rows(folder: Path) -> None:
    for split in SIZES:
        read_rows(folder / f"{split}.jsonl")


def _inspect_model(folder: Path, model_type: str) -> None:
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise AssetError(f"config.json in {folder.name} cannot be read ({error}).") from error
    if found != model_type:
        raise AssetError(f"config.json describes a model of type {found!r}, and {model_type!r} is due.")


_MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json")
_MORE_FILES = ("tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt")

ASSETS: dict[str, Asset] = {
    asset.name: asset
    for asset in (
        Asset(
            name="ag_news",
            title="1,024 training and 128 test texts of AG News, 256 held out",
            repository=AG_NEWS,
            kind="dataset",
            revision="eb185aade064a813bc0b7f42de02595523103ca4",
            files=("data/train-*.parquet", "data/test-*.parquet"),
            optional=("heldout.jsonl",),
            download_bytes=20_000_000,
            licence="for research and other non-commercial use",
            prepare=_select_rows,
            prepared=("train.jsonl", "test.jsonl"),
            inspect=_inspect_rows,
        ),
        Asset(
            name="distilbert-base-uncased",
            title="DistilBERT, the model of 3b",
            repository="distilbert-base-uncased",
            kind="model",
            revision="12040accade4e8a0f71eabdb258fecc2e7e948be",
            files=_MODEL_FILES,
            optional=_MORE_FILES,
            download_bytes=269_000_000,
            licence="Apache 2.0",
            inspect=partial(_inspect_model, model_type="distilbert"),
        ),
        Asset(
            name="roberta-base",
            title="RoBERTa, the model of 3d",
            repository="roberta-base",
            kind="model",
            revision="e2da8e2f811d1448a5b465c236feacd80ffbac7b",
            files=_MODEL_FILES,
            optional=_MORE_FILES,
            download_bytes=502_000_000,
            licence="MIT",
            inspect=partial(_inspect_model, model_type="roberta"),
        ),
    )
}
"""By name."""


def find(name: str) -> Kept | None:
    """The asset called `name` where it has been fetched."""
    return assets.find(ASSETS[name])
