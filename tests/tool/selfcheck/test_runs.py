"""The process behind `grade check`: whatever student code does there, each check has one result."""

from __future__ import annotations

import dataclasses
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from grader.errors import UnknownName, UsageError
from grader.model import Status
from grader.selfcheck.changed import concerned, stamps, watched
from grader.selfcheck.command import watching
from grader.selfcheck.kit import Kit, find_kit
from grader.selfcheck.result import Result
from grader.selfcheck.runs import Runs

Run = Callable[..., Mapping[str, Result]]


def test_a_process_that_ends_costs_one_check(alice: Path, run: Run) -> None:
    code = (alice / "attention.py").read_text(encoding="utf-8")
    broken = code.replace("class PositionalEncoding", "import os\nclass PositionalEncoding").replace(
        "self, embed_dim, dropout=0.1, max_len=5000):",
        "self, embed_dim, dropout=0.1, max_len=5000):\n        os._exit(3)",
    )
    assert broken.count("os._exit") == 1
    (alice / "attention.py").write_text(broken, encoding="utf-8")
    results = run("2c.self", "2d.values", "2d.answers")
    assert {id: r.status for id, r in results.items()} == {
        "2c.self": Status.PASSED,
        "2d.values": Status.CRASHED,
        "2d.answers": Status.PASSED,
    }


def test_what_raises_is_shown_where_it_did(alice: Path, run: Run) -> None:
    (alice / "attention.py").write_text(
        "class MultiHeadAttention:\n    print('hello')\n    1 / 0\n", encoding="utf-8"
    )
    result = run("2c.self")["2c.self"]
    assert (result.status, result.where) == (Status.FAILED, "attention.py, line 3: 1 / 0")
    assert "ZeroDivisionError" in result.message
    assert "hello" in result.output
    assert result.uses == ("attention.py",)
    (alice / "attention.py").write_text("def f(:\n  MultiHeadAttention", encoding="utf-8")
    assert "attention.py, line 1" in run("2c.self")["2c.self"].message


def test_a_hang_ends_at_its_limit(alice: Path, kit: Kit) -> None:
    (alice / "attention.py").write_text("while True: MultiHeadAttention = 1\n", encoding="utf-8")
    hurried = dataclasses.replace(kit, timeout_s={"2": 0.2})
    with Runs(hurried, []) as runs:
        (result,) = runs.run(hurried.select(["2c.self"]))
    assert result.status is Status.TIMEOUT
    assert "0.2 seconds" in result.message


def test_where_a_process_cannot_be_copied_each_run_has_a_fresh_one(alice: Path, kit: Kit) -> None:
    checks = kit.select(["4c.answers", "4d.answers"])
    with Runs(kit, [], fork=False) as runs:
        first, second = runs.run(checks), runs.run(checks)
    assert [r.status for r in (*first, *second)] == [Status.PASSED] * 4


def test_only_what_a_save_concerns_runs_again(alice: Path, kit: Kit, runs: Runs) -> None:
    shown = Console(width=100, file=io.StringIO())
    before = runs.run
    asked: list[list[str]] = []

    def counted(checks, on_result=lambda result: None):  # type: ignore[no-untyped-def]
        asked.append([check.id for check in checks])
        return before(checks, on_result)

    def saves():  # type: ignore[no-untyped-def]
        code = (alice / "attention.py").read_text(encoding="utf-8")
        (alice / "attention.py").write_text(code.replace("== 0", "== 1"), encoding="utf-8")
        yield {"attention.py"}
        (alice / "attention.py").write_text(code, encoding="utf-8")
        yield {"attention.py"}
        yield {"nothing that a check reads"}

    runs.run = counted  # type: ignore[method-assign]
    try:
        watching(kit, kit.select(["2c.masked", "2d.answers"]), runs, shown, saves())
    finally:
        del runs.run
    assert asked == [["2c.masked", "2d.answers"], ["2c.masked"], ["2c.masked"]]
    text = shown.file.getvalue()  # type: ignore[attr-defined]
    assert "1 of 2 public checks passed." in text
    assert text.count("2 public checks passed.") == 2 + 1  # the middle one is "1 of 2"
    assert "(new)" in text
    assert "all passed" not in text.lower()


def test_the_command_sees_a_save(alice: Path) -> None:
    answers = alice / "answers.toml"
    command = [sys.executable, "-m", "grader", "check", "4c", "--watch", "--in", str(alice)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None

        def until(end: str) -> None:
            assert any(end in line for line in process.stdout or ()), f"it ended before {end!r}"

        until("1 public check passed.")
        text = answers.read_text(encoding="utf-8")
        assert "268_435_456" in text
        answers.write_text(text.replace("268_435_456", '"268 sheep"'), encoding="utf-8")
        until("0 of 1 public checks passed.")
        answers.write_text(text, encoding="utf-8")
        until("1 public check passed.")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_which_checks_a_change_concerns(kit: Kit) -> None:
    checks = kit.select(["2c.self", "4c.answers", "2d.values"])
    last = {
        "2c.self": Result("2c.self", "", Status.PASSED, uses=("attention.py", "helpers.py")),
        "2d.values": Result("2d.values", "", Status.MISSING),
        "4c.answers": Result("4c.answers", "", Status.PASSED, uses=("answers.toml",)),
    }

    def after(changed: dict[str, tuple[int, int]]) -> list[str]:
        before = {"attention.py": (1, 1), "helpers.py": (1, 1), "answers.toml": (1, 1)}
        return [check.id for check in concerned(checks, last, before, before | changed)]

    assert after({}) == []
    assert after({"helpers.py": (2, 1)}) == ["2c.self", "2d.values"]
    assert after({"answers.toml": (2, 1)}) == ["2d.values", "4c.answers"]
    assert after({"new.py": (1, 1)}) == ["2c.self", "2d.values"]


def test_what_is_watched(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    for name in ("a.py", "b.ipynb", "answers.toml", "results/x.json", "c.png", ".hidden.py"):
        (tmp_path / name).write_text("")
    assert sorted(stamps(tmp_path)) == ["a.py", "answers.toml", "b.ipynb", "results/x.json"]
    assert [watched(n) for n in ("/w/a.py", "/w/.a.py.swp", "/w/.ipynb_checkpoints/a.ipynb", "/w/c.png")] == [
        True, False, False, False,
    ]  # fmt: skip


def test_names_and_folders_that_do_not_exist(kit: Kit, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="2c"):
        kit.select(["2cc"])
    with pytest.raises(UsageError, match="does not exist"):
        find_kit(tmp_path / "nowhere")
