"""One student's share of a download while the download is sorted, and what all layouts do in the same way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from grader.intake.gather import Piece
from grader.intake.stores import Child
from grader.intake.walk import is_left_out, shown_name

At = tuple[str, ...]


@dataclass(slots=True)
class Draft:
    """One student, or one group."""

    key: str
    """What tells this student from all others, the same in every download of the assignment; made safe later."""
    name: str
    """For people."""
    pieces: list[Piece] = field(default_factory=list)
    late: bool = False
    attempt: int = 1
    submitted_at: str | None = None
    """ISO 8601, in UTC where the platform says the zone."""
    members: tuple[str, ...] = ()
    """Names of a group's members; empty for one student."""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Layout:
    """A download whose layout was recognised."""

    name: str
    """For people, for example "a Canvas download"."""
    drafts: tuple[Draft, ...]
    notes: tuple[str, ...] = ()
    """What lies beside the hand-ins and belongs to nobody."""


def by_key(drafts: Iterable[Draft]) -> tuple[Draft, ...]:
    """Sorted by name, then key."""
    return tuple(sorted(drafts, key=lambda draft: (draft.name.casefold(), draft.key)))


def listed(children: Iterable[Child]) -> list[Child]:
    """Those that could be handed-in work."""
    return [child for child in children if not is_left_out(child.name)]


def beside(children: Iterable[Child]) -> tuple[str, ...]:
    """One note on what lies beside the hand-ins."""
    names = [shown_name(child.name) for child in children]
    if not names:
        return ()
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return (f"Beside the hand-ins, and part of none: {', '.join(names[:8])}{more}.",)


def iso_time(text: str) -> str | None:
    """A time as platforms write it -> ISO 8601 in whole seconds; None where it is none."""
    found = re.match(
        r"(\d{4})-(\d\d)-(\d\d)[T -](\d\d)[:-](\d\d)[:-](\d\d)(?:\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)?",
        text.strip(),
    )
    if not found:
        return None
    zone = found[7]
    try:
        time = datetime(*(int(part) for part in found.groups()[:6]))  # type: ignore[arg-type]
        if zone and zone not in ("Z", "UTC"):
            time = datetime.strptime(f"{time.isoformat()}{zone}", "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return time.replace(tzinfo=None).isoformat() + ("Z" if zone else "")
