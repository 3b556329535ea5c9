"""The process in which student code runs: it has imported what is slow to import before there is anything to check.

    <- {"checks": ["2c.self", …]}     one line on standard input: run these
    -> {"start": "2c.self"}           one line on the pipe that was standard output, for each check
    -> {"result": {…}}
    -> {"done": exit status}

On Linux a copy of this process is forked for each line, so that the next one finds it as it was. Elsewhere, where a
fork of a process with threads is not safe, it runs one line and ends; the one who asked keeps another ready.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

FORKS = sys.platform == "linux"
"""Whether a copy of the warm process is safe here, and the kernel ends it with its parent."""
_UNUSED = (
    "cacheprovider", "stepwise", "doctest", "junitxml", "pastebin", "setuponly", "setupplan", "unittest",
    "faulthandler", "unraisableexception", "threadexception",
)  # fmt: skip
"""Plugins of pytest that no check uses. The last two would end each run with full garbage collections."""
Send = Callable[[dict[str, Any]], None]


def main(arguments: Sequence[str]) -> None:
    """`runner fork|once KIT WORK [PACKAGE ...]`: serve standard input until it ends, or one line of it."""
    wire = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what anything prints outside of a check is no line of ours
    _end_with_parent()
    os.environ["TORCHDYNAMO_DISABLE"] = (
        "1"  # torch.compile would start a C++ compiler for modules that are tiny
    )
    how, kit_root, work, *packages = arguments
    from grader.selfcheck.kit import read_kit

    _warm(packages)
    kit = read_kit(Path(kit_root), Path(work))
    gc.collect()
    gc.freeze()  # what is here stays: a copy need not look at it, and so not copy its pages
    for line in sys.stdin:
        request = json.loads(line)
        if how == "once":
            _send(wire, {"done": run(kit, request["checks"], lambda message: _send(wire, message))})
            return
        pid = os.fork()
        if pid == 0:
            _end_with_parent()
            code = run(kit, request["checks"], lambda message: _send(wire, message))
            wire.flush()
            os._exit(code)
        _send(wire, {"done": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])})


def run(
    kit: Any, ids: Sequence[str], send: Send = lambda message: None, live: dict[str, Any] | None = None
) -> int:
    """One pytest session over some checks; its exit status."""
    import pytest

    from grader.selfcheck.plugin import SelfChecks

    chosen = [check for check in kit.checks if check.id in set(ids)]
    plugin = SelfChecks(
        kit,
        chosen,
        live,
        on_start=lambda check: send({"start": check.id}),
        on_result=lambda result: send({"result": result.document()}),
    )
    files = dict.fromkeys(str(check.file) for check in chosen)
    arguments = [
        *files,
        f"--rootdir={kit.root}",
        f"--confcutdir={kit.root}",
        f"--config-file={os.devnull}",
        "--noconftest",
        "--disable-plugin-autoload",
        "--import-mode=importlib",
        "-pno:terminal",
        *(f"-pno:{name}" for name in _UNUSED),
    ]
    return int(pytest.main(arguments, plugins=[plugin]))


def _warm(packages: Sequence[str]) -> None:
    """Import what is slow: the tool, then torch, with one thread: a pool of them does not survive a fork."""
    for name in ("pytest", "grader.selfcheck.plugin", "grader.numbers.parse", *packages):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        torch.set_num_threads(1)
        torch.nn.Linear(2, 2)(torch.ones(1, 2)).sum().backward()
    if "transformers" in sys.modules:
        with contextlib.suppress(ImportError):  # looked up only when a name is asked for
            for name in ("DistilBertForSequenceClassification", "DistilBertTokenizer", "PreTrainedModel"):
                getattr(sys.modules["transformers"], name)


def _send(wire: TextIO, message: dict[str, Any]) -> None:
    wire.write(json.dumps(message) + "\n")
    wire.flush()


def _end_with_parent() -> None:
    """Where the kernel can be asked to: nothing goes on when whoever asked is gone."""
    if FORKS:
        from grader.worker.inside import kernel

        kernel.die_with_parent(signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
