"""Marks and reports on their way to where the course lives: one format a module, behind one protocol."""

from __future__ import annotations

from importlib.metadata import entry_points

from grader.errors import UnknownName
from grader.exporters.base import Export, Exporter, Line, Roster, Written, roster_from
from grader.exporters.canvas import Canvas
from grader.exporters.feedback import Feedback
from grader.exporters.gradescope import Gradescope
from grader.exporters.junit import Junit
from grader.exporters.moodle import Moodle
from grader.exporters.tables import JsonLines, NbgraderCsv, PlainCsv

GROUP = "grader.exporters"
_OWN: tuple[type[Exporter], ...] = (
    Canvas, Moodle, Gradescope, NbgraderCsv, PlainCsv, JsonLines, Junit, Feedback,
)  # fmt: skip

__all__ = ["GROUP", "Export", "Exporter", "Line", "Roster", "Written", "exporters", "find", "roster_from"]


def exporters() -> dict[str, Exporter]:
    """All formats by name: our own, and those that installed packages register under the entry point group GROUP."""
    found: dict[str, Exporter] = {}
    for point in entry_points(group=GROUP):
        exporter: Exporter = point.load()()
        found[exporter.name] = exporter
    return found | {made.name: made for made in (kind() for kind in _OWN)}


def find(name: str) -> Exporter:
    """The format called `name`; raises UnknownName."""
    known = exporters()
    if name not in known:
        raise UnknownName("format", name, sorted(known))
    return known[name]
