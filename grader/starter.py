"""The starter kit: what a student hands in, still to be filled in."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from grader.assignment import find_assignment, read_document
from grader.errors import GraderError, UsageError

COURSEWORK = "transformer"


@cache
def starter_root(assignment: str = COURSEWORK) -> Path:
    """The folder with the starter kit of an assignment, an id or a folder, as its table [verify] names it.

    Raises UsageError where it has none, or where there is no such assignment.
    """
    root = find_assignment(assignment).root
    named = read_document(root).get("verify", {}).get("starter")
    folder = (root / named).resolve() if isinstance(named, str) else None
    if folder is None or not folder.is_dir():
        raise UsageError(
            f"The assignment {assignment!r} brings no starter kit.",
            "Name its folder as `starter` in the table [verify] of assignment.toml.",
        )
    return folder


def starter_files(root: Path) -> list[str]:
    """POSIX paths of the files of a kit, sorted."""
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and _shipped(p))


def write_starter(target: Path, assignment: str = COURSEWORK) -> list[Path]:
    """Write the starter kit of `assignment` to `target`, all of it or nothing; returns the files written.

    `target` is made where it does not exist. Nothing is overwritten: a file that is already there is a UsageError
    that names it, and nothing is written then.
    """
    if target.exists() and not target.is_dir():
        raise UsageError(f"{str(target)!r} is a file, and the starter kit is a folder.", "Give another name.")
    root = starter_root(assignment)
    names = starter_files(root)
    taken = [name for name in names if os.path.lexists(target / name)]
    if taken:
        shown = ", ".join(taken[:6]) + (", …" if len(taken) > 6 else "")
        raise UsageError(
            f"{str(target)!r} already has {shown}: nothing was written.",
            "Give a new folder, or move these away first.",
        )
    made = _missing_folders(target, names)
    written: list[Path] = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target, prefix=".starter-") as staging:
            for name in names:
                written.append(_place(name, root, Path(staging), target))
    except BaseException as error:
        _undo(written, made)
        if isinstance(error, OSError):
            raise _cannot_write(target, error) from error
        raise
    return written


def _shipped(path: Path) -> bool:
    return "__pycache__" not in path.parts and not path.name.startswith(".")


def _place(name: str, root: Path, staging: Path, target: Path) -> Path:
    """Copy one file next to its place and link it there: complete or not there, and never over another file."""
    staged, final = staging / name.replace("/", "__"), target / name
    shutil.copyfile(root / name, staged)
    final.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(staged, final)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP):
            raise
        with final.open("xb") as file:  # a file system without hard links
            file.write(staged.read_bytes())
    return final


def _missing_folders(target: Path, names: list[str]) -> list[Path]:
    """Folders that writing will make, the deepest first."""
    folders = {target, *target.parents} | {(target / name).parent for name in names}
    return sorted((f for f in folders if not f.exists()), key=lambda f: len(f.parts), reverse=True)


def _undo(written: list[Path], made: list[Path]) -> None:
    """Take back a half-written kit; what somebody else has put there in the meantime stays."""
    for file in written:
        file.unlink(missing_ok=True)
    for folder in made:
        try:
            folder.rmdir()
        except OSError:
            continue


def _cannot_write(target: Path, error: OSError) -> GraderError:
    if isinstance(error, FileExistsError):
        return UsageError(
            f"{error.filename2 or error.filename} appeared meanwhile: nothing was written.", "Try again."
        )
    return UsageError(
        f"{str(target)!r} cannot be written: {error.strerror}.", "Give a folder that you may write to."
    )


@cache
def starter_contents() -> frozenset[bytes]:
    """What each file of the coursework's kit holds."""
    root = starter_root()
    return frozenset((root / name).read_bytes() for name in starter_files(root))


def starter_texts(assignment: str = COURSEWORK) -> list[str]:
    """The code that the kit of an assignment comes with."""
    root = starter_root(assignment)
    return [(root / name).read_text(encoding="utf-8") for name in starter_files(root) if name.endswith(".py")]
