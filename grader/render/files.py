"""Reports on disk: each file is either the old one or the new one, whole."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from grader.errors import UsageError
from grader.model import GradeReport


def write_atomically(path: Path, text: str) -> None:
    """Replace `path` by `text` (UTF-8) in one step; on a failure the old file stays, nothing is left over."""
    write_together({path: text.encode("utf-8")})


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """The same for bytes."""
    write_together({path: content})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """The same for several files: each in one step, and the first only once all are whole on the disk."""
    written: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            temporary = written[path] = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, temporary in written.items():
            temporary.replace(path)
    except BaseException:
        for temporary in written.values():
            temporary.unlink(missing_ok=True)
        raise
    for folder in {path.parent for path in contents}:
        _sync_folder(folder)


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
        write_together({paths[fmt]: page.encode("utf-8") for fmt, page in pages.items()})
    except OSError as error:
        raise UsageError(
            f"The report cannot be written to {out_dir}: {error.strerror or error}.",
            "Choose another folder with --out.",
        ) from error
    return paths
