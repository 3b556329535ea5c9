"""The same from the program `grade`, whose zygote is forked from its own process before that has learnt anything."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from .attacks import CORPUS
from .scene import REPOSITORY

PROBES = (
    "own_environment",
    "objects_in_memory",
    "stack_walk",
    "heap",
    "descriptors",
    "environments",
    "command_lines",
)
TAIL = f"""
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, *args):
        super().__init__()
        said = []
        for probe in ({", ".join(PROBES)}):
            try:
                said.append("GOT " + "THROUGH " + repr(probe())[:300])
            except Exception as error:
                said.append(type(error).__name__ + " " + str(error))
        raise RuntimeError("; ".join(said))
"""


@pytest.mark.parametrize("level", ["strict", "container"])
def test_nothing_of_the_judge_is_in_the_zygotes_memory(level: str, tmp_path: Path) -> None:
    secret = "canary-" + secrets.token_hex(12)
    hand_in = tmp_path / secret  # so that it is in the command line too
    hand_in.mkdir()
    source = (CORPUS / "reading.py").read_text(encoding="utf-8").replace("@GRADER@", str(REPOSITORY))
    (hand_in / "attention.py").write_text(source + TAIL, encoding="utf-8")
    out = tmp_path / "report"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "grader",
            str(hand_in),
            "--check",
            "2c.self",
            "--out",
            str(out),
            "--isolation",
            level,
        ],
        cwd=REPOSITORY,
        env=os.environ | {"HOSTILE_CANARY": secret},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    told = (
        (out / "report.json").read_text(encoding="utf-8").replace(f'"{secret}"', "")
    )  # its own name is no secret
    assert "found nothing" in told
    assert "GOT THROUGH" not in told
    assert secret not in told
