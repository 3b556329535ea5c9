"""Moodle, "Download all submissions": `<Full Name>_<number>_assignsubmission_file/…`, in folders or, older, flat.

What was typed into the page is `…_assignsubmission_onlinetext/onlinetext.html`. With blind marking the name is
"Participant 123". Neither late marks nor earlier attempts are in the download.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.intake.gather import Piece
from grader.intake.lms.draft import At, Draft, Layout, beside, by_key, listed
from grader.intake.stores import Child, Store
from grader.intake.walk import shown_name

_ITEM = re.compile(
    r"(?P<who>.+)_(?P<number>\d+)_assignsubmission_(?P<plugin>[a-z]+)(?:_(?P<file>.*))?", re.DOTALL
)


def moodle(store: Store, at: At, children: Sequence[Child]) -> Layout | None:
    """The layout, where at least half of what is there bears Moodle's names."""
    candidates = listed(children)
    parsed = [(child, _ITEM.fullmatch(child.name)) for child in candidates]
    others = [child for child, match in parsed if match is None]
    if not parsed or len(others) > len(parsed) / 2:
        return None
    drafts: dict[str, Draft] = {}
    for child, match in parsed:
        if match is None:
            continue
        name = shown_name(match["who"])
        key = f"{name}_{match['number']}"
        draft = drafts.setdefault(key, Draft(key, name))
        place = (*at, child.name)
        if child.is_folder:
            draft.pieces.append(Piece(place))
        else:
            file = match["file"] or f"{match['plugin']}.html"
            draft.pieces.append(Piece(place, shown_name(file), folder=False))
    return Layout("a Moodle download", by_key(drafts.values()), beside(others))
