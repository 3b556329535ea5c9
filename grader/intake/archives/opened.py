"""Bytes -> an open archive, by what they are and not by what the file is called."""

from __future__ import annotations

import bz2
import lzma
import tempfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from grader.intake.archives.member import PIECE, Archive, ArchiveProblem
from grader.intake.archives.tarred import TarArchive
from grader.intake.archives.zipped import ZipArchive
from grader.intake.found import megabytes
from grader.intake.walk import IntakeLimits

_SUFFIXES = (
    ".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".tbz2", ".tbz", ".txz", ".zip", ".tar", ".7z", ".rar",
)  # fmt: skip
_MAGIC = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"%PDF", "PDF"),
)
_TAR_MAGIC, _TAR_MAGIC_AT, _BLOCK = b"ustar", 257, 512
_BOMB_RATIO = 300
"""No text or code packs this well; only then is the ratio looked at, and only above the size below."""
_BOMB_BYTES = 50_000_000
_XZ_MEMORY = 256 << 20
_SPOOLED = 32 << 20
_PACKED = 1 << 16
"""Bytes that are given to a decoder at a time."""
_AGAIN = "Make a new one (.zip) and hand it in again."


def is_archive_name(name: str) -> bool:
    """True where the name ends like that of an archive; .docx, .pt or .npz are zips too, and are not meant."""
    return name.lower().endswith(_SUFFIXES)


def without_suffix(name: str) -> str:
    """work.tar.gz -> work."""
    suffix = next((s for s in _SUFFIXES if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)] or name


def open_archive(file: IO[bytes], name: str, limits: IntakeLimits) -> Archive:
    """List the archive in `file`, a seekable file that the archive closes in the end.

    Raises ArchiveProblem where it is none, or is closed, damaged, or larger than may be unpacked; `file` is closed.
    """
    try:
        return _open(file, name, limits)
    except ArchiveProblem:
        file.close()
        raise


def _open(file: IO[bytes], name: str, limits: IntakeLimits) -> Archive:
    kind = sniff(file)
    if kind == "zip":
        return ZipArchive(file, limits)
    if kind == "tar":
        return TarArchive(file, limits)
    if kind in _STREAMS:
        unpacked, broken = _decompressed(file, kind, limits)
        file.close()
        try:
            if sniff(unpacked) != "tar" and not _is_empty_tar(unpacked):
                raise ArchiveProblem(
                    broken or f"It is packed with {kind}, and what is in it is no tar archive.", _AGAIN
                )
            return TarArchive(unpacked, limits, broken)
        except ArchiveProblem:
            unpacked.close()
            raise
    if kind == "empty":
        raise ArchiveProblem("It is empty (0 bytes).", "The upload failed: hand it in again.")
    if kind in ("7-Zip", "RAR"):
        raise ArchiveProblem(f"It is a {kind} archive, and only zip and tar are opened.", _AGAIN)
    if name.lower().endswith(".zip"):
        what = f"It is a {kind} file" if kind else "It is damaged, or no archive at all"
        raise ArchiveProblem(f"{what}, whatever its name says.", _AGAIN)
    raise ArchiveProblem("It is no archive that can be opened.", _AGAIN)


def sniff(file: IO[bytes]) -> str:
    """What the first bytes say: "zip", "tar", a compression, another kind by its name; "" where unknown."""
    file.seek(0)
    head = file.read(_BLOCK)
    file.seek(0)
    if not head:
        return "empty"
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")
    if not kind and head[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        return "tar"
    return kind or ("tar" if _is_old_tar(head) else "")


def _is_old_tar(block: bytes) -> bool:
    """A tar header of before 1988 has no magic word, but its checksum fits."""
    field = block[148:156].strip(b" \0")
    if len(block) < _BLOCK or not field or any(c not in b"01234567" for c in field):
        return False
    return int(field, 8) == sum(block[:148]) + 8 * 32 + sum(block[156:])


def _is_empty_tar(file: IO[bytes]) -> bool:
    head = file.read(2 * _BLOCK)
    file.seek(0)
    return head == bytes(2 * _BLOCK)


def _decompressed(file: IO[bytes], kind: str, limits: IntakeLimits) -> tuple[IO[bytes], str]:
    """What is packed in `file`, and a sentence where it breaks off; raises ArchiveProblem for a bomb."""
    file.seek(0, 2)
    packed = file.tell()
    file.seek(0)
    out = tempfile.SpooledTemporaryFile(_SPOOLED)  # noqa: SIM115  # closed by the archive that is read from it
    size, broken = 0, ""
    try:
        for piece in _STREAMS[kind](file):
            size += len(piece)
            if size > limits.unpacked_bytes:
                raise ArchiveProblem(f"It unpacks to more than {megabytes(limits.unpacked_bytes)}.", _SMALLER)
            if size > _BOMB_BYTES and size > _BOMB_RATIO * packed:
                raise ArchiveProblem(
                    f"It unpacks to more than {_BOMB_RATIO} times its size, as no honest archive does.",
                    _AGAIN,
                )
            out.write(piece)
    except ArchiveProblem:
        out.close()
        raise
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError):
        broken = "It is damaged or was cut short on the way."
    out.seek(0)
    return out, broken


def _gzip(file: IO[bytes]) -> Iterator[bytes]:
    """Not by way of gzip.open, which drops what came before the place where a file breaks off."""
    stream, packed, begun = zlib.decompressobj(31), b"", True
    while packed or (packed := file.read(_PACKED)):
        yield stream.decompress(packed, PIECE)
        packed, begun = stream.unconsumed_tail or stream.unused_data.lstrip(b"\0"), True
        if stream.eof:
            stream, begun = zlib.decompressobj(31), False
    if begun:
        raise EOFError


def _bzip2(file: IO[bytes]) -> Iterator[bytes]:
    return _several(file, bz2.BZ2Decompressor)


def _xz(file: IO[bytes]) -> Iterator[bytes]:
    """With a limit, or the decoder takes as much memory as the file asks for."""
    return _several(file, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY))


def _several(
    file: IO[bytes], make: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]
) -> Iterator[bytes]:
    """One packed stream after the other."""
    stream, packed = make(), file.read(_PACKED)
    while True:
        yield stream.decompress(packed, PIECE)
        packed = b""
        if stream.eof:
            packed = stream.unused_data.lstrip(b"\0") or file.read(_PACKED)
            if not packed:
                return
            stream = make()
        elif stream.needs_input and not (packed := file.read(_PACKED)):
            raise EOFError


_STREAMS: dict[str, Callable[[IO[bytes]], Iterator[bytes]]] = {"gzip": _gzip, "bzip2": _bzip2, "xz": _xz}
_SMALLER = "Hand in code, answers and figures, not data or models."
