"""Which files a hand-in holds: names, kinds and sizes, nothing opened but folders."""

from __future__ import annotations

import os
import stat
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

if os.name == "posix":  # elsewhere nothing is graded, and students only check themselves
    _DIR_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
    _READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LEFT_OUT_DIRS = {"__pycache__", "__MACOSX", "node_modules", "reports", "site-packages", "venv"}
"""Not handed-in work; `reports` is what `grade .` writes, which must not be part of the next run's hand-in."""
_LEFT_OUT_FILES = {"thumbs.db", "desktop.ini"}
OTHER_NAME = (
    "it has a second name elsewhere (a hard link), so it may be somebody else's file. Hand in a copy of it."
)
LONE_FOLDERS = 5
"""Folders around a hand-in, each the only thing in the one above, that are looked through."""
_LISTED_FACTOR = 20  # folders with many times more entries than may be read are not worth listing to the end


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """How much of a hand-in is read."""

    file_bytes: int = 20_000_000
    """Largest file that is read."""
    total_bytes: int = 200_000_000
    """Largest sum of all files that are read."""
    weights_bytes: int = 1_000_000_000
    """Largest file of weights that is opened; those above `file_bytes` are not read at intake."""
    files: int = 2_000
    """Most files that are looked at."""
    depth: int = 20
    """Deepest nesting of folders that is looked into."""
    archives: int = 3
    """Deepest nesting of archives that are opened: a download, a zip in it, and one inside that."""
    entries: int = 200_000
    """Most members that an archive may list."""
    unpacked_bytes: int = 3_000_000_000
    """Largest size to which a packed tar, or an archive in an archive, is unpacked."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One regular file below the hand-in's folder."""

    parts: tuple[str, ...]
    """Names from the root down as the file system has them (bytes that are not UTF-8 as surrogates)."""
    path: str
    """POSIX path relative to the hand-in, printable."""
    size: int
    """Bytes, as listed; the reader does not rely on it."""


@dataclass(frozen=True, slots=True)
class Walked:
    """What one walk found."""

    entries: tuple[Entry, ...]
    notes: tuple[str, ...]
    inside: str | None = None
    """The only folder of the root, or the only one in that, where it was taken for the hand-in; printable."""
    inside_name: str = ""
    """The same, as the file system has it."""


@dataclass(slots=True)
class _State:
    limits: IntakeLimits
    entries: dict[str, Entry] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    listed: int = 0

    def full(self) -> bool:
        return len(self.entries) >= self.limits.files or self.listed >= self.limits.files * _LISTED_FACTOR


def shown_name(name: str) -> str:
    """A file name as printable text: bytes that are not UTF-8 and control characters become escapes."""
    if name.isascii() and name.isprintable():
        return name
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def is_left_out(name: str) -> bool:
    """True for a file or folder that is no handed-in work: hidden ones, caches, environments, what macOS adds."""
    return name.startswith(".") or name in _LEFT_OUT_DIRS or name.lower() in _LEFT_OUT_FILES


def left_out_note(left_out: Mapping[str, int]) -> list[str]:
    """One sentence on what `is_left_out` and the like said, or none."""
    if not left_out:
        return []
    names = ", ".join(f"{name} ({n})" if n > 1 else name for name, n in sorted(left_out.items())[:8])
    more = ", …" if len(left_out) > 8 else ""
    return [f"Hidden files, caches and environments were left out: {names}{more}."]


def too_many_note(limits: IntakeLimits) -> str:
    """For a hand-in of more files than are looked at."""
    return f"There are more than {limits.files:,} files: the rest was left out. Hand in what is asked for."


def walk(root_fd: int, limits: IntakeLimits) -> Walked:
    """List the hand-in breadth first, so that the top level is never crowded out by what lies deeper.

    Where the root holds one folder and nothing else, as archives often do, that folder is the hand-in.
    """
    inside = _lone_folders(root_fd)
    state = _State(limits)
    pending: deque[tuple[str, ...]] = deque([inside])
    while pending and not state.full():
        parts = pending.popleft()
        pending.extend(_list_one(root_fd, parts, len(inside), state))
    if state.full():
        state.notes.append(too_many_note(limits))
    state.notes += left_out_note(state.left_out)
    return Walked(
        entries=tuple(state.entries.values()),
        notes=tuple(state.notes),
        inside="/".join(shown_name(name) for name in inside) or None,
        inside_name="/".join(inside),
    )


