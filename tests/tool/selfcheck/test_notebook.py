"""`from grader import check` in a notebook, and that it costs nothing to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grader import check
from grader.errors import UnknownName
from grader.model import Status
from grader.selfcheck.result import Result
from grader.selfcheck.show import Results, as_html

SESSION = """
import sys
from grader import check
assert "torch" not in sys.modules and "pytest" not in sys.modules
from torch import nn
import torch

class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.layer = nn.Linear(1, 1)
    def forward(self, x):
        return self.dropout(x)

torch.manual_seed(5)
due = torch.randn(1)
torch.manual_seed(5)
first = check("2d.buffer", "2c.self", folder=sys.argv[1])
assert torch.equal(torch.randn(1), due), "the generator was disturbed"
print(first)
del PositionalEncoding
print(check("2d.buffer", folder=sys.argv[1]))
assert not [name for name in sys.modules if name == "attention"]
"""


def test_definitions_of_the_session_come_before_those_of_the_files(alice: Path, tmp_path: Path) -> None:
    script = tmp_path / "session.py"
    script.write_text(SESSION, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), str(alice)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "✗ 2d.buffer" in done.stdout
    assert "the module has parameters" in done.stdout
    assert "✓ 2c.self" in done.stdout  # from attention.py of the folder
    assert "1 of 2 public checks passed." in done.stdout
    assert "✓ 2d.buffer" in done.stdout.partition("1 of 2")[2]


def test_a_table_for_the_notebook_escapes_what_students_wrote() -> None:
    bad = Result(
        "2c.self", "A <b>title</b>", Status.FAILED, "<script>x</script>", output="<img src=x>\x1b[31m"
    )
    html = Results([bad, Result("2d.values", "Right", Status.PASSED)])._repr_html_()
    assert html == as_html([bad, Result("2d.values", "Right", Status.PASSED)])
    assert "<script>" not in html
    assert "<img" not in html
    assert "✗ failed" in html
    assert "✓ passed" in html
    assert "1 of 2 public checks passed." in html


def test_an_unknown_part_is_told(alice: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean"):
        check("2cc", folder=alice)
