"""What verify hands in: the model solution, the starter, each misconception and each variant. Nothing is written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from grader.bank import Edit, Misconception
from grader.errors import AssignmentError, GraderError, SubmissionNotFound
from grader.intake import read_submission
from grader.model import Submission
from grader.verify.settings import Group

GARBAGE = b"( = 'nothing can read this\n"
"""No Python, no TOML, no JSON."""


@dataclass(frozen=True, slots=True)
class HandIn:
    """One folder, as intake would have read it."""

    name: str
    """"model solution", "empty starter", "misconception no-scale", "variant attention/einsum"."""
    submission: Submission
    changed: tuple[str, ...] = ()
    """Paths that differ from the model solution; empty for the solution and for what replaces all of it."""

    @property
    def files(self) -> list[tuple[str, bytes]]:
        """Path and content, as a worker takes them."""
        return [(file.path, file.content) for file in self.submission.files if file.problem is None]


class EditFails(GraderError):
    """An edit that cannot be made: why, and what to do."""


def solution_at(folder: Path) -> HandIn:
    """Raises AssignmentError where nothing can be read or something was left out."""
    return _read("model solution", folder)


def starter_at(folder: Path) -> HandIn:
    """Raises AssignmentError where nothing can be read or something was left out."""
    return _read("empty starter", folder)


def misconceived(misconception: Misconception, solution: HandIn) -> HandIn:
    """The hand-in of a student who believes it; raises EditFails."""
    if not misconception.edits:
        raise EditFails(
            "it has no edits, so there is nothing to hand in", "Add an Edit of the model solution."
        )
    contents = {file.path: file.content for file in solution.submission.files}
    for edit in misconception.edits:
        contents[edit.file] = _edited(edit, contents)
    return _changed(f"misconception {misconception.id}", solution, contents)


def variants_in(folder: Path, solution: HandIn) -> list[HandIn]:
    """Every STEM/NAME.EXT below `folder` as a hand-in that has it in place of the solution's STEM.EXT.

    Raises AssignmentError where the solution has no such file, or several.
    """
    found = []
    for path in sorted(p for p in folder.glob("*/*") if p.is_file() and not p.name.startswith((".", "__"))):
        stem = path.parent.name
        places = [
            file.path
            for file in solution.submission.files
            if PurePosixPath(file.path).stem == stem and PurePosixPath(file.path).suffix == path.suffix
        ]
        if len(places) != 1:
            raise AssignmentError(
                f"The variant {stem}/{path.name} stands for a file {stem}{path.suffix}, and the model solution has "
                f"{len(places)} of that name.",
                "Name the folder after the file that its variants replace.",
            )
        name = f"variant {stem}/{path.stem}"
        found.append(_changed(name, solution, {places[0]: path.read_bytes()}))
    return found


def without_the_rest(group: Group, solution: HandIn) -> HandIn:
    """The model solution with garbage in every file that the group does not read."""
    rest = [f.path for f in solution.submission.files if not group.reads_any([f.path])]
    return _changed(f"files of {group.name} alone", solution, dict.fromkeys(rest, GARBAGE))


def _read(what: str, folder: Path) -> HandIn:
    try:
        submission = read_submission(folder)
    except SubmissionNotFound as error:
        raise AssignmentError(f"The {what} cannot be read: {error.message}", error.next_step) from error
    unread = [f"{file.path}: {file.problem}" for file in submission.files if file.problem]
    if unread:
        raise AssignmentError(f"The {what} cannot be read: {unread[0]}")
    return HandIn(what, submission)


def _edited(edit: Edit, contents: Mapping[str, bytes]) -> bytes:
    if edit.file not in contents:
        raise EditFails(
            f"its edit no longer applies: the model solution has no file {edit.file}",
            f"The files are {', '.join(contents)}.",
        )
    text = contents[edit.file].decode("utf-8", "replace")
    count = text.count(edit.old) if edit.old else 0
    if count != 1:
        shown = edit.old.strip().partition("\n")[0][:60]
        raise EditFails(
            f"its edit no longer applies: {shown!r} stands {count} times in {edit.file}, and must stand there once",
            "Write into `old` what the model solution says there now.",
        )
    if edit.old == edit.new:
        raise EditFails(
            f"its edit of {edit.file} changes nothing", "Write into `new` what the belief leads to."
        )
    return text.replace(edit.old, edit.new).encode()


def _changed(name: str, solution: HandIn, contents: Mapping[str, bytes]) -> HandIn:
    """The solution with other contents under some of its paths."""
    before = solution.submission
    files = tuple(replace(f, content=contents.get(f.path, f.content)) for f in before.files)
    changed = [new.path for new, old in zip(files, before.files, strict=True) if new.content != old.content]
    submission = replace(before, name=name, files=files, sha256=_hash((f.path, f.content) for f in files))
    return HandIn(name, submission, tuple(changed))


def _hash(files: Iterable[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256()
    for path, content in files:
        digest.update(f"{len(path)} {path} {len(content)} ".encode() + content)
    return digest.hexdigest()
