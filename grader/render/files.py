"""Reports on disk: each file is either the old one or the new one, whole."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from grader.errors import UsageError
from grader.model import GradeReport


def write_atomically(path: Path, text: str) -> None:
    """Replace `path` by `text` (UTF-8) in one step; on a failure the old file stays, nothing is left over."""
    write_bytes_atomically(path, text.encode("utf-8"))


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """The same for bytes."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_all(
    report: GradeReport, out_dir: Path, formats: Iterable[str], render: Callable[[GradeReport, str], str]
) -> dict[str, Path]:
    """Render every format first, then write; so a failing format leaves all files as they were."""
    pages = {fmt: render(report, fmt) for fmt in formats}
    paths = {fmt: out_dir / f"report.{fmt}" for fmt in pages}
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        for fmt, page in pages.items():
            write_atomically(paths[fmt], page)
    except OSError as error:
        raise UsageError(
            f"The report cannot be written to {out_dir}: {error.strerror or error}.",
            "Choose another folder with --out.",
        ) from error
    return paths
