"""The grader's own files, folders to write to, data and models, a browser."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from grader.doctor.finding import Finding, State
from grader.errors import GraderError
from grader.paths import data_root

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "firefox", "microsoft-edge", "safari")
_ROOM = 2 * 2**30
"""Bytes that the real models and the corpus take, and some to spare."""


def own_files() -> Finding:
    """The assignments, templates and reference that come with the grader."""
    try:
        root = data_root()
        found = sorted(p.parent.name for p in (root / "tests").glob("*/assignment.toml"))
    except GraderError as error:
        return Finding("assignments", State.MISSING, error.message, error.next_step)
    return Finding("assignments", State.OK, f"{', '.join(found)} in {root}")


def writable() -> Finding:
    """The folder for temporary files: student code lives in one below it, or in memory."""
    folder = Path(tempfile.gettempdir())
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(
            "temporary files",
            State.MISSING,
            f"{folder} cannot be written to",
            "Set TMPDIR to a folder that can.",
        )
    return Finding("temporary files", State.OK, f"{folder}, {_free(folder)} free")


def cache() -> Finding:
    """Where data and models are kept."""
    from grader import assets

    folder = assets.folder()
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding(
            "cache",
            State.OPTIONAL,
            f"{folder} cannot be written to",
            f"Set {assets.FOLDER_VARIABLE} to a folder that can.",
        )
    if shutil.disk_usage(there).free < _ROOM:
        return Finding(
            "cache",
            State.OPTIONAL,
            f"{folder}, {_free(there)} free, and the real models take 1 GB",
            f"Make room, or set {assets.FOLDER_VARIABLE} to another folder.",
        )
    return Finding("cache", State.OK, f"{folder}, {_free(there)} free")


def data() -> list[Finding]:
    """The data and models of the real run; grading needs none of them."""
    import sys

    from grader import assets

    root = str(data_root())
    if root not in sys.path:
        sys.path.append(root)
    from reference.transformer.assets import ASSETS

    findings = []
    for asset in ASSETS.values():
        kept = assets.find(asset)
        if kept is not None:
            findings.append(Finding(f"data {asset.name}", State.OK, f"here, from {kept.origin}"))
        else:
            missing = f"not here: {asset.title}, {asset.download_bytes / 1e6:,.0f} MB"
            fix = f"grade assets fetch {asset.name}"
            findings.append(Finding(f"data {asset.name}", State.OPTIONAL, missing, fix))
    return findings


def browser() -> Finding:
    """To read reports and to review in."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None and os.name == "posix" and not Path("/Applications/Safari.app").exists():
        return Finding(
            "browser",
            State.OPTIONAL,
            "none found: reports and `grade review` are read in one, on this machine or on another",
            "apt install chromium, or copy the reports; the Markdown and the JSON report need none.",
        )
    return Finding("browser", State.OK, found or "that of the system")


def _free(folder: Path) -> str:
    return f"{shutil.disk_usage(folder).free / 1e9:,.0f} GB"
