"""What `grade import` prints: what was taken over, what a person has to decide, the next step."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from grader.importing.assemble import Imported, decimal
from grader.importing.checks import MARKER
from grader.text import one_line


def summary(done: Imported, target: Path) -> Iterator[str]:
    """Line by line; names of the files' authors are cleaned for the terminal."""
    checks = [check for part in done.parts for check in part.checks]
    left = [check for check in checks if check.turned.reasons]
    reviewed = [part for part in done.parts if part.by_person is not None]
    yield from map(one_line, done.formats)
    yield f"\nTaken over: {len(checks) - len(left)} of {len(checks)} tests, as checks that call the student's functions"
    for check in checks:
        if not check.turned.reasons:
            seen = "hidden" if check.hidden else "public"
            yield "  " + one_line(f"{check.id}  {_points(check.points)}, {seen}: {check.title}")
    for part in reviewed:
        yield one_line(
            f"  {part.id}.review  {_points(part.by_person or Fraction(0))}, marked by a person: {part.title}"
        )
    if left:
        yield f"\nFor a person to write ({MARKER} in test_imported.py)"
        for check in left:
            yield "  " + one_line(f"{check.id}  {_points(check.points)}: {'; '.join(check.turned.reasons)}")
    if done.notes:
        yield "\nFor a person to look at"
        yield from ("  " + one_line(note) for note in done.notes)
    yield "\nWritten"
    yield from (f"  {file}" for file in done.files)
    yield f"\nWhat is still weak:  grade verify {shlex.quote(target.as_posix())}"


def _points(points: Fraction) -> str:
    return f"{decimal(points)} point{'' if points == 1 else 's'}"
