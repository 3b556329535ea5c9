"""The files of one hand-in, wherever they are: archives in it are opened, of which no more than their lists is read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from grader.intake.archives import ArchiveProblem, is_archive_name, open_archive
from grader.intake.stores import ArchiveStore, FileProblem, Store, folders_of, spill
from grader.intake.walk import Entry, IntakeLimits, shown_name

_SPOOLED = 32 << 20
"""Bytes of an archive in an archive that are kept in memory; above that it goes to a file without a name."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One file or folder of a container that belongs to a hand-in."""

    at: tuple[str, ...]
    """Where it is in the container, names as stored."""
    to: str = ""
    """Its path in the hand-in; "" for a folder whose contents are the hand-in."""
    folder: bool = True


@dataclass(frozen=True, slots=True)
class Located:
    """One file of a hand-in, not yet read."""

    path: str
    """In the hand-in, POSIX, printable."""
    entry: Entry
    store: Store

    @property
    def stored(self) -> tuple[str, ...]:
        """As in SubmittedFile."""
        return (*self.store.place, "/".join(self.entry.parts))


@dataclass(slots=True)
class Gathered:
    """What a hand-in consists of."""

    files: dict[str, Located] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    inside: str = ""
    """The only folder of the root, where that was taken for the hand-in; as the store has it."""
    closed: list[tuple[Located, str]] = field(default_factory=list)
    """Archives that could not be opened, and why."""


def gather(store: Store, pieces: Sequence[Piece], limits: IntakeLimits, stack: ExitStack) -> Gathered:
    """List the files of `pieces`, and what is in the archives among them as if it had been unpacked where it lies.

    Archives that are opened on the way stay open until `stack` is closed.
    """
    gathered = Gathered()
    for located in _loose(store, pieces, limits, gathered):
        _put(located, gathered)
    for depth in range(limits.archives):
        archives = [found for path, found in gathered.files.items() if is_archive_name(path)]
        if not archives:
            break
        if depth == limits.archives - 1:
            gathered.notes += [
                f"{found.path}: archives in archives in archives are left closed." for found in archives
            ]
            break
        for found in archives:
            _expand(found, gathered, limits, stack)
    return gathered


def _loose(
    store: Store, pieces: Iterable[Piece], limits: IntakeLimits, gathered: Gathered
) -> Iterator[Located]:
    for piece in pieces:
        if not piece.folder:
            entry = store.entry(piece.at)
            if entry is None:
                gathered.notes.append(f"{shown_name('/'.join(piece.at))}: it is no longer there.")
            else:
                yield Located(piece.to or entry.path, entry, store)
            continue
        walked = store.walk(piece.at, limits)
        gathered.notes += walked.notes
        if walked.inside and not piece.to:
            gathered.notes.insert(
                0, f"The hand-in is the folder {walked.inside!r}: there is nothing else beside it."
            )
            gathered.inside = walked.inside_name
        for entry in walked.entries:
            yield Located(f"{piece.to}/{entry.path}" if piece.to else entry.path, entry, store)


def _put(located: Located, gathered: Gathered, archive: str = "") -> bool:
    """Take up one file; where there is another of that name, the first stays and the other is said."""
    if located.path in gathered.files:
        whose = (
            f"{archive} holds {located.path} too" if archive else f"{located.path} is there more than once"
        )
        gathered.notes.append(
            f"{whose}: the one beside it was taken." if archive else f"{whose}: the first was taken."
        )
        return False
    gathered.files[located.path] = located
    return True


def _expand(found: Located, gathered: Gathered, limits: IntakeLimits, stack: ExitStack) -> None:
    """Put the contents of one archive in its place; where it cannot be opened, it stays, with a sentence."""
    del gathered.files[found.path]
    try:
        inner = open_inner(found, limits)
    except (ArchiveProblem, FileProblem) as problem:
        gathered.closed.append((found, str(problem)))
        return
    stack.callback(inner.close)
    walked = inner.walk((), limits)
    folder = folders_of(found.path.split("/"))
    taken = 0
    for entry in walked.entries:
        if len(gathered.files) >= limits.files:
            gathered.notes.append(f"{found.path}: the hand-in has more than {limits.files:,} files in all.")
            break
        taken += _put(Located(folder + entry.path, entry, inner), gathered, found.path)
    gathered.notes.append(f"{found.path} was opened: {taken} file{'' if taken == 1 else 's'}.")
    gathered.notes += [f"{found.path}: {note}" for note in (*inner.notes, *walked.notes)]


def open_inner(found: Located, limits: IntakeLimits) -> ArchiveStore:
    """The archive in `found` as a store; raises ArchiveProblem or FileProblem."""
    if found.entry.size > limits.unpacked_bytes:
        raise ArchiveProblem(
            f"It is larger than {limits.unpacked_bytes / 1e6:,.0f} MB, so it was left closed.",
            "Hand in code, answers and figures, not data or models.",
        )
    file = tempfile.SpooledTemporaryFile(_SPOOLED)  # noqa: SIM115  # closed with the archive
    try:
        spill(found.store, found.entry, file, limits.unpacked_bytes)
    except FileProblem:
        file.close()
        raise
    archive = open_archive(file, found.path, limits)
    return ArchiveStore(archive, found.stored)
