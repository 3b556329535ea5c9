"""Where the files of a hand-in are: in a folder on disk, or in an archive. Both are read in the same way."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Protocol

from grader.intake.archives import Archive, ArchiveProblem, Member
from grader.intake.walk import (
    LONE_FOLDERS,
    OTHER_NAME,
    Entry,
    IntakeLimits,
    Walked,
    is_left_out,
    left_out_note,
    open_beneath,
    open_folder,
    shown_name,
    too_many_note,
    walk,
)

_PIECE = 1 << 20
_READ_LESS = (".pyc", ".pyo")


@dataclass(frozen=True, slots=True)
class Child:
    """One thing directly inside a folder."""

    name: str
    """As the store has it."""
    is_folder: bool
    size: int = 0
    """Bytes of a file."""


class FileProblem(Exception):
    """One file cannot be read; the text is a sentence for the student."""


class Store(Protocol):
    """A tree of files. Paths are tuples of names; () is the root."""

    @property
    def place(self) -> tuple[str, ...]:
        """Where it is: the path of the folder or archive, then members through archives in archives."""

    def children(self, at: tuple[str, ...] = ()) -> list[Child]:
        """What lies directly in a folder, sorted by name; hidden things and caches too. Empty where there is none."""
        ...

    def walk(self, at: tuple[str, ...], limits: IntakeLimits) -> Walked:
        """The files below a folder that count as handed-in work; their `parts` are relative to the root."""
        ...

    def entry(self, at: tuple[str, ...]) -> Entry | None:
        """One regular file; None where there is none."""
        ...

    def pieces(self, entry: Entry) -> Iterator[bytes]:
        """Its content, at most a megabyte at a time; raises FileProblem."""
        ...

    def close(self) -> None: ...


class DiskStore:
    """A folder on disk. No link is followed: every part of a path is opened relative to its parent."""

    def __init__(self, root: Path, fd: int) -> None:
        """`fd`: a descriptor of the folder, closed by close()."""
        self._fd = fd
        self.place = (str(root),)

    def children(self, at: tuple[str, ...] = ()) -> list[Child]:
        """See Store."""
        found = []
        with suppress(OSError):
            fd = open_folder(self._fd, at)
            try:
                with os.scandir(fd) as listing:
                    for item in listing:
                        folder = item.is_dir(follow_symlinks=False)
                        regular = item.is_file(follow_symlinks=False)
                        size = item.stat(follow_symlinks=False).st_size if regular else 0
                        if folder or regular:
                            found.append(Child(item.name, folder, size))
            finally:
                os.close(fd)
        return sorted(found, key=lambda child: child.name)

    def walk(self, at: tuple[str, ...], limits: IntakeLimits) -> Walked:
        """See Store."""
        try:
            fd = open_folder(self._fd, at)
        except OSError as error:
            return Walked((), (f"The folder cannot be read ({error.strerror}).",))
        try:
            walked = walk(fd, limits)
        finally:
            os.close(fd)
        return replace(
            walked, entries=tuple(replace(entry, parts=(*at, *entry.parts)) for entry in walked.entries)
        )

    def entry(self, at: tuple[str, ...]) -> Entry | None:
        """See Store."""
        with suppress(OSError):
            folder = open_folder(self._fd, at[:-1])
            try:
                status = os.stat(at[-1], dir_fd=folder, follow_symlinks=False)
            finally:
                os.close(folder)
            if stat.S_ISREG(status.st_mode):
                return Entry(at, shown_name(at[-1]), status.st_size)
        return None

    def pieces(self, entry: Entry) -> Iterator[bytes]:
        """See Store. The file is looked at once more after it was opened: it may have been exchanged."""
        try:
            fd = open_beneath(self._fd, entry.parts)
        except OSError as error:
            raise FileProblem(
                f"It cannot be opened ({error.strerror}), so it was not read. Check its rights."
            ) from error
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise FileProblem("It stopped being a regular file while it was read, so it was left out.")
            if status.st_nlink > 1:
                raise FileProblem(f"I{OTHER_NAME[1:]}")
            while piece := os.read(fd, _PIECE):
                yield piece
        except OSError as error:
            raise FileProblem(f"It cannot be read ({error.strerror}).") from error
        finally:
            os.close(fd)

    def close(self) -> None:
        """See Store."""
        os.close(self._fd)


class ArchiveStore:
    """An open archive."""

    def __init__(self, archive: Archive, place: tuple[str, ...]) -> None:
        self._archive = archive
        self.place = place
        self.notes = archive.notes
        self._members = {member.parts: member for member in archive.members}
        self._below: dict[tuple[str, ...], dict[str, Member | None]] = {(): {}}
        for parts, member in self._members.items():
            self._put(parts, member)
        for parts in archive.folders:
            self._put(parts, None)

    def _put(self, parts: tuple[str, ...], member: Member | None) -> None:
        """Enter a member, and the folders above it, which archives need not list."""
        for depth in range(len(parts), 0, -1):
            above = self._below.setdefault(parts[: depth - 1], {})
            last = depth == len(parts)
            known = parts[depth - 1] in above
            if not known or (last and member is not None):
                above[parts[depth - 1]] = member if last else None
            if known and not last:
                return

    def children(self, at: tuple[str, ...] = ()) -> list[Child]:
        """See Store."""
        below = self._below.get(at, {})
        return [
            Child(name, member is None, member.size if member else 0)
            for name, member in sorted(below.items())
        ]

    def walk(self, at: tuple[str, ...], limits: IntakeLimits) -> Walked:
        """See Store. As with a folder on disk, a lone folder is the hand-in itself, and the top level comes first."""
        top = self._below_lone_folders(at)
        inside = "/".join(top[len(at) :])
        entries: list[Entry] = []
        left_out: Counter[str] = Counter()
        notes: list[str] = []
        pending = [top]
        for folder in pending:  # grows while it is gone through
            for child in self.children(folder):
                path = (*folder, child.name)
                shown = "/".join(path[len(top) :])
                if is_left_out(child.name):
                    left_out[child.name] += 1
                elif child.is_folder and len(path) - len(top) >= limits.depth:
                    notes.append(f"{shown}: folders nested deeper than {limits.depth} were left out.")
                elif child.is_folder and any(c.name == "pyvenv.cfg" for c in self.children(path)):
                    left_out[shown] += 1
                elif child.is_folder:
                    pending.append(path)
                elif child.name.endswith(_READ_LESS):
                    left_out["*.pyc"] += 1
                elif len(entries) < limits.files:
                    entries.append(Entry(path, shown, child.size))
                elif not notes or notes[-1] != too_many_note(limits):
                    notes.append(too_many_note(limits))
        return Walked(tuple(entries), (*notes, *left_out_note(left_out)), inside or None, inside)

    def _below_lone_folders(self, at: tuple[str, ...]) -> tuple[str, ...]:
        top = at
        while len(top) - len(at) < LONE_FOLDERS:
            there = [child for child in self.children(top) if not is_left_out(child.name)]
            if len(there) != 1 or not there[0].is_folder or there[0].name.lower() == "results":
                break
            top = (*top, there[0].name)
        return top

    def entry(self, at: tuple[str, ...]) -> Entry | None:
        """See Store."""
        member = self._members.get(at)
        return Entry(at, at[-1], member.size) if member else None

    def pieces(self, entry: Entry) -> Iterator[bytes]:
        """See Store."""
        try:
            yield from self._archive.pieces(self._members[entry.parts])
        except ArchiveProblem as problem:
            raise FileProblem(str(problem)) from problem

    def close(self) -> None:
        """See Store."""
        self._archive.close()


def spill(store: Store, entry: Entry, into: IO[bytes], most: int) -> None:
    """Copy one file; raises FileProblem where it cannot be read or is larger than `most` bytes."""
    done = 0
    for piece in store.pieces(entry):
        done += len(piece)
        if done > most:
            raise FileProblem(f"It unpacks to more than {most / 1e6:,.0f} MB, so it was left closed.")
        into.write(piece)
    into.seek(0)


def read_at_most(store: Store, entry: Entry, most: int) -> bytes | None:
    """The content, or None where it is longer than `most` bytes; no more is ever held. Raises FileProblem."""
    pieces: list[bytes] = []
    left = most
    for piece in store.pieces(entry):
        left -= len(piece)
        if left < 0:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def folders_of(parts: Sequence[str]) -> str:
    """The folders of a path as text, with a slash at the end where there are any."""
    return "".join(f"{part}/" for part in parts[:-1])