def _lone_folders(root_fd: int) -> tuple[str, ...]:
    """The folders on the way down as long as each is the only thing there, and is none for results."""
    inside: tuple[str, ...] = ()
    while len(inside) < LONE_FOLDERS:
        try:
            fd = open_folder(root_fd, inside)
        except OSError:
            return inside[:-1]
        try:
            only = _only_folder(fd)
        finally:
            os.close(fd)
        if only is None:
            break
        inside = (*inside, only)
    return inside


def _only_folder(fd: int) -> str | None:
    """The name of the only thing in a folder, where that is a folder other than results/."""
    only: str | None = None
    with os.scandir(fd) as listing:
        for item in listing:
            if is_left_out(item.name):
                continue
            if only is not None or not item.is_dir(follow_symlinks=False):
                return None
            only = item.name
    return only if only is not None and only.lower() != "results" else None


def _list_one(root_fd: int, parts: tuple[str, ...], above: int, state: _State) -> list[tuple[str, ...]]:
    """Take up the files of one folder; returns its sub-folders. `above`: parts that are not shown."""
    shown = "/".join(shown_name(p) for p in parts[above:])
    try:
        fd = open_folder(root_fd, parts)
    except OSError as error:
        state.notes.append(f"The folder {shown!r} cannot be read ({error.strerror}) and was left out.")
        return []
    folders: list[tuple[str, ...]] = []
    try:
        with os.scandir(fd) as listing:
            items = sorted(_capped(listing, state), key=lambda item: item.name)
        if parts and any(item.name == "pyvenv.cfg" for item in items):
            state.left_out[shown] += 1
            return []
        for item in items:
            path = f"{shown}/{shown_name(item.name)}" if shown else shown_name(item.name)
            folder = _take(item, path, (*parts, item.name), state)
            if folder:
                folders.append(folder)
    finally:
        os.close(fd)
    return folders


def open_folder(root_fd: int, parts: Sequence[str]) -> int:
    """Open a folder below `root_fd` step by step: a link on the way is an OSError, never a way out."""
    current = os.dup(root_fd)
    for part in parts:
        try:
            below = os.open(part, _DIR_FLAGS, dir_fd=current)
        finally:
            os.close(current)
        current = below
    return current


def open_beneath(root_fd: int, parts: Sequence[str]) -> int:
    """Open a file below `root_fd` for reading; a link at any step is an OSError."""
    folder = open_folder(root_fd, parts[:-1])
    try:
        return os.open(parts[-1], _READ_FLAGS, dir_fd=folder)
    finally:
        os.close(folder)


def _capped(listing: os._ScandirIterator[str], state: _State) -> list[os.DirEntry[str]]:
    items: list[os.DirEntry[str]] = []
    for item in listing:
        items.append(item)
        state.listed += 1
        if state.listed >= state.limits.files * _LISTED_FACTOR:
            break
    return items


def _take(item: os.DirEntry[str], path: str, parts: tuple[str, ...], state: _State) -> tuple[str, ...] | None:
    """Take up one file, or return the parts of a sub-folder to look into."""
    if is_left_out(item.name):
        state.left_out[shown_name(item.name)] += 1
        return None
    try:
        status = item.stat(follow_symlinks=False)
    except OSError as error:
        state.notes.append(f"{path}: it cannot be looked at ({error.strerror}) and was left out.")
        return None
    if stat.S_ISDIR(status.st_mode):
        if len(parts) >= state.limits.depth:
            state.notes.append(f"{path}: folders nested deeper than {state.limits.depth} were left out.")
            return None
        return parts
    if not stat.S_ISREG(status.st_mode):
        state.notes.append(f"{path}: {special_file(status.st_mode)}")
    elif status.st_nlink > 1:
        state.notes.append(f"{path}: {OTHER_NAME}")
    elif path.endswith((".pyc", ".pyo")):
        state.left_out["*.pyc"] += 1
    elif path in state.entries:
        state.notes.append(f"{path}: two files have names that look the same; the first was taken.")
    elif not state.full():
        state.entries[path] = Entry(parts, path, status.st_size)
    return None


def special_file(mode: int) -> str:
    """Why something that is neither a file nor a folder is not taken."""
    if stat.S_ISLNK(mode):
        return "it is a link, and links are not followed. Hand in the file itself."
    kinds = (
        (stat.S_ISFIFO, "pipe"),
        (stat.S_ISSOCK, "socket"),
        (stat.S_ISCHR, "device"),
        (stat.S_ISBLK, "device"),
    )
    kind = next((name for test, name in kinds if test(mode)), "special file")
    return f"it is a {kind}, not a regular file, and was left out."
