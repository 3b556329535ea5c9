"""The benchmarks still work, and the ways that they compare give the same."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import pytest
import torch

from grader.assignment import load_assignment
from scripts import bench_checkpoint, bench_finetune, usual
from scripts.bench import REPOSITORY


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """The scripts compute on one thread."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("script", "apart"),
    [(bench_finetune, "difference of a loss"), (bench_checkpoint, "difference of a logit")],
)
def test_both_ways_agree(
    script: object, apart: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--smoke"])
    script.main()  # type: ignore[attr-defined]
    shown = capsys.readouterr().out
    found = re.search(rf"{apart} ([\d.e+-]+)", shown)
    assert found is not None, shown
    assert float(found[1]) < 1e-5


def test_the_usual_way_judges_alike() -> None:
    """What `grade` is measured against runs the same checks, and finds the same."""
    done = subprocess.run(
        usual.command(REPOSITORY / "submissions" / "alice", ["2c", "4a"]),
        cwd=REPOSITORY,
        env={**os.environ, **usual.ENVIRONMENT},
        capture_output=True,
        text=True,
    )
    of_the_parts = [c for c in load_assignment().checks if c.part in ("2c", "4a")]
    prose = [c for c in of_the_parts if c.review]
    assert prose
    last = done.stdout.strip().splitlines()[-1]
    assert f"{len(prose)} failed, {len(of_the_parts) - len(prose)} passed" in last, done.stdout
