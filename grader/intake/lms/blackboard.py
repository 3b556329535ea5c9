"""Blackboard, "Download Assignment Files": `<Assignment>_<user>_attempt_<time>_<file>`, flat, one .txt an attempt.

All attempts may be in the download: the latest counts. The .txt names the student and the files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from grader.intake.gather import Piece
from grader.intake.lms.draft import At, Draft, Layout, beside, by_key, iso_time, listed
from grader.intake.stores import Child, FileProblem, Store, read_at_most
from grader.intake.walk import shown_name

_ITEM = re.compile(
    r"(?P<assignment>.+)_(?P<user>[^_]+)_attempt_(?P<when>\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)(?:_(?P<file>.+)|\.txt)",
    re.DOTALL,
)
_NAME = re.compile(r"^\s*Name:\s*(?P<name>.+?)\s*\((?P<user>[^()]+)\)\s*$", re.MULTILINE)
_LATE = re.compile(r"^\s*(?:Submitted late|Late)\b", re.MULTILINE | re.IGNORECASE)
_MOST = 1_000_000


@dataclass(slots=True)
class _Attempt:
    when: str
    pieces: list[Piece] = field(default_factory=list)
    cover: At | None = None
    """The .txt that Blackboard writes."""


def blackboard(store: Store, at: At, children: Sequence[Child]) -> Layout | None:
    """The layout, where at least half of what is there bears Blackboard's names."""
    candidates = listed(children)
    parsed = [(child, None if child.is_folder else _ITEM.fullmatch(child.name)) for child in candidates]
    others = [child for child, match in parsed if match is None]
    if not parsed or len(others) > len(parsed) / 2:
        return None
    attempts: dict[str, dict[str, _Attempt]] = {}
    for child, match in parsed:
        if match is None:
            continue
        attempt = attempts.setdefault(shown_name(match["user"]), {}).setdefault(
            match["when"], _Attempt(match["when"])
        )
        place = (*at, child.name)
        if match["file"] is None:
            attempt.cover = place
        else:
            attempt.pieces.append(Piece(place, shown_name(match["file"]), folder=False))
    drafts = [_draft(store, user, list(of_user.values())) for user, of_user in attempts.items()]
    return Layout("a Blackboard download", by_key(drafts), beside(others))


def _draft(store: Store, user: str, attempts: list[_Attempt]) -> Draft:
    attempts.sort(key=lambda attempt: attempt.when)
    latest = attempts[-1]
    cover = _text(store, latest.cover)
    named = _NAME.search(cover)
    draft = Draft(
        key=shown_name(named["user"]) if named else user,
        name=shown_name(named["name"]) if named else user,
        pieces=latest.pieces,
        late=_LATE.search(cover) is not None,
        attempt=len(attempts),
        submitted_at=iso_time(latest.when),
    )
    if len(attempts) > 1:
        older = ", ".join(iso_time(attempt.when) or attempt.when for attempt in attempts[:-1])
        draft.notes.append(f"The latest of {len(attempts)} attempts counts; the older ones are of {older}.")
    return draft


def _text(store: Store, place: At | None) -> str:
    entry = store.entry(place) if place else None
    if entry is None:
        return ""
    try:
        return (read_at_most(store, entry, _MOST) or b"").decode("utf-8", "replace")
    except FileProblem:
        return ""
