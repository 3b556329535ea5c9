"""Assets are fetched once, compared with what the hub states, kept whole or not at all, and found again offline."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from grader import assets, cli
from grader.assets import FOLDER_VARIABLE, MANIFEST, Asset, AssetError
from grader.exitcode import ExitCode
from reference.transformer import assets as coursework
from tests.tool.fake_hub import fake_hub

MODEL = Asset(
    name="toy",
    title="a toy",
    repository="someone/toy",
    kind="model",
    revision="f" * 40,
    files=("config.json", "*.safetensors"),
    optional=("vocab.txt",),
    download_bytes=1_000,
    licence="MIT",
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, and a terminal wide enough for the table."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A folder that stands in for the hub, with the toy model and one file too many."""
    place = tmp_path / "mirror" / "someone" / "toy"
    place.mkdir(parents=True)
    for name, content in {
        "config.json": "{}",
        "model.safetensors": "weights",
        "vocab.txt": "a",
        "more.txt": "b",
    }.items():
        (place / name).write_text(content)
    return tmp_path / "mirror"


# ---------------------------------------------------------------- from a folder


def test_what_is_fetched_is_found(mirror: Path, cache: Path) -> None:
    assert assets.find(MODEL) is None
    kept = assets.fetch(MODEL, mirror)
    assert kept == assets.find(MODEL)
    assert kept.path == cache / "toy"
    assert sorted(kept.files) == ["config.json", "model.safetensors", "vocab.txt"]
    assert kept.files["model.safetensors"] == (7, hashlib.sha256(b"weights").hexdigest())
    assert kept.size == 10
    assert assets.differing(kept) == []
    assert [path.name for path in cache.iterdir()] == ["toy"]


def test_a_cache_of_another_machine_is_taken_and_compared(mirror: Path, cache: Path, tmp_path: Path) -> None:
    there = assets.fetch(MODEL, mirror)
    other = tmp_path / "other"
    shutil.copytree(cache, other)
    shutil.rmtree(cache)
    assert assets.fetch(MODEL, other) == there
    (other / "toy" / "model.safetensors").write_text("weightz")
    with pytest.raises(AssetError, match=r"model\.safetensors is not what its manifest says"):
        assets.fetch(MODEL, other)
    assert assets.find(MODEL) == there


def test_a_file_that_is_not_there_leaves_the_cache_as_it_was(mirror: Path, cache: Path) -> None:
    (mirror / "someone" / "toy" / "config.json").unlink()
    with pytest.raises(AssetError, match=r"does not hold toy: config\.json") as caught:
        assets.fetch(MODEL, mirror)
    assert "someone/toy/" in caught.value.next_step
    assert list(cache.iterdir()) == []
    with pytest.raises(AssetError, match="There is no folder"):
        assets.fetch(MODEL, mirror / "nowhere")


@pytest.mark.parametrize("damage", ["cut", "gone", "manifest gone", "manifest garbled", "another revision"])
def test_what_is_no_longer_whole_is_not_found(damage: str, mirror: Path) -> None:
    kept, asset = assets.fetch(MODEL, mirror), MODEL
    match damage:
        case "cut":
            (kept.path / "model.safetensors").write_text("w")
        case "gone":
            (kept.path / "config.json").unlink()
        case "manifest gone":
            (kept.path / MANIFEST).unlink()
        case "manifest garbled":
            (kept.path / MANIFEST).write_text("[]")
        case _:
            asset = replace(MODEL, revision="e" * 40)
    assert assets.find(asset) is None


def test_a_change_of_the_same_size_is_seen_by_a_thorough_look(mirror: Path) -> None:
    kept = assets.fetch(MODEL, mirror)
    (kept.path / "model.safetensors").write_text("weightz")
    assert assets.find(MODEL) == kept
    assert assets.differing(kept) == ["model.safetensors"]


def test_no_room_is_said_before_anything_is_fetched(mirror: Path) -> None:
    with pytest.raises(AssetError, match="needs about 1,000,000,000,000 MB") as caught:
        assets.fetch(replace(MODEL, download_bytes=10**18), mirror)
    assert FOLDER_VARIABLE in caught.value.next_step


