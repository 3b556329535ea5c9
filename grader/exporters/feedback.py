"""Reports to give back: a zip that Moodle and Canvas take, with a final report for each student.

Moodle ("Upload multiple feedback files in a zip") wants `<Full name>_<number>_assignsubmission_file_/<file>` as in the
download; Canvas ("Re-upload submissions") wants each file under the name that was downloaded. Both find the student by
the number in the name, which is in the student's key.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from decimal import Decimal

from grader.exporters.base import Export, Line, Written
from grader.exporters.gradescope import add
from grader.exporters.tables import why_blank
from grader.render import render
from grader.serialise import rounded

_MARK = re.compile(r"<!-- mark: (\S+) -->\s*$")
_NUMBERED = re.compile(r"_\d+$")


class Feedback:
    """A final report a student, marks of people and rules of the course included."""

    name = "feedback"
    suffix = ".zip"
    title = "a final report a student, in a zip for Moodle and Canvas"
    needs_roster = False

    def write(self, export: Export) -> Written:
        content, left_out = io.BytesIO(), {}
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for line in export.lines:
                if line.standing.result.failure is not None:
                    left_out[line.student] = why_blank(line.standing)
                    continue
                mark = "" if line.points is None else f"<!-- mark: {rounded(line.points)} -->\n"
                add(archive, _path(line), render(export.report_of(line), "html") + mark)
        return Written(content.getvalue(), left_out)

    def read(self, content: bytes, export: Export) -> Mapping[str, Decimal | None]:
        students = {_path(line): line.student for line in export.lines}
        marks: dict[str, Decimal | None] = {}
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                mark = _MARK.search(archive.read(name).decode())
                marks[students[name]] = Decimal(mark[1]) if mark else None
        return marks


def _path(line: Line) -> str:
    """In Moodle's way where the key bears its number, which Canvas' own scripts read too."""
    if _NUMBERED.search(line.student):
        return f"{line.student}_assignsubmission_file_/report.html"
    return f"{line.student}/report.html"
