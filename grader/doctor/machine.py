"""Python, the processor, memory, and how far student code can be sealed off here."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from grader.doctor.finding import Finding, State
from grader.errors import GraderError

PYTHONS = ((3, 11), (3, 13))
"""The first and the last version that the tests run on."""
_MISCOUNTS = ((3, 13, 0), (3, 13, 12))
"""The first and the last version that can crash, not raise, where a function whose default is taken calls itself
without an end. Sources: python/cpython issues 132744 (such calls are not counted, repaired in 3.13.8) and 145008 (what
that repair broke for methods, repaired in 3.13.13)."""
_ENOUGH = 4 * 2**30
"""Bytes of memory that grading with one worker takes at most, rounded up: docs/benchmarks.md."""


def python() -> Finding:
    """The version of Python."""
    version = platform.python_version()
    first, last = PYTHONS
    wanted = f"{first[0]}.{first[1]} to {last[0]}.{last[1]}"
    if _MISCOUNTS[0] <= sys.version_info[:3] <= _MISCOUNTS[1]:
        return Finding(
            "python",
            State.WEAK,
            f"{version} ({sys.executable}): where a hand-in calls itself without an end, it may end the worker or run "
            "until its limits, and the report cannot always say why",
            "Install a later Python 3.13, or 3.12.",
        )
    if first <= sys.version_info[:2] <= last:
        return Finding("python", State.OK, f"{version} ({sys.executable})")
    return Finding(
        "python",
        State.MISSING,
        f"{version}, and {wanted} is supported",
        f"Install Python {last[0]}.{last[1]}.",
    )


def system() -> Finding:
    """The operating system: Linux seals, the others do not."""
    name = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if sys.platform == "linux":
        return Finding("system", State.OK, name)
    return Finding(
        "system",
        State.WEAK,
        f"{name}: student code cannot be sealed off here",
        "Grade on Linux, in a virtual machine or a container; see docs/install.md.",
    )


def processor() -> Finding:
    """Name, cores, and which elements its dropout drops."""
    name, cores = (
        _processor_name(),
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    )
    intel = "intel" in name.lower()
    dropout = (
        "its dropout is that of the handout's arrays"
        if intel
        else "its dropout drops other elements than the handout's arrays show; the grader replays theirs"
    )
    return Finding("processor", State.OK, f"{name}, {cores} cores; {dropout}")


def memory() -> Finding:
    """Memory that could be used now."""
    free = available_memory()
    if free is None:
        return Finding("memory", State.OK, "not known on this system")
    shown = f"{free / 2**30:.1f} GiB available"
    if free >= _ENOUGH:
        return Finding("memory", State.OK, shown)
    return Finding(
        "memory", State.WEAK, f"{shown}; a worker takes up to 2 GiB", "Grade a class with --jobs 1."
    )


def isolation() -> Finding:
    """The strongest level that can be reached here, tried from beginning to end."""
    from grader.worker import Zygote, ZygoteSpec

    try:
        with Zygote(ZygoteSpec(preload=())) as zygote:
            zygote.wait_ready()
            reached = zygote.isolation
    except GraderError as error:
        return Finding("isolation", State.MISSING, error.message, error.next_step)
    if reached.level == "strict":
        return Finding("isolation", State.OK, "strict: namespaces, Landlock, seccomp and limits")
    reasons = " ".join(caveat for caveat in reached.caveats if caveat.startswith("Not available here"))
    return Finding(
        "isolation",
        State.WEAK,
        f"{reached.level}: Landlock, seccomp and limits. {reasons}".strip(),
        "SECURITY.md says what each level stops; unprivileged user namespaces give the level strict.",
    )


def available_memory(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes, or None where it cannot be told."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if found is None else int(found) * 1024


def _processor_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
