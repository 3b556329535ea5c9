"""`grade new`: an assignment that works as it stands, to be made one's own."""

from __future__ import annotations

import json
import os
import re
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path

from grader.assignment import bundled
from grader.errors import UsageError
from grader.paths import data_root

_ID = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def new_assignment(target: Path, title: str | None = None) -> list[Path]:
    """Write the scaffold of an assignment, whose id is the folder's name, to `target`; returns the files written.

    Raises UsageError where `target` exists, where its name is no id, and where it cannot be written.
    """
    id = checked_id(target)
    shown = title or id.replace("-", " ").replace("_", " ").capitalize()
    if not shown.isprintable():
        raise UsageError("The title is more than one line of text.", "Give one line with --title.")
    names = {
        "@ID@": id,
        "@TITLE_TOML@": json.dumps(shown, ensure_ascii=False),
        "@TITLE@": shown,
        "@FOLDER@": shlex.quote(target.as_posix()),
    }
    root = data_root() / "templates" / "assignment"
    files = {}
    for path in sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        text = path.read_text(encoding="utf-8")
        for placeholder, value in names.items():
            text = text.replace(placeholder, value)
        files[path.relative_to(root).as_posix()] = text
    return write_folder(target, files)


def checked_id(target: Path) -> str:
    """The id of the assignment that `target` is to hold; raises UsageError."""
    id = target.resolve().name
    if not _ID.fullmatch(id):
        raise UsageError(
            f"{id!r} is no id of an assignment.",
            "Name the folder with small letters, digits, - and _, a letter first: it is the id, too.",
        )
    if id in bundled():
        raise UsageError(f"{id!r} is an assignment that comes with the grader.", "Give another name.")
    if os.path.lexists(target):
        raise UsageError(f"{str(target)!r} is there already: nothing was written.", "Give another name.")
    return id


def write_folder(target: Path, files: Mapping[str, str]) -> list[Path]:
    """Make the folder `target` with `files`, texts by POSIX path: all of it or nothing. Raises UsageError."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as made:
            staged = Path(made) / target.name
            staged.mkdir()
            for name, text in files.items():
                path = staged / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
            staged.rename(target)  # whole, or not there; a folder with something in it is never replaced
    except OSError as error:
        raise UsageError(
            f"{str(target)!r} cannot be written: {error.strerror}.", "Give a folder that you may write to."
        ) from None
    return [target / name for name in files]
