"""A file that was listed at intake and is opened later, be it in a folder or in an archive in an archive."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from grader.intake.archives import ArchiveProblem, open_archive
from grader.intake.stores import ArchiveStore, FileProblem, Store, spill
from grader.intake.walk import Entry, IntakeLimits, open_beneath


def open_stored(stored: Sequence[str], most: int, limits: IntakeLimits | None = None) -> int:
    """A descriptor of the file at `stored` (see SubmittedFile), for reading.

    One in an archive is unpacked, up to `most` bytes, to a file without a name, which goes with the descriptor.
    Raises OSError or FileProblem.
    """
    place, *steps = stored
    if Path(place).is_dir():
        root = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fd = open_beneath(root, steps[0].split("/"))
        finally:
            os.close(root)
        steps = steps[1:]
    else:
        fd = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    limits = limits or IntakeLimits()
    for at, step in enumerate(steps):
        last = at == len(steps) - 1
        fd = _unpacked(fd, (place, *steps[:at]), step, most if last else limits.unpacked_bytes, limits)
    return fd


def _unpacked(fd: int, place: tuple[str, ...], path: str, most: int, limits: IntakeLimits) -> int:
    """A descriptor of one member of the archive in `fd`, which is closed."""
    with ExitStack() as stack:
        try:
            store: Store = ArchiveStore(
                open_archive(os.fdopen(fd, "rb"), Path(place[-1]).name, limits), place
            )
        except ArchiveProblem as problem:
            raise FileProblem(str(problem)) from problem
        stack.callback(store.close)
        parts = tuple(path.split("/"))
        entry = store.entry(parts)
        if entry is None:
            raise FileProblem("It is no longer in its archive.")
        file = stack.enter_context(tempfile.TemporaryFile())
        spill(store, Entry(parts, path, entry.size), file, most)
        file.flush()
        return os.dup(file.fileno())