def test_a_folder_that_cannot_be_written_is_named(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(AssetError, match="toy cannot be kept in"):
        assets.fetch(MODEL, mirror)


# ---------------------------------------------------------------- from the hub


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the hub's library reads its settings when it is imported; none but those given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, "HF_HUB_DISABLE_PROGRESS_BARS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


FETCH_TOY = (
    f"""
from grader.assets import *
from grader.errors import GraderError
toy = {MODEL!r}
""".replace(repr(MODEL.inspect), "lambda folder: None")
    + """
try:
    kept = fetch(toy, None, print)
    print(kept.origin, sorted(kept.files), differing(kept))
except GraderError as error:
    print("refused:", error.message, error.next_step)
"""
)


def test_the_hub_is_asked_for_the_pinned_commit_and_its_hashes_are_compared(
    mirror: Path, tmp_path: Path
) -> None:
    with fake_hub(mirror) as address:
        done = run(FETCH_TOY, HF_ENDPOINT=address, HF_HOME=str(tmp_path / "home"))
    *told, last = done.stdout.splitlines()
    assert told == ["toy: config.json", "toy: model.safetensors", "toy: vocab.txt"], done.stderr
    assert last == "someone/toy at ffffffffffff ['config.json', 'model.safetensors', 'vocab.txt'] []"


@pytest.mark.parametrize("tampered", ["model.safetensors", "vocab.txt"])
def test_a_file_that_changed_on_the_way_is_refused(
    mirror: Path, cache: Path, tmp_path: Path, tampered: str
) -> None:
    with fake_hub(mirror, tampered) as address:
        done = run(FETCH_TOY, HF_ENDPOINT=address, HF_HOME=str(tmp_path / "home"))
    assert f"refused: {tampered} of someone/toy did not arrive as the hub states it" in done.stdout, (
        done.stderr
    )
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE forbids"),
        (
            {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"},
            "cannot be had from the Hugging Face hub",
        ),
    ],
)
def test_without_a_network_it_is_said_with_a_way_out(environment: dict[str, str], said: str) -> None:
    done = run(FETCH_TOY, **environment)
    assert said in done.stdout, done.stderr
    assert "--from DIR" in done.stdout


# ---------------------------------------------------------------- the coursework's own


def published(folder: Path, sizes: dict[str, int]) -> Path:
    """A data set of the published form: text i has the label i mod 4."""
    import pyarrow as arrow
    from pyarrow.parquet import write_table

    place = folder / "fancyzhx" / "ag_news" / "data"
    place.mkdir(parents=True)
    for split, size in sizes.items():
        table = arrow.table(
            {"text": [f"{split} {i}" for i in range(size)], "label": [i % 4 for i in range(size)]}
        )
        write_table(table, place / f"{split}-00000-of-00001.parquet")
    return folder


def test_the_selection_is_the_starter_kits(tmp_path: Path) -> None:
    from datasets import Dataset

    kept = assets.fetch(coursework.ASSETS["ag_news"], published(tmp_path, coursework.PUBLISHED))
    rows = {name: coursework.read_rows(kept.path / f"{name}.jsonl") for name in ("train", "test", "heldout")}
    assert {name: len(found) for name, found in rows.items()} == {"train": 1024, "test": 128, "heldout": 256}
    for split in ("train", "test"):
        size = coursework.PUBLISHED[split]
        whole = Dataset.from_dict({"text": [f"{split} {i}" for i in range(size)]})
        chosen = whole.shuffle(seed=0).select(range(coursework.SIZES[split]))
        assert [row["text"] for row in rows[split]] == list(chosen["text"])
        assert [row["label"] for row in rows[split]] == [int(t.split()[1]) % 4 for t in chosen["text"]]
    held, test = ({row["text"] for row in rows[name]} for name in ("heldout", "test"))
    assert not held & test


def test_another_order_of_rows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(coursework.ROW_NUMBERS, "test", "0" * 64)
    with pytest.raises(AssetError, match="shuffles in another order"):
        coursework.selected("test", 128)


def test_a_data_set_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = published(tmp_path, {"train": 100, "test": 100})
    with pytest.raises(AssetError, match="has 100 rows, and 120,000 are published"):
        assets.fetch(coursework.ASSETS["ag_news"], folder)


