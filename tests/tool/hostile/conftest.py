"""One scene, one arena a level, the record of what was seen, and the same corpus beside it as an ordinary user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.checking import threads

from .arena import Arena
from .scene import REPOSITORY, Scene, set_up

WHOLE = "HOSTILE_WHOLE"
"""Environment variable: leave no case out."""
RECORD = "HOSTILE_RECORD"
"""Environment variable: the file that takes the record."""
HERE = Path(__file__).parent


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
    """What was seen: attack, level, user, and what became of it."""
    seen: list[dict[str, str]] = []
    yield seen
    if path := os.environ.get(RECORD):
        Path(path).write_text(json.dumps(seen, indent=1))


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """The other core is busy with the other user."""
    with threads.one_thread():
        yield


class Elsewhere:
    """The corpus, run by an ordinary user in a process of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="elsewhere-"))
        self.folder.chmod(0o777)
        place = [sys.executable, str(HERE.parent / "worker" / "elsewhere.py"), "user"]
        suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "test_corpus.py")]
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": "/",
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
        }
        environment |= {name: os.environ[name] for name in (WHOLE,) if name in os.environ}
        with (self.folder / "output").open("wb") as output:
            self.process = subprocess.Popen(
                place + suite,
                cwd=REPOSITORY,
                env=environment | {RECORD: str(self.folder / "record")},
                stdout=output,
                stderr=output,
            )

    def wait(self) -> tuple[int, str, list[dict[str, str]]]:
        """Exit code, output and record."""
        code = self.process.wait()
        output = (self.folder / "output").read_text(errors="replace")
        written = self.folder / "record"
        return code, output, json.loads(written.read_text()) if written.exists() else []

    def close(self) -> None:
        """Ends it where it still runs."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def elsewhere(request: pytest.FixtureRequest) -> Iterator[Elsewhere | None]:
    """Started with the first test, so that both cores have work, where its test is among those to be run."""
    if not any("test_user.py" in item.nodeid for item in request.session.items) or os.geteuid() != 0:
        yield None
        return
    started = Elsewhere()
    yield started
    started.close()
