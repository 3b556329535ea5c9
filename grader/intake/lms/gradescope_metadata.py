"""Gradescope's `submission_metadata.yml`: who handed in which submission, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NotYaml = yaml.YAMLError


@dataclass(slots=True)
class Known:
    """What the metadata say of one submission."""

    people: list[dict[str, str]] = field(default_factory=list)
    """name, sid and email of each who handed in."""
    created_at: str = ""


def read_metadata(text: str) -> dict[str, Known]:
    """The few entries that are needed, event by event: no value is built, so that none can be a bomb."""
    found: dict[str, Known] = {}
    for path, value in _scalars(text):
        if len(path) < 2 or not isinstance(path[0], str):
            continue
        known = found.setdefault(path[0], Known())
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
