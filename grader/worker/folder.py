"""A worker's private folder where no mount of its own caps it (levels container and none): watched and removed here.

At level strict the folder is a file system of its own with a size and a number of files, and nothing is left of it.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from grader.worker.spec import Limits

WATCH_S = 0.1
"""Seconds between two looks."""
_DEEPEST = 32
_UNSEEN_BYTES = 1 << 30
"""Deleted files that are still open take space that no listing shows: so much may go before the worker has to."""


class Folder:
    """One worker's folder."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self._limits = limits
        path.mkdir(mode=0o700)
        self._free_before = _free(path)

    def excess(self) -> str | None:
        """What is over the limit, as a sentence for the student, or None."""
        size = count = 0
        for entry_size in _sizes(self.path, _DEEPEST):
            size, count = size + entry_size, count + 1
            if count > self._limits.tmp_inodes:
                return f"The code made more than {self._limits.tmp_inodes:,} files and folders."
            if size > self._limits.tmp_bytes:
                return f"The code wrote more than {self._limits.tmp_bytes // 2**20} MiB of files."
        if self._free_before - _free(self.path) > self._limits.tmp_bytes + _UNSEEN_BYTES:
            return "The code filled the disk with files that it had deleted."
        return None

    def came_back(self) -> bool:
        """After the worker's death: is the disk space back, so that the worker had it?"""
        return self._free_before - _free(self.path.parent) < self._limits.tmp_bytes + _UNSEEN_BYTES

    def remove(self) -> None:
        """Deletes the folder with all that is in it, links unfollowed."""
        try:
            shutil.rmtree(self.path, ignore_errors=True)
        except RecursionError:  # folders nested a thousand deep, on purpose
            subprocess.run(["/bin/rm", "-rf", "--", str(self.path)], check=False, env={})


def _free(path: Path) -> int:
    return shutil.disk_usage(path).free


def _sizes(folder: Path | str, deepest: int) -> Iterator[int]:
    """Bytes on disk of every file and folder below; a nesting that is too deep counts as over any limit."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            figures = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        yield max(getattr(figures, "st_blocks", 0) * 512, figures.st_size)
        if stat.S_ISDIR(figures.st_mode):
            if deepest == 0:
                yield 1 << 62
                return
            yield from _sizes(entry.path, deepest - 1)
