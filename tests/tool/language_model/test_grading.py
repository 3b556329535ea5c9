"""The assignment through the real pipeline: the examples, the starter kit, and errors carried forward."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

import pytest
import torch

import grader.pipeline
from grader.cli import main
from grader.exitcode import ExitCode
from grader.model import Assignment, CheckResult, Status
from grader.starter import starter_root
from grader.worker import Zygote, ZygoteSpec

ROOT = Path(__file__).parents[3]
SOLUTION = ROOT / "reference" / "language_model" / "solution"
EXAMPLES = ROOT / "examples" / "language_model"
Graded = Callable[..., dict[str, CheckResult]]


@pytest.fixture(scope="module")
def warm(language_model: Assignment) -> Iterator[Zygote]:
    """One warm process for all that is graded here."""
    with Zygote(ZygoteSpec.of(language_model, ("torch",))) as zygote:
        yield zygote


@pytest.fixture
def worker(warm: Zygote) -> Callable[..., object]:
    return lambda files: warm.worker(files, name="test")


@pytest.fixture
def pipeline(warm: Zygote, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The real one, but that it starts no warm process of its own."""
    monkeypatch.setattr(grader.pipeline, "Zygote", lambda spec, isolation: nullcontext(warm))
    return grader.pipeline


def source(name: str, *changes: tuple[str, str]) -> str:
    text = (SOLUTION / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


@pytest.mark.usefixtures("pipeline")
def test_mei_gets_every_point_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(EXAMPLES / "mei"), "--assignment", "language_model", "--seed", "5", "--out", str(tmp_path)])
    assert ended.value.code == ExitCode.ALL_PASSED
    assert "100 of 100 points" in capsys.readouterr().out
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert document["assignment"]["id"] == "language_model"
    assert document["complete"] is True


def test_noors_mistakes_are_named_and_what_follows_from_them_costs_nothing(pipeline: ModuleType) -> None:
    options = pipeline.Options(assignment="language_model", seed=5)
    report = pipeline.grade(EXAMPLES / "noor", options).report
    checks = {check.id: check for check in report.checks}
    assert {id: c.diagnosis.id for id, c in checks.items() if c.diagnosis} == {
        "1a.ties": "bpe-tie-first-met",
        "1b.decode": "bpe-decode-one-by-one",
        "2c.rope": "rope-halves",
        "3b.steps": "cache-positions-restart",
        "3b.reuse": "cache-positions-restart",
        "4a.decay": "adamw-coupled-decay",
        "4b.schedule": "schedule-from-zero",
        "5a.top_p": "top-p-without-the-crossing-token",
        "5a.together": "top-p-without-the-crossing-token",
        "5d.padding": "perplexity-padding-counted",
        "6a.parameters": "6a.parameters.two_matrices",
        "6b.per_token": "6b.per_token.keys_only",
    }
    missing = {id for id, c in checks.items() if c.status is Status.MISSING}
    assert missing == {"5c.generate", "6c.bits"}
    assert {id for id, c in checks.items() if c.status is not Status.PASSED} == missing | {
        id for id, c in checks.items() if c.diagnosis
    }
    for id in ("3b.layer", "3c.logits", "3c.steps"):
        assert "carried forward" in " ".join(checks[id].evidence.notes)
    assert report.score.earned == 66


def test_the_starter_kit_has_everything_missing(pipeline: ModuleType) -> None:
    options = pipeline.Options(assignment="language_model", seed=5)
    report = pipeline.grade(starter_root("language_model"), options).report
    assert {check.status for check in report.checks} == {Status.MISSING}
    assert report.score.earned == 0


def test_generate_is_judged_on_top_of_ones_own_probabilities(worker: object, graded_files: Graded) -> None:
    wrong = source("sampling.py", ("logits / temperature", "logits * temperature"))
    results = graded_files(worker, {"sampling.py": wrong}, ["5a.temperature", "5c.generate"])
    assert results["5a.temperature"].status is Status.FAILED
    assert results["5c.generate"].status is Status.PASSED
    assert "next_token_probabilities" in results["5c.generate"].evidence.notes[0]


def test_the_model_is_judged_on_top_of_ones_own_layers(worker: object, graded_files: Graded) -> None:
    files = {
        "layers.py": source("layers.py", ("F.silu", "F.gelu"), (" * gain", "")),
        "attention.py": source("attention.py", ("math.sqrt(q.size(-1))", "q.size(-1)")),
    }
    checks = ["2b.swiglu", "3a.attend", "3b.steps", "3c.logits", "3c.steps"]
    results = graded_files(worker, files, checks)
    assert [results[id].status for id in checks] == [Status.FAILED] * 2 + [Status.PASSED] * 3


def test_a_mistake_on_top_of_another_function_is_still_named(worker: object, graded_files: Graded) -> None:
    files = {
        "layers.py": source("layers.py", ("torch.arange(0, D, 2)", "torch.arange(D // 2)")),
        "attention.py": source("attention.py", ('x = rms_norm(x, weights["norm"])', "pass")),
    }
    result = graded_files(worker, files, ["3c.logits"])["3c.logits"]
    assert result.status is Status.FAILED
    assert result.diagnosis is not None
    assert result.diagnosis.id == "model-no-last-norm"


def test_adamw_of_torch_is_not_by_hand(language_model: Assignment) -> None:
    spec = importlib.util.spec_from_file_location("harness", language_model.root / "harness.py")
    assert spec is not None
    assert spec.loader is not None
    harness = importlib.util.module_from_spec(spec)
    harness.__dict__["student"] = {"AdamW": torch.optim.AdamW}.__getitem__
    spec.loader.exec_module(harness)
    options = {"betas": [0.9, 0.99], "eps": 1e-3, "weight_decay": 0.0}
    with pytest.raises(TypeError, match="write it by hand"):
        harness.adamw([torch.ones(2)], [[torch.ones(2)]], [0.1], options)
