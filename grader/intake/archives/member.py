"""What an archive holds: members with harmless names, and a sentence for each that was refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from grader.intake.walk import shown_name

PIECE = 1 << 20
"""Bytes that are unpacked at a time."""
_LONGEST_NAME = 255
_DRIVE = re.compile(r"[A-Za-z]:")
_MOST_TOLD = 20


class ArchiveProblem(Exception):
    """An archive, or one member of it, that cannot be read: what is wrong, and the next step."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()


@dataclass(frozen=True, slots=True)
class Member:
    """One regular file in an archive."""

    parts: tuple[str, ...]
    """Its path, printable, in Unicode's composed form; no part is empty, "." or ".."."""
    size: int
    """Bytes that it claims to unpack to; no more are ever read."""
    key: Any
    """What its archive knows it by."""


class Archive(Protocol):
    """An open archive."""

    @property
    def members(self) -> tuple[Member, ...]: ...
    @property
    def folders(self) -> frozenset[tuple[str, ...]]:
        """Folders that it lists, empty ones included."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out and why, one sentence each."""

    def pieces(self, member: Member) -> Iterator[bytes]:
        """Its content, at most a megabyte at a time; raises ArchiveProblem where it is damaged or closed."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Listed:
    """The members of an archive while it is listed; says what is wrong with each that is not taken."""

    members: dict[tuple[str, ...], Member] = field(default_factory=dict)
    folders: set[tuple[str, ...]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    _folded: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _untold: int = 0

    def add(self, raw: str, size: int, key: Any) -> None:
        """Take up a regular file called `raw`."""
        parts = self.path_of(raw)
        if not parts:
            return
        folded = unicodedata.normalize("NFC", "/".join(parts).casefold())
        there = self._folded.get(folded)
        if there == parts:
            self.refuse("/".join(parts), "it stands in the archive more than once; the last one was taken.")
        elif there is not None:
            self.refuse(
                "/".join(parts),
                f"its name differs from {'/'.join(there)} in capitals only, so it was left out.",
            )
            return
        self._folded[folded] = parts
        self.members[parts] = Member(parts, max(0, size), key)

    def add_folder(self, raw: str) -> None:
        """Take up a folder."""
        parts = self.path_of(raw)
        if parts:
            self.folders.add(parts)

    def path_of(self, raw: str) -> tuple[str, ...]:
        """The parts of a member's name; () for one that cannot be used, with a sentence where it matters."""
        path = raw.replace("\\", "/")
        if path.startswith("/") or _DRIVE.match(path):
            self.refuse(raw, "its path is absolute, so it was left out.")
            return ()
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if ".." in parts:
            self.refuse(raw, "its path leads out of the archive, so it was left out.")
            return ()
        if any(len(part) > _LONGEST_NAME for part in parts):
            self.refuse(raw, "its name is too long for a file, so it was left out.")
            return ()
        return tuple(unicodedata.normalize("NFC", shown_name(part)) for part in parts)

    def refuse(self, raw: str, why: str) -> None:
        """A sentence about one member; a flood of them is told once."""
        if len(self.refused) >= _MOST_TOLD:
            self._untold += 1
            return
        name = shown_name(raw)
        self.refused.append(f"{name if len(name) <= 120 else name[:119] + '…'}: {why}")

    def notes(self) -> tuple[str, ...]:
        """One sentence for each member that was left out."""
        more = [f"{self._untold:,} more members of the archive were left out."] if self._untold else []
        return (*self.refused, *more)
