"""`grade PATH --list`: who handed in what, on the downloads in the repository; nothing is graded."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from grader.cli import main
from grader.intake import read_class
from grader.inventory import inventory, print_inventory
from grader.model import Assignment
from tests.tool.intake.containers import zipped
from tests.tool.notebooks import notebook

EXAMPLES = Path(__file__).parents[2] / "examples"


def shown(path: Path, assignment: Assignment) -> str:
    """The list as a wide terminal shows it, runs of spaces as one."""
    out = io.StringIO()
    print_inventory(Console(file=out, width=300), read_class(path), assignment)
    return re.sub(" +", " ", out.getvalue())


def test_a_canvas_download_is_listed(assignment: Assignment) -> None:
    text = shown(EXAMPLES / "canvas.zip", assignment)
    assert text.startswith("canvas.zip: a Canvas download, 6 hand-ins\n")
    assert "osullivanaoife osullivanaoife_40122 · late" in text
    assert "a3.ipynb notebook, 18 cells: MultiHeadAttention (cell 6), PositionalEncoding (cell 10)" in text
    assert "layers.py code: MultiHeadAttention, PositionalEncoding" in text
    assert "missing first_samples, finetune, predict, results/distilbert.json" in text
    assert "problem a3.zip cannot be opened. It is damaged or was cut short" in text
    assert text.rstrip().endswith("1 of 6 cannot be read.")


def test_groups_and_times_are_listed(assignment: Assignment) -> None:
    text = shown(EXAMPLES / "gradescope.zip", assignment)
    assert "Zoë Müller, Chidi Okafor Zoë-Müller_40125 · 2026-02-13T23:02:59Z · group of 2" in text


def test_nothing_and_a_heap_are_listed(tmp_path: Path, assignment: Assignment) -> None:
    heap = {f"a/{i:02}.py": b"x" for i in range(30)}
    (tmp_path / "class.zip").write_bytes(zipped({**heap, "b/README.md": b"", "c/\x1b[31m.py": b"x"}))
    text = shown(tmp_path / "class.zip", assignment)
    assert "… 18 more files" in text
    assert "\x1b" not in text


def test_what_a_file_is_taken_for(tmp_path: Path, assignment: Assignment) -> None:
    files = {
        "a.ipynb": notebook("def predict(): pass"),
        "b.ipynb": b"{",
        "c.py": b"# In[1]:\nclass MultiHeadAttention: pass\n# def finetune(): pass",
        "d.safetensors": b"x",
        "e.csv": b"x",
        "f.pdf": b"%PDF",
        "answers.toml": b"",
    }
    (tmp_path / "work.zip").write_bytes(zipped(files))
    listed = inventory(read_class(tmp_path / "work.zip").hand_ins[0], assignment)
    assert {row.path: row.taken_for for row in listed.rows} == {
        "a.ipynb": "notebook, 1 cells: predict (cell 1)",
        "answers.toml": "answers",
        "b.ipynb": "notebook, not readable",
        "c.py": "code, exported from a notebook: MultiHeadAttention",
        "d.safetensors": "weights, 1 bytes",
        "e.csv": "not used",
        "f.pdf": "text",
    }
    assert listed.missing[:3] == ("PositionalEncoding", "first_samples", "finetune")
    assert any(note.startswith("b.ipynb: it is not valid JSON") for note in listed.notes)


def test_the_command_lists_and_grades_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, [str(EXAMPLES / "moodle.zip"), "--list"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("moodle.zip: a Moodle download, 4 hand-ins")
    assert not (tmp_path / "reports").exists()
