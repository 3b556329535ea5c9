"""Zip archives that are the same to the byte whenever and wherever they are built from the same files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Iterator, Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold: the time of building is no part of what is built."""


def zipped(files: Mapping[str, bytes], executable: Collection[str] = ()) -> bytes:
    """A zip of `files`, POSIX path -> content, sorted; those named in `executable` may be run where it is unpacked."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            member = zipfile.ZipInfo(path, _EPOCH)
            member.create_system = 3  # Unix, on every system: else the modes are not kept
            member.external_attr = (0o100755 if path in executable else 0o100644) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, files[path])
    return buffer.getvalue()


def members(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Every file with its path, those inside of zips and wheels included: `tool.whl/grader/model.py`."""
    for path, content in files.items():
        if zipfile.is_zipfile(io.BytesIO(content)):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                inner = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
            yield from ((f"{path}/{name}", data) for name, data in members(inner))
        else:
            yield path, content
