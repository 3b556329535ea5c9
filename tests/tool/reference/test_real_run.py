"""`grade reference --run`: the table, the files and the comparison, on tiny models and a handful of texts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from grader import cli
from grader.assets import FOLDER_VARIABLE, fetch
from grader.exitcode import ExitCode
from grader.intake import Found, read_metrics, read_predictions, read_submission
from reference.transformer import assets, bodies, panels
from reference.transformer.news import LABELS
from reference.transformer.robustness import FIRST_WORDS, TYPO_RATES

BODIES = Path(bodies.data_root()) / "tests" / "transformer" / "assets" / "bodies"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """48 + 24 rows of the bundled corpus."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, count in (("train", 48), ("test", 24)):
        rows = bodies.sample(f"assets/news/{name}.jsonl", count, 1)
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def grade(*arguments: object) -> Any:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_3b_prints_the_table_and_leaves_what_a_student_hands_in(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = grade("reference", "--run", "3b", "--data", data, "--out", out)
    assert done.exit_code == ExitCode.ALL_PASSED, done.stderr
    assert "the folder data; 48 training and 24 test texts" in done.stdout
    assert "tiny distilbert" in done.stdout
    table = re.findall(r"^ +(\d)  +([\d.]+)  +([\d.]+)  +([\d.]+)  +[\d.]+$", done.stdout, re.MULTILINE)
    assert [row[0] for row in table] == ["1", "2", "3"]
    metrics = read_metrics(read_submission(out), "results/distilbert.json")
    assert metrics.status is Found.FOUND, metrics.problems
    assert (metrics.n_train, metrics.n_test, metrics.batch_size) == (48, 24, 8)
    assert [f"{epoch.test_acc:.4f}" for epoch in metrics.epochs] == [row[3] for row in table]
    predictions = read_predictions(read_submission(out))
    assert predictions.status is Found.FOUND
    assert {p.label for p in predictions.predictions} <= set(LABELS)
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {
        path.name for path in (out / "checkpoints" / "distilbert").iterdir()
    }


def test_3d_compares_two_models_in_figures_words_and_a_plot(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    models = [word for kind in ("distilbert", "roberta") for word in ("--model", BODIES / kind)]
    done = grade("reference", "--run", "3d", "--data", data, "--out", out, "--seed", 3, *models)
    assert done.exit_code == ExitCode.ALL_PASSED, done.stderr
    compared = json.loads((out / "comparison.json").read_text())
    assert compared["n"] == 24
    for figures in compared["models"]:
        assert figures["test"][-1] == figures["accuracy"] == figures["typos"][0] == figures["cut"][0]
        assert (len(figures["typos"]), len(figures["cut"])) == (len(TYPO_RATES), len(FIRST_WORDS))
        assert 0 <= figures["calibration_error"] <= 1
        assert sum(b["count"] for b in figures["bins"]) == 24
    first, second = compared["models"]
    assert first["accuracy"] - second["accuracy"] == pytest.approx(
        (compared["first_only"] - compared["second_only"]) / 24
    )
    page = (out / "comparison.md").read_text()
    assert "comparison.svg" in page
    assert f"{first['weights']:,}" in page
    assert "no evidence that one is better" in page or "is evidence that they differ" in page
    drawing = ElementTree.fromstring((out / "comparison.svg").read_text())
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert {"results", "checkpoints"} < {path.name for path in out.iterdir()}


def test_the_fetched_models_and_texts_are_taken(data: Path, tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "distilbert-base-uncased").symlink_to(BODIES / "distilbert")
    fetch(assets.ASSETS["ag_news"], data)
    fetch(assets.ASSETS["distilbert-base-uncased"], tmp_path / "mirror")
    done = grade("reference", "--run", "3b")
    assert "AG News, from the folder data" in done.stdout, done.stderr
    assert "\ndistilbert-base-uncased: 186," in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "x"], "belong to a run"),
        (["--run", "3c"], "no run '3c'"),
        (["--run", "3d", "--model", "x"], "trains 2 models, and 1 were given"),
        (["--run", "3b", "--model", "nowhere"], "no model in 'nowhere'"),
        (["--run", "3b", "--data", "nowhere"], "'nowhere' holds no train.jsonl"),
    ],
)
def test_what_cannot_be_run_is_said(arguments: list[str], message: str) -> None:
    refused = grade("reference", *arguments)
    assert refused.exit_code == ExitCode.USAGE
    assert message in refused.stderr


def test_a_plot_survives_gaps_single_points_and_markup() -> None:
    panel = panels.Panel("<b>", "&", ["1"], {"<script>": [0.5], "gap": [None], "out": [7.0]})
    drawing = panels.svg("a <b> & c", [panel])
    assert "<script>" not in drawing
    assert ElementTree.fromstring(drawing) is not None
