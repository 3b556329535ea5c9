"""Files of weights in a hand-in: opened where they are judged, piece by piece, never read whole and never unpickled.

A file is read with `pread` into memory that the caller has laid out, not mapped: a mapped file that is cut short while
it is looked at ends the process, a read that comes up short is an error with a sentence.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from typing import Self

from grader.intake.found import megabytes
from grader.intake.stored import open_stored
from grader.intake.stores import FileProblem
from grader.intake.walk import OTHER_NAME
from grader.model import Submission, SubmittedFile

WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")
"""Endings of the files that hold weights; all but the first are pickles."""
READ_LATER = "It holds weights: it is opened where a checkpoint is judged."
_PIECE = 8 << 20
_ADVICE = "Hand in"


class WeightsProblem(Exception):
    """A file of weights that cannot be used: what is wrong, and the next step."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step


class WeightsFile:
    """One open file of weights; a context manager that closes it."""

    def __init__(self, path: str, size: int, fd: int = -1, content: bytes = b"") -> None:
        self.path = path
        """Relative to the hand-in."""
        self.size = size
        """Bytes."""
        self._fd = fd
        self._content = content

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def read_into(self, buffer: memoryview, at: int) -> None:
        """Fill `buffer` from byte `at` on; raises WeightsProblem where the file ends before it is full."""
        done = 0
        while done < len(buffer):
            piece = buffer[done : done + _PIECE]
            got = self._read(piece, at + done)
            if not got:
                raise WeightsProblem(
                    f"{self.path} ends after {at + done:,} bytes, in the middle of its data.",
                    "It was cut short: copy it once more and compare the sizes.",
                )
            done += got

    def pieces(self) -> Iterator[memoryview]:
        """The whole file, 8 MB at a time; each piece is valid until the next."""
        buffer = memoryview(bytearray(_PIECE))
        for at in range(0, self.size, _PIECE):
            piece = buffer[: min(_PIECE, self.size - at)]
            self.read_into(piece, at)
            yield piece

    def sha256(self) -> str:
        """Of the whole file."""
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()

    def _read(self, piece: memoryview, at: int) -> int:
        if self._fd >= 0:
            try:
                return os.preadv(self._fd, [piece], at)
            except OSError as error:
                raise WeightsProblem(f"{self.path} cannot be read ({error.strerror}).") from error
        found = self._content[at : at + len(piece)]
        piece[: len(found)] = found
        return len(found)


def open_weights(submission: Submission, file: SubmittedFile) -> WeightsFile:
    """Open one file of weights of the hand-in; raises WeightsProblem where it was refused or is no longer the same."""
    if file.problem is None:
        return WeightsFile(file.path, len(file.content), content=file.content)
    if file.problem != READ_LATER:
        what, found, step = file.problem.partition(_ADVICE)
        raise WeightsProblem(f"{file.path}: {what.strip()}", (found + step) or "Hand it in once more.")
    try:
        fd = open_stored(file.stored or (str(submission.root), file.path), most=file.size)
    except FileProblem as problem:
        raise WeightsProblem(f"{file.path}: {problem}") from problem
    except OSError as error:
        raise WeightsProblem(
            f"{file.path} cannot be opened ({error.strerror}).", "Check its rights."
        ) from error
    opened = WeightsFile(file.path, file.size, fd)
    try:
        _refuse_changed(file, os.fstat(fd))
    except WeightsProblem:
        opened.__exit__()
        raise
    return opened


def _refuse_changed(file: SubmittedFile, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_size != file.size:
        raise WeightsProblem(f"{file.path} changed while the hand-in was graded.", "Grade it once more.")
    if status.st_nlink > 1:
        raise WeightsProblem(f"{file.path}: {OTHER_NAME}")


def too_large_weights(size: int, most: int) -> str:
    """Why a file of weights of `size` bytes is not opened."""
    return (
        f"It is {megabytes(size)}, and at most {megabytes(most)} of weights are opened, so it was left unread. "
        f"{_ADVICE} the model's weights alone, in float32 or shorter: no optimizer, no gradients."
    )
