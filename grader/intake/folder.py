"""A student's folder -> :class:`~grader.model.Submission`. Nothing is executed and no link is followed.

The folder may change while it is read, so each step assumes the worst: every part of a path is opened
relative to its parent with O_NOFOLLOW, the kind of file is asked of the open descriptor, and no more than
the cap is read whatever the size was said to be.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from grader.errors import SubmissionNotFound, did_you_mean
from grader.intake.found import megabytes
from grader.intake.walk import OTHER_NAME, Entry, IntakeLimits, open_beneath, shown_name, walk
from grader.intake.weights import READ_LATER, WEIGHTS, too_large_weights
from grader.model import ArtifactKind, Submission, SubmittedFile

_ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"}
_KINDS = {
    ".py": ArtifactKind.MODULE,
    ".json": ArtifactKind.METRICS,
    **dict.fromkeys(WEIGHTS, ArtifactKind.WEIGHTS),
}
_PRIORITY = {ArtifactKind.MODULE: 0, ArtifactKind.ANSWERS: 0, ArtifactKind.METRICS: 0}


def read_submission(path: Path, limits: IntakeLimits | None = None) -> Submission:
    """Read every regular file below `path` once.

    An empty folder is a Submission without files: it is graded, and everything in it is missing.
    Raises SubmissionNotFound where `path` is not a folder that can be read.
    """
    limits = limits or IntakeLimits()
    root = path.resolve()
    root_fd = _open_root(path, root)
    try:
        walked = walk(root_fd, limits)
        files, unread = _read_all(root_fd, walked.entries, limits)
    finally:
        os.close(root_fd)
    notes = _capped([*walked.notes, *unread])
    if walked.inside:
        notes.insert(0, f"The hand-in is the folder {walked.inside!r}: there is nothing else beside it.")
        root = root / walked.inside_name
    if not files:
        notes.append(
            "The folder holds no file to grade: everything is missing. `grade init DIR` writes a starter."
        )
    return Submission(
        name=shown_name(path.resolve().name if path.name in ("", "..") else path.name),
        root=root,
        sha256=_hash(files),
        files=files,
        notes=tuple(notes),
    )


def _open_root(path: Path, root: Path) -> int:
    """A descriptor of the folder, or the reason why there is none. A link given by the caller is followed."""
    shown = shown_name(str(path))
    try:
        return os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except NotADirectoryError:
        if not root.exists():
            raise _no_such_folder(path, root) from None
        if root.suffix.lower() in _ARCHIVES:
            step = "Unpack it and give the folder that comes out."
        else:
            step = f"Give the folder that holds it: {shown_name(str(path.parent))!r}."
        raise SubmissionNotFound(f"{shown!r} is a file, and a hand-in is a folder.", step) from None
    except FileNotFoundError:
        raise _no_such_folder(path, root) from None
    except OSError as error:
        raise SubmissionNotFound(
            f"The folder {shown!r} cannot be read: {error.strerror}.", f"Check its rights: ls -ld {shown}"
        ) from error


def _no_such_folder(path: Path, root: Path) -> SubmissionNotFound:
    shown = shown_name(str(path))
    try:
        siblings = sorted(p.name for p in root.parent.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError:
        return SubmissionNotFound(
            f"There is no folder {shown!r}.",
            f"{shown_name(str(path.parent))!r} cannot be listed either: check the path.",
        )
    near = did_you_mean(root.name, siblings)
    if near:
        step = f"Did you mean {shown_name(str(path.with_name(near) if path.name else near))!r}?"
    elif siblings:
        listed = ", ".join(shown_name(s) for s in siblings[:8])
        step = f"{shown_name(str(path.parent))!r} holds: {listed}{', …' if len(siblings) > 8 else ''}."
    else:
        step = f"{shown_name(str(path.parent))!r} holds no folder at all: check the path."
    return SubmissionNotFound(f"There is no folder {shown!r}.", step)


def _read_all(
    root_fd: int, entries: Sequence[Entry], limits: IntakeLimits
) -> tuple[tuple[SubmittedFile, ...], list[str]]:
    """Read code, answers and figures first: a heap of other files must not use up the total."""
    files: list[SubmittedFile] = []
    unread: list[str] = []
    left = limits.total_bytes
    for entry in sorted(entries, key=lambda e: (_PRIORITY.get(_kind(e.path), 1), len(e.parts), e.path)):
        kind = _kind(entry.path)
        later = kind is ArtifactKind.WEIGHTS and limits.file_bytes < entry.size <= limits.weights_bytes
        content, problem = (
            (b"", READ_LATER) if later else _read_one(root_fd, entry, min(limits.file_bytes, left), limits)
        )
        left -= len(content)
        size = entry.size if kind is ArtifactKind.WEIGHTS else 0
        files.append(SubmittedFile(entry.path, content, kind, problem, size))
        if problem and not later:
            unread.append(f"{entry.path}: {problem}")
    return tuple(sorted(files, key=lambda f: f.path)), sorted(unread)


def _read_one(root_fd: int, entry: Entry, cap: int, limits: IntakeLimits) -> tuple[bytes, str | None]:
    """The bytes of one file, or a sentence why not. At most `cap` + 1 bytes are ever read."""
    if entry.size > limits.weights_bytes and _kind(entry.path) is ArtifactKind.WEIGHTS:
        return b"", too_large_weights(entry.size, limits.weights_bytes)
    if entry.size > limits.file_bytes:
        return b"", _too_large(f"is {megabytes(entry.size)}", limits)
    if entry.size > cap:
        return b"", _over_total(limits)
    try:
        fd = open_beneath(root_fd, entry.parts)
    except OSError as error:
        return b"", f"It cannot be opened ({error.strerror}), so it was not read. Check its rights."
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return b"", "It stopped being a regular file while it was read, so it was left out."
        if os.fstat(fd).st_nlink > 1:
            return b"", f"I{OTHER_NAME[1:]}"
        content = _read_bounded(fd, cap + 1)
    except OSError as error:
        return b"", f"It cannot be read ({error.strerror})."
    finally:
        os.close(fd)
    if len(content) > cap:
        problem = (
            _over_total(limits) if cap < limits.file_bytes else _too_large("grew while it was read", limits)
        )
        return b"", problem
    return content, None


def _read_bounded(fd: int, limit: int) -> bytes:
    chunks: list[bytes] = []
    while limit > 0 and (chunk := os.read(fd, min(limit, 1 << 20))):
        chunks.append(chunk)
        limit -= len(chunk)
    return b"".join(chunks)


def _capped(notes: list[str], most: int = 25) -> list[str]:
    """A report has to stay readable: a folder of a thousand links is told once it is clear what is wrong."""
    return notes if len(notes) <= most else [*notes[:most], f"{len(notes) - most} more files were left out."]


def _kind(path: str) -> ArtifactKind:
    name = path.rsplit("/", 1)[-1].lower()
    if name == "answers.toml":
        return ArtifactKind.ANSWERS
    return _KINDS.get(PurePosixPath(name).suffix, ArtifactKind.OTHER)


def _hash(files: Sequence[SubmittedFile]) -> str:
    """SHA-256 over sorted paths and contents, each with its length, so that no two hand-ins run into one."""
    digest = hashlib.sha256()
    for file in files:
        path = file.path.encode()
        digest.update(f"{len(path)} ".encode() + path)
        size = f" {file.size} unread " if file.size else " unread "
        digest.update(size.encode() if file.problem else f" {len(file.content)} ".encode())
        digest.update(file.content)
    return digest.hexdigest()


def _too_large(what: str, limits: IntakeLimits) -> str:
    return (
        f"It {what}, and at most {megabytes(limits.file_bytes)} a file are read, so it was left unread. "
        "Hand in code, answers and figures, not data or models."
    )


def _over_total(limits: IntakeLimits) -> str:
    return (
        f"The hand-in is larger than {megabytes(limits.total_bytes)} in all, so this file was left unread. "
        "Hand in code, answers and figures, not data or models."
    )
