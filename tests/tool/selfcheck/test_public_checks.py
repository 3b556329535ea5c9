"""The public checks themselves: what they let pass, what they catch, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from grader.model import Assignment, Status, Visibility
from grader.selfcheck.kit import Kit
from grader.selfcheck.result import Result
from grader.selfcheck.show import tally

ROOT = Path(__file__).parents[3]
RIGHT = ROOT / "tests" / "transformer" / "variants" / "attention"
WRONG = ROOT / "tests" / "tool" / "variants" / "wrong"
Run = Callable[..., Mapping[str, Result]]


def test_right_work_passes_and_is_never_said_to_be_all(alice: Path, run: Run) -> None:
    results = run()
    told = {id: result.message for id, result in results.items() if not result.passed}
    assert told == {}
    assert tally(tuple(results.values())).sentence == f"{len(results)} public checks passed."
    assert results["2c.self"].uses == ("attention.py",)
    assert results["4c.answers"].uses == ("answers.toml",)
    assert "elements is read as 268,435,456." in results["4c.answers"].notes


@pytest.mark.parametrize(
    "name", ["fused_qkv", "other_order_and_names", "split_and_cat", "lazy_layers", "pe_without_max_len"]
)
def test_right_code_of_another_kind_is_never_called_wrong(name: str, alice: Path, run: Run) -> None:
    (alice / "attention.py").write_bytes((RIGHT / f"{name}.py").read_bytes())
    statuses = {r.id: r.status for r in run("2").values()}
    assert set(statuses.values()) <= {Status.PASSED, Status.NEEDS_REVIEW}
    assert statuses["2c.masked"] is statuses["2d.values"] is Status.PASSED


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("mask_inverted", "2c.masked"),
        ("tilde_on_float_mask", "2c.masked"),
        ("scale_by_head_size", "2c.handout"),
        ("output_of_key_length", "2c.cross"),
        ("detached", "2c.gradients"),
        ("no_dropout", "2c.dropout"),
        ("softmax_over_queries", "2c.properties"),
        ("pe_one_column", "2d.values"),
        ("pe_of_first_length", "2d.lengths"),
        ("pe_no_dropout", "2d.dropout"),
        ("pe_trainable", "2d.buffer"),
    ],
)
def test_a_mistake_is_caught(name: str, check: str, alice: Path, run: Run) -> None:
    (alice / "attention.py").write_bytes((WRONG / f"{name}.py").read_bytes())
    result = run(check)[check]
    assert result.status is Status.FAILED
    assert result.message
    assert result.hint or result.where


def test_ids_are_those_of_public_checks(kit: Kit, assignment: Assignment) -> None:
    public = {check.id for check in assignment.checks if check.visibility is Visibility.PUBLIC}
    own = {check.id for check in kit.checks if not check.id.endswith(".answers")}
    assert own <= public
    assert {check.part for check in kit.checks} == {part.id for part in assignment.parts} - {"3c"}


def test_figures_and_answers_that_cannot_be_read(alice: Path, run: Run) -> None:
    answers = (alice / "answers.toml").read_text(encoding="utf-8")
    (alice / "answers.toml").write_text(answers.replace('"536,870,912 bytes"', '"12 kg"'), encoding="utf-8")
    figures = (alice / "results" / "roberta.json").read_text(encoding="utf-8")
    (alice / "results" / "roberta.json").write_text(figures.replace("0.8516", "0.8511"), encoding="utf-8")
    results = run("4c.answers", "3d.reported")
    assert results["4c.answers"].status is Status.FAILED
    assert "an amount of data is due" in results["4c.answers"].message
    assert "Epoch 1" in results["3d.reported"].message
    assert results["3d.reported"].uses == ("results/roberta.json",)


def test_finetune_that_trains_nothing(alice: Path, run: Run) -> None:
    code = (alice / "finetune.py").read_text(encoding="utf-8")
    assert "optimizer.step()" in code
    (alice / "finetune.py").write_text(code.replace("optimizer.step()", "None"), encoding="utf-8")
    result = run("3b.trains")["3b.trains"]
    assert result.status is Status.FAILED
    assert "nothing was trained" in result.message
