"""The conformance suite again as an ordinary user, and in what a container leaves of the kernel."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .conftest import HERE, SEALED

PLACES = {"container": ["container"], "user": SEALED, "rootless": ["container"]}
"""Where, and the levels that can be reached there."""
if os.geteuid() != 0:  # then the suite itself is run by an ordinary user
    PLACES = {"container": ["container"]}


@pytest.mark.parametrize("place", PLACES)
def test_conformance(place: str) -> None:
    suite = [
        sys.executable,
        "-m",
        "pytest",
        "-v",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
        str(HERE / "test_seal.py"),
    ]
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "elsewhere.py"), place, *suite],
        cwd=HERE.parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-2_000:]
    reached = [
        level
        for level in ("strict", "container")
        if f"test_it_is_refused[{level}-fork] PASSED" in done.stdout
    ]
    assert reached == PLACES[place]
