"""Gradescope, "Export Submissions": `submission_metadata.yml` beside one `submission_<id>` (folder or PDF) for each.

The metadata name who handed in, several for a group, and when. The id of a submission changes with every attempt, so a
student is told by their student number or mail address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import yaml

from grader.intake.gather import Piece
from grader.intake.lms.draft import At, Draft, Layout, beside, by_key, iso_time, listed
from grader.intake.stores import Child, FileProblem, Store, read_at_most
from grader.intake.walk import shown_name

_METADATA = "submission_metadata.yml"
_MOST = 200_000_000
"""Bytes: the file repeats all that the autograder said."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _Known:
    """What the metadata say of one submission."""

    people: list[dict[str, str]] = field(default_factory=list)
    """name, sid and email of each who handed in."""
    created_at: str = ""


def gradescope(store: Store, at: At, children: Sequence[Child]) -> Layout | None:
    """The layout, where the metadata file is there."""
    metadata = store.entry((*at, _METADATA))
    if metadata is None:
        return None
    notes: list[str] = []
    known: dict[str, _Known] = {}
    try:
        content = read_at_most(store, metadata, _MOST)
        known = _read((content or b"").decode("utf-8", "replace"))
        if content is None:
            notes.append(f"{_METADATA} is too large to be read: who handed in is not known.")
    except (FileProblem, yaml.YAMLError):
        notes.append(
            f"{_METADATA} cannot be read to its end: hand-ins that it no longer names bear their number."
        )
    items = [c for c in listed(children) if c.name.startswith("submission_") and c.name != _METADATA]
    others = [c for c in listed(children) if c not in items and c.name != _METADATA]
    drafts = [_draft(at, child, known.get(child.name)) for child in items]
    missing = sorted(set(known) - {child.name for child in items})
    notes += [f"{shown_name(name)} is in {_METADATA} only: its files are not there." for name in missing[:20]]
    return Layout("a Gradescope export", by_key(drafts), (*notes, *beside(others)))


def _draft(at: At, child: Child, known: _Known | None) -> Draft:
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


def _read(text: str) -> dict[str, _Known]:
    """The few entries that are needed, event by event: no value is built, so that none can be a bomb."""
    found: dict[str, _Known] = {}
    for path, value in _scalars(text):
        if len(path) < 2 or not isinstance(path[0], str):
            continue
        known = found.setdefault(path[0], _Known())
        if path[1:] == (":created_at",):
            known.created_at = value
        elif len(path) == 4 and path[1] == ":submitters":
            place, name = path[2], path[3]
            if isinstance(place, int) and isinstance(name, str):  # a list of people, as Gradescope writes it
                known.people += [{} for _ in range(place + 1 - len(known.people))]
                known.people[place][name.strip(":")] = value
    return found


def _scalars(text: str) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(path, value) of each plain value up to four levels deep; places in lists are numbers, keys are texts."""
    # of each open group: the key that waits for its value, or the place
    stack: list[list[str | int | None]] = []
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            _step(stack)
            stack.append([None] if isinstance(event, yaml.MappingStartEvent) else [-1])
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            stack.pop()
            _done(stack)
        elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
            value = str(event.value) if isinstance(event, yaml.ScalarEvent) else ""
            if stack and stack[-1][0] is None:
                stack[-1][0] = value.rstrip(":") if value.startswith(":") else value
                continue
            _step(stack)
            if len(stack) <= 4:
                yield tuple("" if level[0] is None else level[0] for level in stack), value
            _done(stack)


def _step(stack: list[list[str | int | None]]) -> None:
    """A value begins: in a list, the next place."""
    if stack and isinstance(stack[-1][0], int):
        stack[-1][0] += 1
    elif stack and stack[-1][0] is None:  # a key that is itself a group
        stack[-1][0] = ""


def _done(stack: list[list[str | int | None]]) -> None:
    """A value ended: in a mapping, the next scalar is a key."""
    if stack and not isinstance(stack[-1][0], int):
        stack[-1][0] = None
