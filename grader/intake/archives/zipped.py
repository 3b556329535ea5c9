"""A zip file as an archive, with nothing in it taken on trust."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from grader.intake.archives.member import PIECE, ArchiveProblem, Listed, Member
from grader.intake.walk import IntakeLimits, special_file

_END, _END_SIZE, _LONGEST_COMMENT = b"PK\x05\x06", 22, 65_535
_END_64 = b"PK\x06\x06"
_LARGEST_ENTRY = 400
"""Bytes of the table of contents that a member with a long path takes; the table may have as many times the members."""
_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1
_UNICODE_PATH = 0x7075
"""Extra field of Info-ZIP: the name in UTF-8, beside one in an encoding of the sender's."""
_OPENED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
"""LZMA is not among them: its decoder takes as much memory as the member asks for."""
_AGAIN = "Make a new .zip and hand it in again."


class ZipArchive:
    """See `Archive`. Raises ArchiveProblem where the table of contents cannot be used."""

    def __init__(self, file: IO[bytes], limits: IntakeLimits) -> None:
        _refuse_crowded(file, limits.entries)
        try:
            self._zip = zipfile.ZipFile(file)
        except Exception as error:  # the module raises some ten kinds for bytes that are no zip
            raise ArchiveProblem(
                "It is damaged or was cut short: the table of contents at its end cannot be read.", _AGAIN
            ) from error
        self._file = file
        infos = self._zip.infolist()
        if len(infos) > limits.entries:
            raise _crowded(limits.entries)
        locked = [info.flag_bits & _ENCRYPTED_FLAG for info in infos if not _is_folder(info)]
        if locked and all(locked):
            raise ArchiveProblem("It is protected by a password.", "Hand it in again without one.")
        listed = Listed()
        for info in infos:
            _take(info, listed)
        self.members = tuple(listed.members.values())
        self.folders = frozenset(listed.folders)
        self.notes = listed.notes()

    def pieces(self, member: Member) -> Iterator[bytes]:
        """Its content; raises ArchiveProblem where it is damaged, has a password or is packed in an unusual way."""
        info: zipfile.ZipInfo = member.key
        if info.flag_bits & _ENCRYPTED_FLAG:
            raise ArchiveProblem("It is protected by a password.", "Hand it in again without one.")
        if info.compress_type not in _OPENED:
            raise ArchiveProblem("It is packed by a method that is not opened.", _AGAIN)
        try:
            with self._zip.open(info) as stream:
                while piece := stream.read(PIECE):
                    yield piece
        except (
            zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError,
            struct.error,
        ) as error:  # fmt: skip
            raise ArchiveProblem("It is damaged inside its archive.", _AGAIN) from error

    def close(self) -> None:
        """The file too."""
        self._zip.close()
        self._file.close()


def _take(info: zipfile.ZipInfo, listed: Listed) -> None:
    name = _name(info)
    mode = info.external_attr >> 16
    if _is_folder(info):
        listed.add_folder(name)
    elif mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        listed.refuse(name, special_file(mode))
    else:
        listed.add(name, info.file_size, info)


def _is_folder(info: zipfile.ZipInfo) -> bool:
    """Not by way of is_dir(), which fails for a member without a name."""
    return info.filename.endswith(("/", "\\"))


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was meant: much software writes UTF-8 without saying so."""
    raw = getattr(info, "orig_filename", info.filename).partition("\0")[0]
    if info.flag_bits & _UTF8_FLAG or raw.isascii():
        return raw
    try:
        written = raw.encode("cp437")
    except UnicodeEncodeError:
        return raw
    said = _unicode_path(info.extra, written)
    if said is not None:
        return said
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def _unicode_path(extra: bytes, written: bytes) -> str | None:
    """The name in the extra field 0x7075, where it goes with the name as written."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        body, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and len(body) > 5 and body[0] == 1:
            if struct.unpack_from("<L", body, 1)[0] != zlib.crc32(written):
                return None
            return body[5:].decode("utf-8", "replace")
    return None


def _refuse_crowded(file: IO[bytes], most: int) -> None:
    """Raises ArchiveProblem where the end of the file announces a table that is not worth reading into memory."""
    file.seek(0, 2)
    size = file.tell()
    start = max(
        0, size - _END_SIZE - _LONGEST_COMMENT - 76
    )  # 76: a record and its locator for zips above 4 GB
    file.seek(start)
    tail = file.read(size - start)
    file.seek(0)
    table = 0
    at = tail.rfind(_END)
    if at >= 0 and len(tail) - at >= _END_SIZE:
        table = struct.unpack_from("<L", tail, at + 12)[0]
    at = tail.rfind(_END_64)
    if at >= 0 and len(tail) - at >= 56:
        table = max(table if table != 0xFFFFFFFF else 0, struct.unpack_from("<Q", tail, at + 40)[0])
    if min(table, size) > most * _LARGEST_ENTRY:
        raise _crowded(most)


def _crowded(most: int) -> ArchiveProblem:
    return ArchiveProblem(
        f"It holds more than {most:,} files.",
        "Leave environments and data out, and hand in what is asked for.",
    )
