"""A tar file as an archive, with nothing in it taken on trust."""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Iterator
from typing import IO, cast

from grader.intake.archives.member import PIECE, ArchiveProblem, Listed, Member
from grader.intake.walk import IntakeLimits, special_file

_LARGEST_HEADER = 16 << 20
"""Bytes: a header says itself how long it is, and the library reads it whole."""
_HARD_LINK = "it is a link to another member, and links are not followed. Hand in the file itself."
_KINDS = {
    tarfile.SYMTYPE: stat.S_IFLNK,
    tarfile.CHRTYPE: stat.S_IFCHR,
    tarfile.BLKTYPE: stat.S_IFBLK,
    tarfile.FIFOTYPE: stat.S_IFIFO,
}
_BROKEN = "It is damaged or was cut short on the way."
_AGAIN = "Make a new archive (.zip) and hand it in again."


class TarArchive:
    """See `Archive`. `broken`: a sentence where the file is known to be cut short.

    Raises ArchiveProblem where not even the first member can be listed, or there are too many.
    """

    def __init__(self, file: IO[bytes], limits: IntakeLimits, broken: str = "") -> None:
        self._file = _Watched(file)
        self._listed = Listed()
        count, problem = self._list(limits.entries)
        problem = broken or problem
        if problem and not count:
            raise ArchiveProblem(problem, _AGAIN)
        self._file.left = None
        self.members = tuple(self._listed.members.values())
        self.folders = frozenset(self._listed.folders)
        self.notes = (
            *self._listed.notes(),
            *([f"{problem} What comes after is missing."] if problem else []),
        )

    def _list(self, most: int) -> tuple[int, str]:
        """How many members there are, and a sentence where the list breaks off."""
        count = 0
        try:
            self._tar = tarfile.open(  # noqa: SIM115
                fileobj=cast("IO[bytes]", self._file), mode="r:", errors="surrogateescape"
            )
            while (info := self._tar.next()) is not None:
                count += 1
                if count > most:
                    raise ArchiveProblem(
                        f"It holds more than {most:,} files.",
                        "Leave environments and data out, and hand in what is asked for.",
                    )
                self._take(info)
            self._file.seek(self._tar.offset)
            end = self._file.read(tarfile.BLOCKSIZE)
        except ArchiveProblem:
            raise
        except Exception:  # the module raises a dozen kinds for bytes that are no tar
            return count, _BROKEN
        return count, "" if end and not end.strip(
            b"\0"
        ) else _BROKEN  # the module takes any other end for one

    def _take(self, info: tarfile.TarInfo) -> None:
        if info.isdir():
            self._listed.add_folder(info.name)
        elif info.islnk():
            self._listed.refuse(info.name, _HARD_LINK)
        elif info.isreg():
            self._listed.add(info.name, info.size, info)
        else:
            self._listed.refuse(info.name, special_file(_KINDS.get(info.type, 0)))

    def pieces(self, member: Member) -> Iterator[bytes]:
        """Its content; raises ArchiveProblem where the archive ends before it does."""
        done = 0
        try:
            stream = self._tar.extractfile(member.key)
            while stream is not None and (piece := stream.read(PIECE)):
                done += len(piece)
                yield piece
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            raise ArchiveProblem("It is damaged inside its archive.", _AGAIN) from error
        if done < member.size:
            raise ArchiveProblem("It is cut short inside its archive.", _AGAIN)

    def close(self) -> None:
        """The file too."""
        self._file.close()


class _Watched:
    """A file that is read no more than twice over while it is listed.

    Crafted headers can send the library backwards without an end, or ask for gigabytes at once.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        file.seek(0, 2)
        self.left: int | None = 2 * file.tell() + (1 << 20)
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > _LARGEST_HEADER:
            raise tarfile.ReadError("too much at once")
        if self.left is not None:
            self.left -= max(size, 1)
            if self.left < 0:
                raise tarfile.ReadError("read over and over")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