def test_rows_in_a_folder_are_taken_as_they_are(tmp_path: Path) -> None:
    for name in ("train", "test"):
        (tmp_path / f"{name}.jsonl").write_text('{"text": "a", "label": 3, "more": 1}\n')
    kept = assets.fetch(coursework.ASSETS["ag_news"], tmp_path)
    assert sorted(kept.files) == ["test.jsonl", "train.jsonl"]
    assert coursework.read_rows(kept.path / "test.jsonl") == [{"text": "a", "label": 3}]
    (tmp_path / "test.jsonl").write_text('{"text": "a", "label": 4}\n')
    with pytest.raises(AssetError, match="label from 0 to 3"):
        assets.fetch(coursework.ASSETS["ag_news"], tmp_path)


@pytest.mark.parametrize("config", ["", "[]", '{"model_type": "bert"}'])
def test_a_model_of_another_type_is_refused(config: str, tmp_path: Path) -> None:
    place = tmp_path / "roberta-base"
    place.mkdir()
    for name in ("model.safetensors", "tokenizer.json"):
        (place / name).write_text("x")
    (place / "config.json").write_text(config)
    with pytest.raises(AssetError, match=r"config\.json"):
        assets.fetch(coursework.ASSETS["roberta-base"], tmp_path)


# ---------------------------------------------------------------- the command


def grade(*arguments: object) -> Any:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture
def classroom(tmp_path: Path) -> Path:
    """A folder with everything, in small."""
    for name, kind in (("distilbert-base-uncased", "distilbert"), ("roberta-base", "roberta")):
        place = tmp_path / "classroom" / name
        place.mkdir(parents=True)
        (place / "config.json").write_text(json.dumps({"model_type": kind}))
        for file in ("model.safetensors", "tokenizer.json"):
            (place / file).write_text("x")
    news = tmp_path / "classroom" / "ag_news"
    news.mkdir()
    for name in ("train", "test"):
        (news / f"{name}.jsonl").write_text('{"text": "a", "label": 0}\n')
    return tmp_path / "classroom"


def lines(result: Any) -> Sequence[str]:
    found: list[str] = result.stdout.splitlines()
    return found


def test_the_table_says_what_is_needed_and_where_it_goes(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = grade("assets")
    assert shown.exit_code == ExitCode.ALL_PASSED
    assert [line.split()[0] for line in lines(shown)[1:4]] == list(coursework.ASSETS)
    assert shown.stdout.count("not here") == 3
    assert "502 MB" in shown.stdout
    assert f"Folder: {cache}" in shown.stdout.replace("\n", "")


def test_fetch_brings_what_is_missing_and_says_so(classroom: Path, cache: Path) -> None:
    first = grade("assets", "fetch", "ag_news", "--from", classroom)
    assert first.exit_code == ExitCode.ALL_PASSED, first.stderr
    assert "about 20 MB" in first.stdout
    assert "from now on" not in first.stdout
    rest = grade("assets", "fetch", "--from", classroom)
    assert "ag_news is here." in rest.stdout
    assert "about 771 MB" in rest.stdout
    assert "from now on no network is needed" in rest.stdout
    assert sorted(path.name for path in cache.iterdir()) == sorted(coursework.ASSETS)
    assert grade("assets", "fetch").stdout.count("is here.") == 3
    assert grade("assets", "--check").stdout.count("checked, from the folder") == 3
    (cache / "ag_news" / "test.jsonl").write_text('{"text": "b", "label": 0}\n')
    checked = grade("assets", "--check")
    assert "changed since it was fetched: test.jsonl" in " ".join(checked.stdout.split())
    assert checked.exit_code == ExitCode.GRADER_ERROR
    assert (
        grade("assets", "fetch", "ag_news", "--again", "--from", classroom).exit_code == ExitCode.ALL_PASSED
    )
    assert grade("assets", "--check").exit_code == ExitCode.ALL_PASSED


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["ag_new"], "Did you mean 'ag_news'", ExitCode.USAGE),
        (["--from", "nowhere"], "There is no folder 'nowhere'", ExitCode.GRADER_ERROR),
    ],
)
def test_what_cannot_be_fetched_is_an_error_with_a_next_step(
    arguments: list[str], message: str, code: ExitCode
) -> None:
    refused = grade("assets", "fetch", *arguments)
    assert refused.exit_code == code
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
