"""`grade` as a program: one import of torch, forked before the zygote could learn anything of the judge's."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.worker import twin

CANARY = "canary-5b1f0c77d2"
SPY = """
import gc
import os
import sys

import torch


def seen():
    yield from os.environ.items()
    yield from sys.argv
    yield from sys.path
    for thing in gc.get_objects():
        if isinstance(thing, (dict, list, tuple)):
            values = thing.values() if isinstance(thing, dict) else thing
            yield from (v for v in list(values) if isinstance(v, str))
    for number in range(3, 64):
        try:
            yield os.pread(number, 65536, 0).decode("latin-1")
        except OSError:
            pass


class MultiHeadAttention(torch.nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        words = "canary" + "-" + "5b1f0c77d2"
        hits = sum(words in str(text) for text in seen() if text is not words)
        threads = os.environ["OMP_NUM_THREADS"]
        raise RuntimeError(f"found {hits}; with {threads} thread; collector {gc.get_threshold()}")
"""


def grade(folder: Path, out: Path, *words: str) -> tuple[subprocess.CompletedProcess[str], Any]:
    run = subprocess.run(
        [sys.executable, "-m", "grader", str(folder), "--out", str(out), *words],
        env={**os.environ, "SECRET_OF_THE_INSTRUCTOR": CANARY},
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return run, json.loads((out / "report.json").read_text(encoding="utf-8"))


def test_the_zygote_never_held_what_the_judge_was_told(tmp_path: Path) -> None:
    folder = tmp_path / "spy"
    folder.mkdir()
    (folder / "layers.py").write_text(SPY, encoding="utf-8")
    run, report = grade(folder, tmp_path / CANARY, "--check", "2c.self")
    assert run.returncode == 1, run.stderr
    (check,) = report["checks"]
    assert check["status"] == "failed"
    assert "found 0;" in check["message"]
    assert "with 1 thread" in check["message"]
    assert f"collector {gc.get_threshold()}" in check["message"]
    assert CANARY not in json.dumps(report)


def test_the_judge_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "answers.toml").write_text("[2a]\nnorm = 2.7053\n", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "grader", "work", "--part", "2", "--format", "json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stderr
    assert (tmp_path / "reports" / "work" / "report.json").is_file()
    assert "zygote" not in run.stderr


def test_only_the_program_starts_over() -> None:
    twin.start_over()  # were it allowed here, pytest would be replaced
    assert twin.take() is None


def test_no_folder_of_a_zygote_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    subprocess.run(
        [sys.executable, "-m", "grader", str(folder), "--check", "2c.self", "--out", str(tmp_path / "out")],
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        check=False,
    )
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_torch_is_imported(number: signal.Signals, tmp_path: Path) -> None:
    folder, temporary = tmp_path / "work", tmp_path / "tmp"
    folder.mkdir()
    temporary.mkdir()
    run = subprocess.Popen(
        [sys.executable, "-m", "grader", str(folder), "--check", "2c.self", "--out", str(tmp_path / "out")],
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not _imports_torch(run.pid):
        assert run.poll() is None, "it ended before it was stopped"
    run.send_signal(number)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert said == "Stopped. No report was written.\n"
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "out").exists()


def _imports_torch(pid: int) -> bool:
    """Whether the process has started over and mapped torch's first library."""
    try:
        return "libtorch" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
