"""Workers without a fork, as on macOS and Windows: the same replies, at level none only."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.errors import IsolationUnavailable, WorkerStartFailed
from grader.worker import Call, Limits, WorkerCrashed, WorkerTimedOut, Zygote, ZygoteSpec

from .conftest import HERE, problem_of, value_of

BARE = ZygoteSpec(preload=(), limits=Limits(tmp_inodes=100))


@pytest.fixture(scope="module")
def fresh() -> Iterator[Zygote]:
    with Zygote(BARE, isolation="none", fork=False) as zygote:
        yield zygote


def run(zygote: Zygote, source: str, timeout_s: float = 20) -> object:
    with zygote.worker([("a.py", source.encode()), ("b/data.txt", b"beside")]) as worker:
        return worker.run([Call("student:f")], timeout_s)[0]


def test_it_is_offered_only_by_name() -> None:
    with pytest.raises(IsolationUnavailable, match="cannot be sealed off"):
        Zygote(BARE, isolation="auto", fork=False).start()


def test_it_needs_nothing_that_only_linux_has() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['fcntl', 'resource', 'grp', 'pwd', 'termios']))\n"
        "import grader.worker.fresh, grader.worker\n"
        "from grader.worker.inside import serve, warm, handin, view\n"
        "sys.exit(any(m in sys.modules for m in ('grader.worker.inside.kernel', 'grader.worker.inside.seal')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_calls_prints_and_files(fresh: Zygote) -> None:
    source = "def f():\n    print('hi')\n    return [open('b/data.txt').read(), __file__.endswith('a.py')]\n"
    reply = run(fresh, source)
    assert value_of(reply) == ["beside", True]
    assert reply.output == "hi\n"  # type: ignore[attr-defined]
    assert fresh.isolation.level == "none"
    assert fresh.environment["python"]


def test_each_worker_is_a_process_of_its_own(fresh: Zygote) -> None:
    source = (
        "import os, builtins\ndef f():\n    old = hasattr(builtins, 'mark')\n"
        "    builtins.mark = 1\n    return [os.getpid(), old]\n"
    )
    (first, old), (second, again) = value_of(run(fresh, source)), value_of(run(fresh, source))
    assert first != second
    assert (old, again) == (False, False)


def test_the_harness_its_assets_and_pytorch(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("attention")
    spec = ZygoteSpec(harness=HERE / "handins" / "harness.py", assets=tmp_path, preload=("torch",))
    with (
        Zygote(spec, isolation="none", fork=False) as zygote,
        zygote.worker([("a.py", b"def g(x): return x + 1")]) as w,
    ):
        replies = w.run(
            [Call("harness:asset"), Call("harness:warmed"), Call("harness:call_student", ("g", 1))]
        )
    assert [value_of(r) for r in replies] == ["attention", [2.0, False], 2]


def test_failures_are_told(fresh: Zygote) -> None:
    assert problem_of(run(fresh, "def f():\n    1 / 0\n"), "exception").frames[0].file == "a.py"
    with pytest.raises(WorkerTimedOut):
        run(fresh, "def f():\n    while True: pass\n", timeout_s=0.2)
    with pytest.raises(WorkerCrashed, match="exit status 7"):
        run(fresh, "import os\ndef f():\n    os._exit(7)\n")
    with pytest.raises(WorkerCrashed, match="SIGSEGV"):
        run(fresh, "import ctypes\ndef f():\n    ctypes.string_at(0)\n")
    with pytest.raises(WorkerCrashed, match="files and folders"):
        run(
            fresh,
            "import os\ndef f():\n    i = 0\n    while True:\n        i += 1\n        os.mkdir(str(i))\n",
        )


def test_a_start_that_fails_is_our_fault(tmp_path: Path) -> None:
    path = tmp_path / "harness.py"
    path.write_text("1 / 0")
    with pytest.raises(WorkerStartFailed, match="division by zero"):
        Zygote(ZygoteSpec(harness=path, preload=()), isolation="none", fork=False).wait_ready()
    path.write_text("import os\nos.write(2, b'famous last words')\nos._exit(3)\n")
    with pytest.raises(WorkerStartFailed, match="famous last words"):
        Zygote(ZygoteSpec(harness=path, preload=()), isolation="none", fork=False).wait_ready()
