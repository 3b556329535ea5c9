"""Archives for the tests: honest ones, and ones that no honest program makes."""

from __future__ import annotations

import io
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping

GOOD = {"attention.py": b"x = 1\n", "answers.toml": b"[4c]\n"}
Files = Mapping[str, bytes]


def zipped(files: Files | Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip; a list of pairs may have one name twice."""
    out = io.BytesIO()
    pairs = files.items() if isinstance(files, Mapping) else files
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", method) as archive:
        warnings.simplefilter("ignore")  # about names that stand twice
        for name, content in pairs:
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return out.getvalue()


def zip_of(edit: Callable[[zipfile.ZipInfo], None], name: str = "link.py", content: bytes = b"x") -> bytes:
    """A zip of GOOD and one more member, whose header goes through `edit`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for good, text in GOOD.items():
            archive.writestr(good, text)
        info = zipfile.ZipInfo(name)
        edit(info)
        archive.writestr(info, content)
    return out.getvalue()


def locked(content: bytes) -> bytes:
    """The same zip with every member marked as encrypted."""
    out = bytearray(content)
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = out.find(magic)
        while at >= 0:
            out[at + flags] |= 1
            at = out.find(magic, at + 4)
    return bytes(out)


def lying(content: bytes, size: int) -> bytes:
    """The same zip, whose table of contents says that its first member unpacks to `size` bytes."""
    at = content.find(b"PK\x01\x02") + 24
    return content[:at] + struct.pack("<L", size) + content[at + 4 :]


def crowded(content: bytes) -> bytes:
    """The same zip, whose end announces a table of contents of 4 GB."""
    at = content.rfind(b"PK\x05\x06") + 12
    return content[:at] + struct.pack("<L", 0xFFFFFFFE) + content[at + 4 :]


def tarred(files: Files, mode: str = "w", *odd: tarfile.TarInfo) -> bytes:
    """A tar, packed as `mode` says, with members of odd kinds at its end."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in odd:
            archive.addfile(info)
    return out.getvalue()


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    """A link, a device or a pipe."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def many(count: int, files: Files) -> bytes:
    """A zip of `count` empty files in a folder, and `files`; by hand, for zipfile takes seconds to write so many."""
    body, table = bytearray(), bytearray()
    names = [(f"junk/{number}".encode(), b"") for number in range(count)]
    for name, content in names + [(name.encode(), content) for name, content in files.items()]:
        common = struct.pack(
            "<HHHHHLLLHH", 20, 0, 0, 0, 33, zlib.crc32(content), len(content), len(content), len(name), 0
        )
        table += b"PK\x01\x02\x14\0" + common + struct.pack("<HHHLL", 0, 0, 0, 0, len(body)) + name
        body += b"PK\x03\x04" + common + name + content
    total = count + len(files)
    entries = min(total, 0xFFFF)
    end = struct.pack("<HHHHLLH", 0, 0, entries, entries, len(table), len(body), 0)
    large = struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, total, total, len(table), len(body))
    locator = struct.pack("<LQL", 0, len(body) + len(table), 1)
    return bytes(body + table + b"PK\x06\x06" + large + b"PK\x06\x07" + locator + b"PK\x05\x06" + end)


def nested(depth: int) -> bytes:
    """A zip in a zip in a zip …, with GOOD at the bottom."""
    content = zipped(GOOD)
    for level in range(depth):
        content = zipped({f"inner{level}.zip": content})
    return content


def backwards() -> bytes:
    """A tar whose second header says that its member has -1024 bytes: a reader that believes it never ends."""
    out = bytearray(tarred(GOOD))
    at = 1024  # the second header: the first member takes one block for itself and one for its content
    out[at + 124 : at + 136] = b"\xff" + (2**88 - 1024).to_bytes(11, "big")
    out[at + 148 : at + 156] = b" " * 8
    checksum = sum(out[at : at + 512])
    out[at + 148 : at + 156] = b"%06o\0 " % checksum
    return bytes(out)
