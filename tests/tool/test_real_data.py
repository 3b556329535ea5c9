"""Opt-in: the same code on real AG News rows, from the folder that AG_NEWS_DIR names (train.jsonl, test.jsonl), and on
a real pre-trained model, from the folder that REAL_MODEL_DIR names (that of save_pretrained)."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from grader import cli
from grader.assets import FOLDER_VARIABLE, fetch
from grader.model import Status
from reference.transformer import assets, bodies, finetune, news
from reference.transformer.evaluation import threads_for
from tests.tool.checkpoints import checkpoint, figures
from tests.tool.conftest import GradeFiles

FOLDER = os.environ.get("AG_NEWS_DIR")
MODEL = os.environ.get("REAL_MODEL_DIR")
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not FOLDER, reason="AG_NEWS_DIR is not set: it names a folder with real AG News rows"),
]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from datasets import load_dataset

    assert FOLDER is not None
    files = {name: str(Path(FOLDER) / f"{name}.jsonl") for name in ("train", "test")}
    return load_dataset("json", data_files=files, cache_dir=str(tmp_path_factory.mktemp("cache")))


def test_the_loader_takes_the_real_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert FOLDER is not None
    fetch(assets.ASSETS["ag_news"], Path(FOLDER))
    train, test = news.load_news("ag_news", 1024, 128, seed=3)
    again, _ = news.load_news("ag_news", 1024, 128, seed=3)
    assert (len(train), len(test)) == (1024, 128)
    assert {"text", "label"} <= set(train.column_names)
    assert list(train["text"]) == list(again["text"])
    assert set(train["label"]) == {0, 1, 2, 3}


def test_the_model_solution_trains_on_real_texts(real: Any) -> None:
    """Real news is another kind of text than the tiny body was made on: it starts at chance and gets clearly above."""
    from transformers import DistilBertForSequenceClassification

    body = str(Path(bodies.data_root()) / "tests/transformer/assets/bodies/distilbert")
    model = DistilBertForSequenceClassification.from_pretrained(body)
    tokenizer = bodies.tokenizer("distilbert")
    train, test = real["train"].select(range(512)), real["test"]
    with threads_for(model):
        before = finetune.evaluate(model, tokenizer, test)
        history = finetune.finetune(model, tokenizer, train, test, epochs=2, learning_rate=5e-4, seed=1)
    assert before < 0.45
    assert history[-1]["test_acc"] > before + 0.1
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    state = {name: value.detach() for name, value in model.state_dict().items()}
    rows = [{"text": row["text"], "label": row["label"]} for row in test]
    recomputed = bodies.accuracy("distilbert", bodies.with_weights("distilbert", state), rows)
    assert abs(float(recomputed) - history[-1]["test_acc"]) <= 1 / len(rows)


def test_a_checkpoint_is_evaluated_on_the_real_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grade_files: GradeFiles
) -> None:
    """A tiny model that was trained on the bundled corpus knows about half of the real news: more than chance."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
    assert FOLDER is not None
    fetch(assets.ASSETS["ag_news"], Path(FOLDER))
    files = {**checkpoint(), "results/distilbert.json": figures("0.8906")}
    result = grade_files(files, ["3b.checkpoint"])["3b.checkpoint"]
    found = re.match(
        r"0\.\d+ \((\d+) of 128\) on the 128 test texts of AG News", str(result.evidence.obtained)
    )
    assert found is not None, result.evidence.obtained
    assert 45 < int(found[1]) < 100
    assert result.status is Status.FAILED


def right_one_by_one(checkpoint: Path) -> int:
    """How many test texts a saved model answers rightly, read and asked as plainly as can be."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    assert FOLDER is not None
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    rows = assets.read_rows(Path(FOLDER) / "test.jsonl")
    with torch.no_grad():
        answers = [
            int(model(**tokenizer(row["text"], truncation=True, return_tensors="pt")).logits.argmax())
            for row in rows
        ]
    return sum(answer == row["label"] for answer, row in zip(answers, rows, strict=True))


@pytest.mark.skipif(not MODEL, reason="REAL_MODEL_DIR is not set: it names a folder with a pre-trained model")
def test_a_real_model_reaches_the_bar_and_leaves_what_it_claims(tmp_path: Path) -> None:
    """Six CPU minutes with a model of 23 million weights; docs/real-run.md has the figures of two such runs."""
    done = CliRunner().invoke(
        cli.main,
        ["reference", "--run", "3b", "--model", str(MODEL), "--data", str(FOLDER), "--out", str(tmp_path)],
    )
    assert done.exit_code == 0, done.stderr
    [checkpoint] = (tmp_path / "checkpoints").iterdir()
    told = json.loads((tmp_path / "results" / f"{checkpoint.name}.json").read_text())
    assert (told["n_train"], told["n_test"], len(told["epochs"])) == (1024, 128, 3)
    claimed = told["epochs"][-1]["test_acc"]
    assert claimed >= 0.85
    assert right_one_by_one(checkpoint) == claimed * 128
