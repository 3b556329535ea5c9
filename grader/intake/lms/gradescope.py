"""Gradescope, "Export Submissions": `submission_metadata.yml` beside one `submission_<id>` (folder or PDF) for each.

The metadata name who handed in, several for a group, and when. The id of a submission changes with every attempt, so a
student is told by their student number or mail address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grader.intake.gather import Piece
from grader.intake.lms.draft import At, Draft, Layout, beside, by_key, iso_time, listed
from grader.intake.stores import Child, FileProblem, Store, read_at_most
from grader.intake.walk import shown_name

if TYPE_CHECKING:
    from grader.intake.lms.gradescope_metadata import Known

_METADATA = "submission_metadata.yml"
_MOST = 200_000_000
"""Bytes: the file repeats all that the autograder said."""


def gradescope(store: Store, at: At, children: Sequence[Child]) -> Layout | None:
    """The layout, where the metadata file is there."""
    metadata = store.entry((*at, _METADATA))
    if metadata is None:
        return None
    from grader.intake.lms.gradescope_metadata import (  # YAML, which is needed for no other
        NotYaml,
        read_metadata,
    )

    notes: list[str] = []
    known: dict[str, Known] = {}
    try:
        content = read_at_most(store, metadata, _MOST)
        known = read_metadata((content or b"").decode("utf-8", "replace"))
        if content is None:
            notes.append(f"{_METADATA} is too large to be read: who handed in is not known.")
    except (FileProblem, NotYaml):
        notes.append(
            f"{_METADATA} cannot be read to its end: hand-ins that it no longer names bear their number."
        )
    items = [c for c in listed(children) if c.name.startswith("submission_") and c.name != _METADATA]
    others = [c for c in listed(children) if c not in items and c.name != _METADATA]
    drafts = [_draft(at, child, known.get(child.name)) for child in items]
    missing = sorted(set(known) - {child.name for child in items})
    notes += [f"{shown_name(name)} is in {_METADATA} only: its files are not there." for name in missing[:20]]
    return Layout("a Gradescope export", by_key(drafts), (*notes, *beside(others)))


def _draft(at: At, child: Child, known: Known | None) -> Draft:
    people = known.people if known else []
    place = (*at, child.name)
    piece = Piece(place) if child.is_folder else Piece(place, shown_name(child.name), folder=False)
    if not people:
        note = "Gradescope's metadata name nobody for it."
        return Draft(shown_name(child.name), shown_name(child.name), [piece], notes=[note])
    people.sort(key=lambda person: (person.get("sid", ""), person.get("email", "")))
    names = tuple(shown_name(person.get("name", "") or person.get("email", "?")) for person in people)
    first = people[0]
    tail = first.get("sid") or first.get("email", "").partition("@")[0] or child.name
    return Draft(
        key=f"{names[0]}_{tail}",
        name=", ".join(names),
        pieces=[piece],
        submitted_at=iso_time(known.created_at) if known else None,
        members=names if len(names) > 1 else (),
    )
