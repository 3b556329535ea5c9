"""The zygote's life: start, failure to start, death, end; and what is left behind, which is nothing."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.errors import IsolationUnavailable, WorkerStartFailed
from grader.worker import Call, Worker, Zygote, ZygoteSpec
from grader.worker.inside import wire

from .conftest import SEALED, value_of

BARE = ZygoteSpec(preload=())
ONE = [("a.py", b"def f():\n    return 1\n")]


def test_the_package_imports_no_torch() -> None:
    code = "import sys, grader.worker; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_this_machine_can_seal() -> None:
    """Linux with Landlock is what the grader asks for; without it nothing may be graded, nor this suite be green."""
    assert SEALED


def test_auto_takes_the_best_level_and_says_what_it_gives() -> None:
    with Zygote(BARE) as zygote:
        assert zygote.isolation.level == SEALED[0]
        assert zygote.isolation.guarantees
        assert zygote.isolation.caveats


def test_none_is_taken_only_by_name() -> None:
    with Zygote(BARE, isolation="none") as zygote:
        assert zygote.isolation.level == "none"
        assert "Nothing is sealed off" in zygote.isolation.caveats[0]


def test_start_returns_before_it_is_ready_and_close_ends_it_in_the_middle() -> None:
    zygote = Zygote(ZygoteSpec(preload=("torch",)))
    zygote.start()
    pid = zygote.pid
    zygote.close()
    zygote.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("harness", "words"),
    [("1 / 0", "division by zero"), ("def warm_up():\n    import nothing_here", "nothing_here")],
)
def test_a_broken_harness_is_our_fault_and_shown(tmp_path: Path, harness: str, words: str) -> None:
    path = tmp_path / "harness.py"
    path.write_text(harness)
    with (
        pytest.raises(WorkerStartFailed, match=words),
        Zygote(ZygoteSpec(harness=path, preload=())) as zygote,
    ):
        zygote.wait_ready()


def test_a_package_that_is_not_there_is_our_fault() -> None:
    with (
        pytest.raises(WorkerStartFailed, match="no_such_package"),
        Zygote(ZygoteSpec(preload=("no_such_package",))) as z,
    ):
        z.wait_ready()


def test_a_harness_that_prints_and_dies_is_told(tmp_path: Path) -> None:
    path = tmp_path / "harness.py"
    path.write_text("import os\nos.write(2, b'famous last words')\nos._exit(3)\n")
    with (
        pytest.raises(WorkerStartFailed, match="famous last words"),
        Zygote(ZygoteSpec(harness=path, preload=())) as z,
    ):
        z.wait_ready()


def test_a_killed_zygote_is_our_fault() -> None:
    with Zygote(BARE) as zygote:
        zygote.worker(ONE).close()
        os.kill(zygote.pid, signal.SIGKILL)
        os.waitid(os.P_PID, zygote.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(WorkerStartFailed, match="gone"):
            zygote.worker(ONE)


def test_elsewhere_than_linux_only_none_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(IsolationUnavailable, match="--unsafe-no-isolation"):
        Zygote(BARE, isolation="auto").start()


def test_workers_live_side_by_side_and_end_in_any_order() -> None:
    with Zygote(BARE) as zygote:
        workers = [
            zygote.worker([("a.py", f"def f():\n    return {i}\n".encode())], name=str(i)) for i in range(4)
        ]
        for i in (2, 0, 3, 1):
            assert value_of(workers[i].run([Call("student:f")])[0]) == i
            workers[i].close()
            workers[i].close()


@pytest.fixture
def open_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stands in for the machine's folder of temporary files: every user can pass through it."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


def test_nothing_grows_and_nothing_is_left(level: str, open_folder: Path) -> None:
    def descriptors() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    with Zygote(BARE, isolation=level) as zygote:
        zygote.worker(ONE).close()
        before = descriptors()
        for _ in range(30):
            with zygote.worker(ONE) as worker:
                assert value_of(worker.run([Call("student:f")])[0]) == 1
        assert descriptors() == before
        children = Path(f"/proc/{zygote.pid}/task/{zygote.pid}/children").read_text().split()
        assert len(children) <= 1
    assert not list(open_folder.iterdir())


def test_an_argument_that_cannot_travel_is_our_mistake(make: Callable[..., Worker]) -> None:
    worker = make("none", {"a.py": "def f(x):\n    return 1\n"})
    with pytest.raises(wire.Unsendable, match="student:f args"):
        worker.run([Call("student:f", (object(),))])
    assert value_of(worker.run([Call("student:f", (1,))])[0]) == 1


JUDGE = """
import sys
from grader.worker import Call, Zygote, ZygoteSpec
with Zygote(ZygoteSpec(preload=()), isolation=sys.argv[1]) as zygote:
    worker = zygote.worker([("a.py", b"def f():\\n    while True: pass\\n")])
    print(open(f"/proc/self/fdinfo/{worker.process.pidfd}").read().split("Pid:")[1].split()[0], flush=True)
    worker.run([Call("student:f")], timeout_s=3600)
"""


def test_no_worker_outlives_a_judge_that_was_killed(level: str, open_folder: Path) -> None:
    environment = os.environ | {"TMPDIR": str(open_folder)}
    with subprocess.Popen(
        [sys.executable, "-c", JUDGE, level], stdout=subprocess.PIPE, env=environment
    ) as judge:
        assert judge.stdout is not None
        pidfd = os.pidfd_open(int(judge.stdout.readline()))
        judge.kill()
    assert select.select([pidfd], [], [], 60)[0] == [pidfd]
    os.close(pidfd)
