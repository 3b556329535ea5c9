"""The starter kit: complete, unanswered, and never written over a student's work."""

from __future__ import annotations

import ast
import json
import os
import tomllib
from pathlib import Path

import pytest

from grader import starter
from grader.assignment import load_assignment
from grader.errors import UsageError
from grader.intake import Found, read_answers, read_metrics, read_predictions, read_submission
from grader.paths import data_root
from grader.starter import starter_files, starter_root, write_starter

SHAPES = ("2a.shape", "2b.shape")
CODE = {
    "attention.py": {"MultiHeadAttention", "PositionalEncoding"},
    "finetune.py": {"first_samples", "finetune", "predict"},
}


def test_it_is_written_whole(tmp_path: Path) -> None:
    written = write_starter(tmp_path / "new" / "kit")
    assert [p.relative_to(tmp_path / "new" / "kit").as_posix() for p in written] == starter_files(
        starter_root()
    )
    for path in written:
        assert path.read_bytes() == (starter_root() / path.relative_to(tmp_path / "new" / "kit")).read_bytes()
    assert sorted(p.name for p in (tmp_path / "new" / "kit").iterdir()) == [
        "README.md",
        "answers.toml",
        "attention.py",
        "finetune.py",
        "results",
    ]


def test_it_goes_beside_other_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_starter(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "attention.py").is_file()


def test_it_never_overwrites_and_names_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "attention.py").write_text("mine")
    with pytest.raises(UsageError) as error:
        write_starter(tmp_path)
    assert "already has attention.py: nothing was written" in error.value.message
    assert (tmp_path / "attention.py").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["attention.py"]


def test_a_dangling_link_counts_as_taken(tmp_path: Path) -> None:
    (tmp_path / "answers.toml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError):
        write_starter(tmp_path)
    assert not (tmp_path / "nowhere").exists()


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "kit").write_text("x")
    with pytest.raises(UsageError, match="is a file, and the starter kit is a folder"):
        write_starter(tmp_path / "kit")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "kit").write_text("x")
    with pytest.raises(UsageError, match="cannot be written"):
        write_starter(tmp_path / "kit" / "below")


def test_a_failure_half_way_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def appear(source: Path, target: Path) -> None:
        if target.name == "finetune.py":
            target.write_text("somebody else's")
        link(source, target)

    monkeypatch.setattr(starter.os, "link", appear)
    with pytest.raises(UsageError, match="appeared meanwhile: nothing was written"):
        write_starter(tmp_path / "kit")
    assert [p.name for p in (tmp_path / "kit").rglob("*")] == ["finetune.py"]
    assert (tmp_path / "kit" / "finetune.py").read_text() == "somebody else's"


def test_every_question_has_its_key_and_counts_as_missing() -> None:
    """A numeric or prose check without a key in the starter could not be answered."""
    submission = read_submission(starter_root())
    answers = read_answers(submission)
    assert answers.problem is None
    wanted = [str(c.number["answer"]) for c in load_assignment().checks if c.number]
    wanted += [c.id for c in load_assignment().checks if c.review] + list(SHAPES) + ["2b.masked_norm"]
    wanted += ["2c.self_error", "2c.masked_error", "2c.cross_error", "2d.error"]
    for key in wanted:
        assert key in answers.values, key
        assert answers.get(key).status is Found.MISSING, key
    assert set(answers.values) == set(wanted)


def test_every_question_says_what_is_asked() -> None:
    lines = (starter_root() / "answers.toml").read_text().splitlines()
    sections = tomllib.loads("\n".join(lines))
    for section in sections:
        start = lines.index(f"[{section}]")
        end = next((i for i in range(start + 1, len(lines)) if lines[i].startswith("[")), len(lines))
        assert any("#" in line for line in lines[start:end]), section


def test_figures_and_predictions_count_as_missing() -> None:
    submission = read_submission(starter_root())
    for name in ("distilbert", "roberta"):
        assert read_metrics(submission, f"results/{name}.json").status is Found.MISSING
    predictions = read_predictions(submission)
    assert predictions.status is Found.MISSING
    asked = (data_root() / "tests/transformer/assets/news/four_texts.jsonl").read_text(encoding="utf-8")
    assert [p.text for p in predictions.predictions] == [
        json.loads(row)["text"] for row in asked.splitlines()
    ]


@pytest.mark.parametrize("name", sorted(CODE))
def test_the_code_is_valid_and_defines_what_is_asked(name: str) -> None:
    tree = ast.parse((starter_root() / name).read_text())
    defined = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    assert CODE[name] <= defined
    assert "NotImplementedError" in ast.unparse(tree)
