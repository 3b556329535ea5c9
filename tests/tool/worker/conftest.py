"""One zygote for each level of isolation that this machine has, shared by all tests of the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.errors import IsolationUnavailable
from grader.worker import Call, Limits, Raised, Reply, Returned, Worker, Zygote, ZygoteSpec

HERE = Path(__file__).parent
MIB = 2**20
LIMITS = Limits(
    memory_bytes=768 * MIB,
    cpu_s=20,
    tmp_bytes=8 * MIB,
    tmp_inodes=200,
    file_bytes=4 * MIB,
    reply_bytes=16 * MIB,
)
SECRET = "the expected value is 42"


def has(level: str) -> bool:
    """Can this machine reach `level`? Asked of a zygote that imports nothing."""
    try:
        with Zygote(ZygoteSpec(preload=()), isolation=level) as zygote:
            return zygote.isolation.level == level
    except IsolationUnavailable:
        return False


SEALED = [level for level in ("strict", "container") if has(level)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`level`: every level; `sealed`: every level that seals."""
    if "level" in metafunc.fixturenames:
        metafunc.parametrize("level", [*SEALED, "none"], scope="session")
    if "sealed" in metafunc.fixturenames:
        metafunc.parametrize("sealed", SEALED, scope="session")


@pytest.fixture(scope="session")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the judge's, world-readable, beside which student code runs."""
    folder = tmp_path_factory.mktemp("judge")
    path = folder / "expected.txt"
    path.write_text(SECRET)
    return path


@pytest.fixture(scope="session")
def zygotes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Zygote]]:
    """level -> its zygote, started at the first question."""
    assets = tmp_path_factory.mktemp("assets")
    assets.chmod(0o755)
    (assets / "words.txt").write_text("attention is all you need")
    spec = ZygoteSpec(
        harness=HERE / "handins" / "harness.py", assets=assets, preload=("torch",), limits=LIMITS
    )
    running: dict[str, Zygote] = {}

    def zygote(level: str) -> Zygote:
        if level not in running:
            running[level] = Zygote(spec, isolation=level)
            running[level].start()
        return running[level]

    yield zygote
    for started in running.values():
        started.close()


@pytest.fixture
def make(zygotes: Callable[[str], Zygote]) -> Iterator[Callable[..., Worker]]:
    """(level, {path: text}) -> a worker, closed after the test."""
    made: list[Worker] = []

    def worker(level: str, files: dict[str, str | bytes]) -> Worker:
        listed = [(path, text.encode() if isinstance(text, str) else text) for path, text in files.items()]
        made.append(zygotes(level).worker(listed))
        return made[-1]

    yield worker
    for each in made:
        each.close()


@pytest.fixture
def ask(make: Callable[..., Worker]) -> Callable[..., Reply]:
    """(level, source, name, *args) -> the reply of one call of the student's function `name`."""

    def reply(
        level: str, source: str | bytes, name: str = "f", *args: object, timeout_s: float = 20
    ) -> Reply:
        worker = make(level, {"code.py": source})
        return worker.run([Call(f"student:{name}", args)], timeout_s)[0]

    return reply


def value_of(reply: Reply) -> object:
    """The value of a reply that must be there."""
    assert isinstance(reply, Returned), reply
    return reply.value


def problem_of(reply: Reply, kind: str) -> Raised:
    """The problem of a reply that must be of that kind."""
    assert isinstance(reply, Raised), reply
    assert reply.kind == kind, reply
    return reply
