"""The benchmarks of the real run still work, and both ways that they compare give the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import torch

from scripts import bench_checkpoint, bench_finetune


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
