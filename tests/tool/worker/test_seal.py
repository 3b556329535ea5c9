"""Conformance: what every sealing level must refuse, whoever runs the grader and wherever."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from grader.worker import Call, Raised, Returned, Worker, WorkerCrashed, WorkerFailure, Zygote

from .conftest import HERE, SECRET, value_of

Make = Callable[..., Worker]
PROBES = (HERE / "handins" / "probes.py").read_text()

REFUSED = [
    "environment_of_others", "memory_of_parent", "write_site_packages", "write_shared_memory", "make_device",
    "tcp", "udp", "tcp6", "unix_socket", "netlink", "vsock", "raw_socket",
    "fork", "clone3", "execute", "start_process", "multiprocess", "kill_parent", "kill_everyone", "kill_group",
    "signal_by_pidfd", "trace_parent", "owner_of_signals", "priority_of_parent", "affinity_of_parent",
    "limits_of_parent", "namespaces", "mount", "change_root", "become_root", "raise_limits",
    "memory_file", "clock", "identity", "one_large_file", "many_threads", "many_descriptors", "anonymous_memory",
]  # fmt: skip
REFUSED_ON_X86 = [
    "vfork", "shared_memory_of_system", "message_queue_of_system", "io_uring", "bpf", "perf", "keys", "userfaultfd",
    "personality", "inotify",
]  # fmt: skip
READS = [
    "read", "listing", "read_by_link", "read_by_hard_link", "read_upwards", "read_of_own_root", "read_of_init_root",
    "read_by_handle",
]  # fmt: skip
WRITES = ["write", "truncate", "delete", "rename", "make_folder"]


@pytest.fixture(scope="session")
def shared(sealed: str, zygotes: Callable[[str], Zygote]) -> Iterator[Worker]:
    with zygotes(sealed).worker([("probes.py", PROBES.encode())]) as worker:
        yield worker


@pytest.fixture
def probe(shared: Worker) -> Callable[..., object]:
    return lambda name, *args: shared.run([Call(f"student:{name}", args)], timeout_s=30)[0]


def refused(reply: object) -> bool:
    return isinstance(reply, Raised) and reply.kind == "exception"


@pytest.mark.parametrize("name", REFUSED + (REFUSED_ON_X86 if os.uname().machine == "x86_64" else []))
def test_it_is_refused(probe: Callable[..., object], name: str) -> None:
    reply = probe(name)
    assert refused(reply), reply
    assert reply.type_name in {  # type: ignore[attr-defined]
        "PermissionError", "FileNotFoundError", "OSError", "ProcessLookupError", "RuntimeError", "MemoryError",
        "ValueError",
    }  # fmt: skip


@pytest.mark.parametrize("name", READS)
def test_the_judges_files_cannot_be_read(probe: Callable[..., object], secret: Path, name: str) -> None:
    target = str(secret.parent if name == "listing" else secret)
    assert refused(probe(name, target))


@pytest.mark.parametrize("name", WRITES)
def test_the_judges_files_cannot_be_changed(probe: Callable[..., object], secret: Path, name: str) -> None:
    assert refused(probe(name, str(secret)))
    assert secret.read_text() == SECRET
    assert [p.name for p in secret.parent.iterdir()] == [secret.name]


@pytest.mark.parametrize(
    "place", ["grader/model.py", "grader/worker/host.py", "pyproject.toml", "tests", "reference"]
)
def test_the_grader_itself_cannot_be_read(probe: Callable[..., object], place: str) -> None:
    target = HERE.parents[2] / place
    assert target.exists()
    assert refused(probe("listing" if target.is_dir() else "read", str(target)))


def test_an_installed_grader_cannot_be_read(probe: Callable[..., object], sealed: str) -> None:
    """The wheel carries tests and reference inside site-packages, beside torch, which must be readable."""
    packages = Path(torch.__file__).parents[1]
    inside = packages / "grader"
    found = [p for p in inside.rglob("*") if p.is_file()] if inside.is_dir() else []
    for path in found[:5]:
        assert refused(probe("read", str(path)))
    assert value_of(probe("read", str(packages / "torch" / "version.py")))


@pytest.mark.parametrize(
    "place", ["/etc/passwd", "/etc/shadow", "/etc/hostname", "/proc/self/environ", "/proc/1/cmdline"]
)
def test_the_machine_cannot_be_read(probe: Callable[..., object], place: str) -> None:
    reply = probe("read", place)
    assert refused(reply) or value_of(reply).startswith("student:x:1000:")


def test_another_hand_in_cannot_be_read(sealed: str, make: Make) -> None:
    where = "import os\ndef f():\n    return os.path.abspath('notes.txt')\n"
    other = make(sealed, {"a.py": where, "notes.txt": SECRET})
    worker = make(sealed, {"probes.py": PROBES})
    (path,) = other.run([Call("student:f")])
    (reply,) = worker.run([Call("student:read", (value_of(path),))])
    assert refused(reply)


def test_nothing_is_left_for_the_next(sealed: str, make: Make) -> None:
    source = (
        "import os, sys, torch, builtins\ndef leave():\n    open('mark', 'w').close()\n"
        "    open(os.path.join(os.environ['TMPDIR'], 'mark'), 'w').close()\n    torch.mark = builtins.mark = 1\n"
        "def found():\n    import builtins\n"
        "    return [os.listdir('.'), os.listdir(os.environ['TMPDIR']), os.listdir(os.environ['HOME']),\n"
        "            hasattr(torch, 'mark'), hasattr(builtins, 'mark')]\n"
    )
    first = make(sealed, {"a.py": source})
    assert isinstance(first.run([Call("student:leave")])[0], Returned)
    second = make(sealed, {"a.py": source})
    assert value_of(second.run([Call("student:found")])[0]) == [["a.py"], [], [], False, False]


def test_it_holds_no_descriptor_of_the_judge(sealed: str, make: Make) -> None:
    worker = make(sealed, {"probes.py": PROBES})
    assert value_of(worker.run([Call("student:descriptors")])[0]) == [0, 1, 2, 3]


def test_it_holds_no_variable_of_the_judge(probe: Callable[..., object]) -> None:
    ours = {"PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "PWD", "USER", "LOGNAME", "MALLOC_ARENA_MAX"}
    libraries = ("OMP_", "MKL_", "OPENBLAS_", "PYTHON", "HF_", "TOKENIZERS_", "ARROW_", "TORCH")
    names = value_of(probe("own_environment"))
    assert [name for name in names if name not in ours and not name.startswith(libraries)] == []


def test_what_the_kernel_says_of_it(sealed: str, shared: Worker) -> None:
    """The one capability allowed: to read, at level container, where only root may read the interpreter."""
    pid = Path(f"/proc/self/fdinfo/{shared.process.pidfd}").read_text().split("Pid:")[1].split()[0]
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    assert int(status["CapEff"], 16) in ({0} if sealed == "strict" else {0, 1 << 1, 1 << 2})
    assert int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Seccomp"].strip() == "2"


def test_no_secret_is_in_memory_or_on_the_stack(probe: Callable[..., object], secret: Path) -> None:
    assert value_of(probe("everything_in_memory", str(secret)[-20:])) == 0
    stack = value_of(probe("stack_of_callers"))
    assert all("inside" in f or "probes.py" in f or f.startswith("<") for f in stack)
    assert not any("host.py" in f or "pytest" in f for f in stack)


@pytest.mark.parametrize("name", ["fill_disk", "fill_inodes"])
def test_the_private_folder_is_limited(sealed: str, make: Make, name: str) -> None:
    worker = make(sealed, {"probes.py": PROBES})
    if sealed == "strict":  # a file system of its own
        (reply,) = worker.run([Call(f"student:{name}")], timeout_s=60)
        assert refused(reply)
        assert "No space left" in reply.message
    else:
        with pytest.raises(WorkerCrashed, match=r"The code (wrote|made) more than"):
            worker.run([Call(f"student:{name}")], timeout_s=60)


def test_the_cpu_runs_as_fast_inside(zygotes: Callable[..., object], sealed: str) -> None:
    environment = zygotes(sealed).environment  # type: ignore[attr-defined]
    assert environment["cpu_capability"] == torch.backends.cpu.get_cpu_capability()


@pytest.mark.parametrize(
    "path",
    ["/tmp/planted-{pid}", "../planted-{pid}", "a/../../planted-{pid}", "a//b", "", "nul\0", "x" * 5000],
)
def test_a_path_that_leads_out_is_left_out(sealed: str, make: Make, path: str) -> None:
    path = path.format(pid=os.getpid())
    worker = make(sealed, {path: "planted", "a.py": "def f():\n    return 1\n"})
    assert value_of(worker.run([Call("student:f")])[0]) == 1
    assert not Path(f"/tmp/planted-{os.getpid()}").exists()


def test_threads_die_with_the_worker(sealed: str, make: Make) -> None:
    source = (
        "import threading, time\ndef f():\n    for _ in range(5):\n"
        "        threading.Thread(target=time.sleep, args=(9999,)).start()\n    return 1\n"
    )
    worker = make(sealed, {"a.py": source})
    assert value_of(worker.run([Call("student:f")])[0]) == 1
    worker.close()
    assert not worker.alive
    with pytest.raises(WorkerFailure):
        worker.run([Call("student:f")])
