"""What a process for student code is told when it starts, and what it says when it is ready."""

from __future__ import annotations

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
