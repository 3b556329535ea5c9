"""What each level of isolation stops and does not stop, in the words of the report."""

from __future__ import annotations

from collections.abc import Sequence

from grader.model import Isolation

_EVERY_SEALED_LEVEL = (
    "No network, and no contact with any other process (seccomp allow-list, Landlock).",
    "Nothing outside a private folder can be written, and the grader's tests, reference and other hand-ins "
    "cannot be read (Landlock).",
    "No other process or program can be started (seccomp).",
    "Memory, CPU time, threads, open files and file sizes are limited; the grader ends a call at its deadline.",
    "Answers are plain data that the grader checks in another process.",
)
_GUARANTEES = {
    "strict": (
        "Own user, mount, process, network, IPC and host-name namespaces: of the file system only the libraries "
        "are there, read-only.",
        "The private folder is limited in bytes and in number of files.",
        *_EVERY_SEALED_LEVEL,
    ),
    "container": _EVERY_SEALED_LEVEL,
    "none": ("Answers are plain data that the grader checks in another process.",),
}
_CAVEATS = {
    "strict": ("A hole in the Linux kernel itself is not stopped.",),
    "container": (
        "Names, sizes and times of files outside can be seen, though not their contents.",
        "The disk space of the private folder is limited for each file, not in total.",
        "A hole in the Linux kernel itself is not stopped.",
    ),
    "none": (
        "Nothing is sealed off: the code can read and change every file of this user, the reference included. "
        "Use this for your own code only.",
    ),
}


def describe(level: str, remarks: Sequence[str], reasons: Sequence[str]) -> Isolation:
    """The isolation as the report shows it. `remarks`: of the way it was reached; `reasons`: why it is not better."""
    better = tuple(f"Not available here: {reason}." for reason in reasons)
    return Isolation(level, _GUARANTEES[level], (*_CAVEATS[level], *remarks, *better))
