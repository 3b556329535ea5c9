"""One hand-in at a path, be it a folder, an archive, a notebook or a report -> :class:`~grader.model.Submission`.

Nothing is executed and no link is followed. The folder may change while it is read, so each step assumes the worst:
every part of a path is opened relative to its parent with O_NOFOLLOW, the kind of file is asked of the open descriptor,
and no more than the cap is read whatever the size was said to be.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from pathlib import Path

from grader.errors import SubmissionNotFound, did_you_mean
from grader.intake.archives import ArchiveProblem, is_archive_name, open_archive
from grader.intake.assemble import assemble, kind_of
from grader.intake.gather import Piece, gather
from grader.intake.stores import ArchiveStore, DiskStore, Store
from grader.intake.walk import IntakeLimits, shown_name
from grader.model import ArtifactKind, Submission

_ALONE = frozenset(
    (
        ArtifactKind.MODULE,
        ArtifactKind.NOTEBOOK,
        ArtifactKind.REPORT,
        ArtifactKind.ANSWERS,
        ArtifactKind.METRICS,
    )
)
"""Kinds of files that can be a hand-in by themselves."""


def read_submission(path: Path, limits: IntakeLimits | None = None) -> Submission:
    """Read every regular file of the hand-in at `path` once; archives in it are opened.

    An empty folder is a Submission without files: it is graded, and everything in it is missing.
    Raises SubmissionNotFound where there is nothing at `path` that can be read.
    """
    limits = limits or IntakeLimits()
    root = path.resolve()
    with ExitStack() as stack:
        if not _is_file(root):
            store: Store = open_folder_store(path)
            stack.callback(store.close)
            gathered = gather(store, [Piece(())], limits, stack)
            root = root / gathered.inside
        elif is_archive_name(root.name):
            opened = open_archive_store(path, limits)
            stack.callback(opened.close)
            gathered = gather(opened, [Piece(())], limits, stack)
            gathered.notes[:0] = opened.notes
        else:
            _refuse_other_file(path)
            store = open_folder_store(root.parent)
            stack.callback(store.close)
            gathered = gather(store, [Piece((root.name,), folder=False)], limits, stack)
            root = root.parent
        name = path.resolve().name if path.name in ("", "..") else path.name
        return assemble(shown_name(name), root, gathered, limits)


def open_folder_store(path: Path) -> DiskStore:
    """The folder at `path`, or the reason why there is none. A link given by the caller is followed."""
    root, shown = path.resolve(), shown_name(str(path))
    try:
        return DiskStore(root, os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except (NotADirectoryError, FileNotFoundError):
        raise _no_such_folder(path, root) from None
    except OSError as error:
        raise SubmissionNotFound(
            f"The folder {shown!r} cannot be read: {error.strerror}.", f"Check its rights: ls -ld {shown}"
        ) from error


def open_archive_store(path: Path, limits: IntakeLimits) -> ArchiveStore:
    """The archive at `path`; raises SubmissionNotFound where it cannot be opened."""
    root = path.resolve()
    try:
        return ArchiveStore(open_archive(root.open("rb"), root.name, limits), (str(root),))
    except ArchiveProblem as problem:
        raise SubmissionNotFound(
            f"{shown_name(str(path))!r} cannot be opened. {problem.message}", problem.next_step
        ) from problem
    except OSError as error:
        raise SubmissionNotFound(
            f"{shown_name(str(path))!r} cannot be read: {error.strerror}.", "Check its rights."
        ) from error


def _is_file(root: Path) -> bool:
    try:
        return stat.S_ISREG(root.stat().st_mode)
    except OSError:  # what is wrong is told where it is opened as a folder
        return False


def _refuse_other_file(path: Path) -> None:
    if kind_of(path.name) not in _ALONE:
        raise SubmissionNotFound(
            f"{shown_name(str(path))!r} is no file that can be graded: a hand-in is a folder, a notebook, a .py file, "
            "a report, or a .zip of them.",
            f"Give the folder that holds it: {shown_name(str(path.parent))!r}.",
        )


def _no_such_folder(path: Path, root: Path) -> SubmissionNotFound:
    shown = shown_name(str(path))
    try:
        siblings = sorted(
            p.name
            for p in root.parent.iterdir()
            if not p.name.startswith(".")
            and (p.is_dir() or is_archive_name(p.name) or kind_of(p.name) is ArtifactKind.NOTEBOOK)
        )
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
