"""JUnit XML: a test suite a student, a test case a check, for CI dashboards."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from xml.etree import ElementTree

from grader.exporters.base import Export, Line, Written
from grader.exporters.tables import why_blank
from grader.model import Status
from grader.serialise import rounded
from grader.text import clean, one_line, storable

_SKIPPED = {Status.NEEDS_REVIEW, Status.BLOCKED, Status.MISSING}
_ERRORS = {Status.TIMEOUT, Status.OUT_OF_MEMORY, Status.CRASHED, Status.GRADER_ERROR}


class Junit:
    """For dashboards that read JUnit's XML."""

    name = "junit"
    suffix = ".xml"
    title = "JUnit XML, a suite a student"
    needs_roster = False

    def write(self, export: Export) -> Written:
        root = ElementTree.Element("testsuites", name=one_line(export.assignment.title))
        left_out = {}
        for line in export.lines:
            root.append(self._suite(line, export))
            if line.points is None:
                left_out[line.student] = why_blank(line.standing)
        ElementTree.indent(root, " ")
        return Written(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True), left_out)

    def _suite(self, line: Line, export: Export) -> ElementTree.Element:
        failure = line.standing.result.failure
        suite = ElementTree.Element("testsuite", name=storable(line.student))
        properties = ElementTree.SubElement(suite, "properties")
        if line.points is not None:
            ElementTree.SubElement(properties, "property", name="points", value=str(rounded(line.points)))
        counts = {"failures": 0, "errors": 0, "skipped": 0}
        checks = () if failure is not None else export.report_of(line).checks
        for check in checks:
            case = ElementTree.SubElement(
                suite, "testcase", classname=check.part, name=check.id, time=f"{check.duration_s:.3f}"
            )
            if check.status is Status.PASSED:
                continue
            kind = (
                "skipped" if check.status in _SKIPPED else "error" if check.status in _ERRORS else "failure"
            )
            counts[{"skipped": "skipped", "error": "errors", "failure": "failures"}[kind]] += 1
            ElementTree.SubElement(case, kind, message=_xml(check.message)).text = _xml(check.hint)
        if failure is not None:
            case = ElementTree.SubElement(suite, "testcase", classname="hand-in", name="graded")
            ElementTree.SubElement(case, "error", message=_xml(failure))
            counts["errors"] += 1
        suite.set("tests", str(max(len(checks), 1)))
        for name, count in counts.items():
            suite.set(name, str(count))
        return suite

    def read(self, content: bytes, export: Export) -> Mapping[str, Decimal | None]:
        keys = {storable(line.student): line.student for line in export.lines}
        marks: dict[str, Decimal | None] = {}
        for suite in ElementTree.fromstring(content).iter("testsuite"):  # our own file
            found = suite.find("properties/property[@name='points']")
            marks[keys[suite.attrib["name"]]] = None if found is None else Decimal(found.attrib["value"])
        return marks


def _xml(text: str) -> str:
    """Without what XML 1.0 has no way to write."""
    return "".join(c for c in clean(text) if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff"))
