"""Canvas, "Download Submissions": one flat zip of `lastfirst[_LATE]_<user>_<attachment>_<file>`.

Anonymous assignments have `anon_<id>[_LATE]_<attachment>_<file>`; what was typed into the page is `…_text.html`, a link
`…_link.html`. Only the latest attempt is in the download; a file whose name was handed in before is
called `name-1.ext`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from grader.intake.gather import Piece
from grader.intake.lms.draft import At, Draft, Layout, beside, by_key, listed
from grader.intake.stores import Child, Store
from grader.intake.walk import shown_name

_UPLOAD = re.compile(
    r"(?P<who>.+?)(?P<late>_LATE)?_(?P<user>\d+)_(?P<attachment>\d{2,})_(?P<file>.+)", re.DOTALL
)
_TYPED = re.compile(r"(?P<who>.+?)(?P<late>_LATE)?_(?P<user>\d+)_(?P<file>(?:text|link)\.html)")
_ANONYMOUS = re.compile(
    r"(?P<who>anon(?:ymous)?)_(?P<user>[A-Za-z0-9]{4,})(?P<late>_LATE)?_(?P<attachment>\d{2,})_(?P<file>.+)",
    re.DOTALL,
)
_ANONYMOUS_TYPED = re.compile(
    r"(?P<who>anon(?:ymous)?)_(?P<user>[A-Za-z0-9]{4,})(?P<late>_LATE)?_(?P<file>(?:text|link)\.html)"
)
_AGAIN = re.compile(r"(?P<stem>.+)-(?P<number>\d{1,2})")


@dataclass(frozen=True, slots=True)
class _Upload:
    at: At
    attachment: int
    file: str


def canvas(store: Store, at: At, children: Sequence[Child]) -> Layout | None:
    """The layout, where at least half of what is there bears Canvas' names."""
    candidates = listed(children)
    parsed = [(child, None if child.is_folder else _parse(child.name)) for child in candidates]
    others = [child for child, match in parsed if match is None]
    if not parsed or len(others) > len(parsed) / 2:
        return None
    drafts: dict[str, Draft] = {}
    uploads: dict[str, list[_Upload]] = {}
    for child, match in parsed:
        if match is None:
            continue
        who = shown_name(match["who"])
        name = f"Anonymous {match['user']}" if match["who"].startswith("anon") else who
        key = f"{who}_{match['user']}"
        draft = drafts.setdefault(key, Draft(key, name))
        draft.late = draft.late or match["late"] is not None
        attachment = int(match.groupdict().get("attachment") or 0)
        uploads.setdefault(key, []).append(_Upload((*at, child.name), attachment, match["file"]))
    for key, files in uploads.items():
        _sort_in(drafts[key], sorted(files, key=lambda upload: upload.attachment))
    return Layout("a Canvas download", by_key(drafts.values()), beside(others))


def _parse(name: str) -> re.Match[str] | None:
    for pattern in (_ANONYMOUS, _ANONYMOUS_TYPED, _TYPED, _UPLOAD):
        found = pattern.fullmatch(name)
        if found:
            return found
    return None


def _sort_in(draft: Draft, uploads: Sequence[_Upload]) -> None:
    """Take the files under the names that the student gave them; of two versions of one file the later."""
    versions: dict[str, list[_Upload]] = {}
    for upload in uploads:
        versions.setdefault(_original(upload.file), []).append(upload)
    for original, same in versions.items():
        plain = [upload for upload in same if upload.file == original]
        if len(same) > 1 and not plain:  # part-1.py and part-2.py: no versions, but names
            draft.pieces += [Piece(upload.at, shown_name(upload.file), folder=False) for upload in same]
            continue
        latest = same[-1]
        draft.pieces.append(Piece(latest.at, shown_name(original), folder=False))
        if latest.file != original:
            draft.notes.append(
                f"{shown_name(original)} was read from {shown_name(latest.file)}: Canvas numbers files that are handed "
                "in again."
            )
        if len(same) > 1:
            draft.attempt = max(draft.attempt, len(same))
            older = ", ".join(shown_name(upload.at[-1]) for upload in same[:-1])
            draft.notes.append(f"An older version of {shown_name(original)} was left out: {older}.")
        if latest.file == "link.html":
            draft.notes.append("The student handed in a link to a page, and links are not followed.")


def _original(file: str) -> str:
    """a3-1.ipynb -> a3.ipynb."""
    path = PurePosixPath(file)
    again = _AGAIN.fullmatch(path.stem)
    return f"{again['stem']}{path.suffix}" if again else file
