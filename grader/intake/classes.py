"""A class: who handed in, and where each hand-in is. It is listed without being read, and read one by one."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from grader.errors import GraderError
from grader.intake.archives import is_archive_name
from grader.intake.assemble import assemble
from grader.intake.folder import open_archive_store, open_folder_store, read_submission
from grader.intake.gather import Piece, gather
from grader.intake.lms import Draft, Layout, recognise
from grader.intake.stores import ArchiveStore, Store
from grader.intake.student_key import safe_keys
from grader.intake.walk import IntakeLimits, shown_name
from grader.model import Submission

ONE = "one hand-in"


@dataclass(frozen=True, slots=True)
class HandIn:
    """What one student, or one group, handed in: where it is, not what is in it."""

    student: str
    """Stable key: the same in every download of the assignment, safe as a file name, unique whatever the case."""
    name: str
    """For people; untrusted text."""
    container: Path
    """The folder or archive that holds it."""
    pieces: tuple[Piece, ...]
    """Its files and folders in there; empty where the container is the hand-in."""
    late: bool = False
    """Where the platform says so."""
    attempt: int = 1
    """Which attempt this is, as far as the download tells."""
    submitted_at: str | None = None
    """ISO 8601, as far as the download tells."""
    members: tuple[str, ...] = ()
    """Names of a group's members; empty for one student."""
    notes: tuple[str, ...] = ()
    """What was left out, such as older attempts, one sentence each."""

    @property
    def source(self) -> str:
        """Where in the container it is, in words."""
        if not self.pieces:
            return shown_name(self.container.name)
        first = shown_name("/".join(self.pieces[0].at))
        more = f" and {len(self.pieces) - 1} more" if len(self.pieces) > 1 else ""
        return f"{shown_name(self.container.name)}: {first}{more}"

    def read(self, limits: IntakeLimits | None = None) -> Submission:
        """Its files. Raises GraderError where nothing of it can be read; the message is for the student."""
        limits = limits or IntakeLimits()
        if not self.pieces:
            return read_submission(self.container, limits)
        with ExitStack() as stack:
            store = _kept_open(self.container, limits, stack)
            gathered = gather(store, self.pieces, limits, stack)
            gathered.notes[:0] = self.notes
            return assemble(self.name, self.container.resolve(), gathered, limits)


@dataclass(frozen=True, slots=True)
class ClassHandIns:
    """All hand-ins of a class."""

    path: Path
    layout: str
    """What the container was taken for, in words: "a Canvas download"; "one hand-in" where it is no class."""
    hand_ins: tuple[HandIn, ...]
    """Sorted by name."""
    notes: tuple[str, ...] = ()
    """What lies in the container and belongs to nobody, one sentence each."""

    def __iter__(self) -> Iterator[HandIn]:
        return iter(self.hand_ins)

    def __len__(self) -> int:
        return len(self.hand_ins)


def read_class(path: Path, limits: IntakeLimits | None = None) -> ClassHandIns:
    """List the hand-ins at `path`: a download of Canvas, Moodle, Gradescope or Blackboard (a zip, a tar, or unpacked),
    clones of GitHub Classroom, or a folder or archive for each student.

    One hand-in is a class of one. A hand-in that cannot be read is listed all the same; read() says why.
    Raises SubmissionNotFound where there is nothing at `path` that can be read.
    """
    limits = limits or IntakeLimits()
    notes: tuple[str, ...] = ()
    if path.is_file() and not is_archive_name(path.name):
        layout = None
    else:
        store: Store
        if path.is_file():
            archive = open_archive_store(path, limits)
            store, notes = archive, archive.notes
        else:
            store = open_folder_store(path)
        with closing(store):
            layout = recognise(store)
    if layout is None:
        name = shown_name(path.resolve().stem if path.is_file() else path.resolve().name)
        return ClassHandIns(path, ONE, (HandIn(safe_keys([name])[0], name, path, ()),))
    return ClassHandIns(path, layout.name, _hand_ins(path, layout), (*layout.notes, *notes))


def holds_class(path: Path) -> bool:
    """True where `path` holds the hand-ins of a class, False for one hand-in and for what cannot be read."""
    try:
        return read_class(path).layout != ONE
    except GraderError:
        return False


def _hand_ins(path: Path, layout: Layout) -> tuple[HandIn, ...]:
    keys = safe_keys([draft.key for draft in layout.drafts])
    return tuple(_hand_in(path, key, draft) for key, draft in zip(keys, layout.drafts, strict=True))


def _hand_in(path: Path, key: str, draft: Draft) -> HandIn:
    return HandIn(
        student=key,
        name=draft.name,
        container=path,
        pieces=tuple(draft.pieces),
        late=draft.late,
        attempt=draft.attempt,
        submitted_at=draft.submitted_at,
        members=draft.members,
        notes=tuple(draft.notes),
    )


# ---------------------------------------------------------------- the container between two hand-ins


class _Kept:
    """The archive that was used last, listed once for all hand-ins in it."""

    key: tuple[object, ...] = ()
    store: ArchiveStore | None = None

    @classmethod
    def close(cls) -> None:
        if cls.store is not None and cls.key[:1] == (os.getpid(),):
            cls.store.close()
        cls.key, cls.store = (), None


atexit.register(_Kept.close)


def _kept_open(container: Path, limits: IntakeLimits, stack: ExitStack) -> Store:
    """The container as a store. A forked process opens the archive anew: a descriptor shared has one place in it."""
    if not container.is_file():
        store = open_folder_store(container)
        stack.callback(store.close)
        return store
    status = container.stat()
    key = (os.getpid(), str(container.resolve()), status.st_mtime_ns, status.st_size, limits)
    if _Kept.store is None or _Kept.key != key:
        _Kept.close()
        _Kept.store, _Kept.key = open_archive_store(container, limits), key
    return _Kept.store
