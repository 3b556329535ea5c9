"""How a process for student code is started: command line, environment, configuration, and what it says when ready."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grader.errors import GraderError, IsolationUnavailable, WorkerStartFailed
from grader.worker.handle import reply_caps
from grader.worker.spec import ZygoteSpec

FIX = (
    "Grade on Linux 6.2 or later with Landlock enabled, or in a container there (see SECURITY.md); "
    "to check your own code without protection, add --unsafe-no-isolation."
)
_INSIDE = Path(__file__).parent / "inside"
# The programs expect their socket at descriptor 3, which subprocess cannot do by itself.
_BOOT = (
    "import os, runpy, sys; os.dup2(int(sys.argv[2]), 3); runpy.run_path(sys.argv[1], run_name='__main__')"
)
_BOOT_PLAIN = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"
_LIMITS = ("memory_bytes", "cpu_s", "file_bytes", "tmp_bytes", "tmp_inodes", "processes", "open_files")


@dataclass(frozen=True, slots=True)
class Ready:
    """What a warm process says of itself."""

    level: str
    environment: Mapping[str, str]
    remarks: Sequence[str] = ()
    """What this way of sealing does not give."""
    reasons: Sequence[str] = ()
    """Why it is not a better level."""


def command(program: str, descriptor: str | None) -> list[str]:
    """The judge's interpreter, without user site, current folder or any option of the judge's."""
    boot = (
        [_BOOT_PLAIN, str(_INSIDE / program)]
        if descriptor is None
        else [_BOOT, str(_INSIDE / program), descriptor]
    )
    return [sys.executable, "-s", "-P", "-c", *boot]


def environment(base: Path) -> dict[str, str]:
    """Everything that the process's environment holds: no variable of the judge's is handed on."""
    fixed = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "HOME": str(base),
        "TMPDIR": str(base),
        "USER": "student",
        "LOGNAME": "student",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "PYTHONNOUSERSITE": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
    if sys.platform == "win32":  # without these two, Python cannot start or find its libraries there
        fixed |= {name: os.environ[name] for name in ("SYSTEMROOT", "PATH") if name in os.environ}
    return fixed


def configuration(spec: ZygoteSpec, requested: str, base: Path) -> dict[str, Any]:
    """The first message to the process, JSON-ready."""
    return {
        "isolation": requested,
        "harness": None if spec.harness is None else str(spec.harness.resolve()),
        "modules": {name: str(path.resolve()) for name, path in spec.modules.items()},
        "assets": None if spec.assets is None else str(spec.assets.resolve()),
        "preload": list(spec.preload),
        "many": spec.many,
        "hidden": [str(path.resolve()) for path in spec.hidden],
        "base": str(base),
        "limits": {name: getattr(spec.limits, name) for name in _LIMITS},
        "reply_caps": asdict(reply_caps(spec.limits)),
    }


def start_failure(message: Mapping[str, Any]) -> GraderError:
    """The exception for a process that says that it cannot start."""
    if message.get("kind") == "isolation":
        return IsolationUnavailable(f"This machine cannot seal off student code ({message['reason']}).", FIX)
    return WorkerStartFailed(
        f"The worker's process did not start: {message.get('reason')}\n{message.get('trace', '')}".strip(),
        "This is the grader's fault or its installation's, not the student's.",
    )
