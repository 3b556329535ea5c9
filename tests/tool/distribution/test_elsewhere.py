"""The students' tool on a system without what Linux and macOS have: it is imported, and runs a check."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from grader.distribution.modules import below, needed
from grader.distribution.student import ROOTS

ALICE = Path(__file__).parents[3] / "submissions" / "alice"
ABSENT = """
import sys, os, signal, socket
import importlib, json, subprocess, tempfile, tarfile, zipfile, pytest, rich.console, torch
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for module, names in {
    os: "fork O_NOFOLLOW O_DIRECTORY O_NONBLOCK O_NOCTTY O_CLOEXEC killpg pidfd_open memfd_create getuid geteuid "
        "sched_getaffinity setsid mkfifo WNOHANG",
    signal: "SIGKILL SIGALRM SIGHUP pidfd_send_signal",
    socket: "AF_UNIX send_fds recv_fds SCM_RIGHTS",
}.items():
    for name in names.split():
        delattr(module, name)
os.name = "other"
for name in sys.argv[2:]:
    importlib.import_module(name)
from pathlib import Path
from grader.selfcheck.kit import find_kit
from grader.selfcheck.runner import run
os.name = "posix"  # pathlib and tempfile ask for it at every step
sent = []
run(find_kit(Path(sys.argv[1])), ["4c.answers", "2d.buffer"], sent.append)
print(json.dumps([message["result"]["status"] for message in sent if "result" in message]))
"""


def test_the_tool_needs_nothing_of_posix() -> None:
    names = needed([*below("grader.selfcheck"), *ROOTS], lazily=("grader.selfcheck",))
    assert "grader.intake.walk" in names
    done = subprocess.run(
        [sys.executable, "-c", ABSENT, str(ALICE), *names], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1:] == ['["passed", "passed"]'], done.stderr
