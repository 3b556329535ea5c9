"""The example submissions are what submissions/README.md says of them, as far as reading them tells.

What their code does is graded in the end-to-end tests; nothing of it is imported here.
"""

from __future__ import annotations

import ast
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from grader.assignment import load_assignment
from grader.intake import (
    Found,
    label_name,
    possible_accuracy,
    read_answers,
    read_metrics,
    read_predictions,
    read_submission,
)
from grader.model import Check, Status, Submission
from grader.numbers import Verdict, judge_number
from reference.transformer import analysis

EXAMPLES = Path(__file__).parents[2] / "submissions"
LABELS = ["World", "Sports", "Business", "Sci/Tech"]
RUNS = ("results/distilbert.json", "results/roberta.json")
CHECKS = load_assignment().checks
ON_PAPER = [c for c in CHECKS if c.number and c.number["quantity"] in analysis.QUANTITIES]


def example(name: str) -> Submission:
    return read_submission(EXAMPLES / name)


def judge(name: str, check: Check) -> Verdict:
    return judge_number(check, read_answers(example(name)), analysis.QUANTITIES, CHECKS)


def verdicts(name: str) -> dict[str, Verdict]:
    return {check.id: judge(name, check) for check in ON_PAPER}


@pytest.mark.parametrize("check", ON_PAPER, ids=lambda c: c.id)
def test_alice_has_every_number_right(check: Check) -> None:
    verdict = judge("alice", check)
    assert (verdict.status, verdict.fraction) == (Status.PASSED, 1), verdict.message


def test_alice_answers_every_question() -> None:
    answers = read_answers(example("alice"))
    starter = read_answers(read_submission(EXAMPLES.parent / "templates" / "starter"))
    assert {key for key in starter.values if answers.get(key).status is not Found.FOUND} == set()


@pytest.mark.parametrize("path", RUNS)
def test_alices_figures_are_possible_and_reach_the_bar(path: str) -> None:
    metrics = read_metrics(example("alice"), path)
    assert metrics.status is Found.FOUND
    assert len(metrics.epochs) == 3
    for epoch in metrics.epochs:
        assert epoch.train_acc is not None
        assert epoch.test_acc is not None
        assert possible_accuracy(epoch.train_acc, 1024)
        assert possible_accuracy(epoch.test_acc, 128)
        assert epoch.test_acc >= Decimal("0.80")


def test_alices_predictions_are_the_topics_of_the_texts() -> None:
    predictions = read_predictions(example("alice"))
    topics = [label_name(p.label, LABELS) for p in predictions.predictions]
    assert topics == ["Sports", "Sci/Tech", "World", "Business"]


def test_the_slips_are_the_planted_ones_and_none_is_punished_twice() -> None:
    found = verdicts("slips")
    lost = {id: v.slip.title for id, v in found.items() if v.fraction < 1 and v.slip}
    assert lost == {"4c.total": "GiB called GB", "4d.first": "biases left out"}
    assert [id for id, v in found.items() if v.fraction < 1] == list(lost)
    for id, parent in (("4d.block", "4d.first"), ("4d.total", "4d.block")):
        assert f"follows correctly from your own {parent}" in found[id].message


def test_slips_has_one_impossible_accuracy() -> None:
    accuracies = [e.test_acc for path in RUNS for e in read_metrics(example("slips"), path).epochs]
    impossible = [a for a in accuracies if a is None or not possible_accuracy(a, 128)]
    assert impossible == [Decimal("0.8997")]


def test_half_done_leaves_the_rest_missing_not_wrong() -> None:
    status = {id: v.status for id, v in verdicts("half_done").items()}
    assert [id for id, s in status.items() if s is Status.MISSING] == [
        "4d.total",
        "4e2.lora_state",
        "4e3.ffn_state",
        "4e3.share",
    ]
    assert "4e1.trainable is the text 'nine million'" in judge("half_done", _check("4e1.trainable")).message


def test_broken_cannot_be_read_and_says_where() -> None:
    submission = example("broken")
    answers = read_answers(submission)
    assert answers.problem is not None
    assert "Line 9, column 4, '[4c'" in answers.problem.message
    assert '"[4c]"' in answers.problem.next_step
    assert {read_metrics(submission, path).status for path in RUNS} == {Found.MALFORMED}
    assert read_predictions(submission).status is Found.MALFORMED


def test_broken_deletes_nothing_that_anybody_has() -> None:
    """Every path that its code names is one that exists nowhere, or a file of its own."""
    tree = ast.parse((EXAMPLES / "broken" / "finetune.py").read_text())
    removing = [
        n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in ("rmtree", "unlink", "remove")
    ]
    assert len(removing) == 2
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    assert {t for t in texts if "/" in t} == {"/nonexistent-7d41c0/submissions"}
    assert not Path("/nonexistent-7d41c0").exists()
    assert "delete-me.tmp" in texts


def test_empty_is_missing_everywhere() -> None:
    assert example("empty").files == ()
    assert {v.status for v in verdicts("empty").values()} == {Status.MISSING}


@pytest.mark.parametrize("name", ["alice", "slips", "half_done", "broken"])
def test_their_code_is_python(name: str) -> None:
    modules = [f for f in example(name).files if f.path.endswith(".py")]
    assert len(modules) == 2
    for module in modules:
        assert ast.parse(module.content).body


def _check(id: str) -> Check:
    return next(c for c in CHECKS if c.id == id)


def test_the_readme_names_every_example() -> None:
    folders = {p.name for p in EXAMPLES.iterdir() if p.is_dir()}
    text = (EXAMPLES / "README.md").read_text()
    assert {name for name in folders if f"`{name}`" not in text} == set()


def test_the_answers_of_every_readable_example_are_asked_for() -> None:
    starter = tomllib.loads((EXAMPLES.parent / "templates" / "starter" / "answers.toml").read_text())
    known = [f"{section}.{key}" for section, entries in starter.items() for key in entries]
    for name in ("alice", "slips", "half_done"):
        assert read_answers(example(name), known).notes == ()
