"""One scene, one arena a level, and the record of what was seen, for all attacks."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .arena import Arena
from .scene import Scene, set_up


@pytest.fixture(scope="session")
def scene() -> Iterator[Scene]:
    """Below /tmp itself: pytest's own folders are closed to other users, and here nothing but the sandbox may help."""
    root = Path(tempfile.mkdtemp(prefix="hostile-"))
    with set_up(root) as scene:
        yield scene
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def arenas(scene: Scene) -> Iterator[Callable[[str], Arena]]:
    """level -> its arena, started at the first question."""
    running: dict[str, Arena] = {}

    def arena(level: str) -> Arena:
        if level not in running:
            running[level] = Arena(level, scene)
        return running[level]

    yield arena
    for started in running.values():
        started.zygote.close()


@pytest.fixture(scope="session")
def record() -> Iterator[list[dict[str, str]]]:
    """What was seen, written to the file that HOSTILE_RECORD names."""
    seen: list[dict[str, str]] = []
    yield seen
    if path := os.environ.get("HOSTILE_RECORD"):
        Path(path).write_text(json.dumps(seen, indent=1))
