"""What earlier versions wrote is still read: reports of every version of the format, and assignment files."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from grader.assignment import read_assignment
from grader.errors import AssignmentError, GraderError
from grader.model import SCHEMA_VERSION
from grader.render import render
from grader.serialise import from_document, to_document

HERE = Path(__file__).parent
STORED = sorted(HERE.glob("report-*-*.json"))
CURRENT = json.loads((HERE.parents[2] / "grader" / "report.schema.json").read_text("utf-8"))


def version_of(path: Path) -> str:
    return path.name.split("-")[1]


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_report_is_read_and_written_as_today(path: Path) -> None:
    stored = json.loads(path.read_text("utf-8"))
    jsonschema.validate(
        stored, json.loads((HERE / f"report-{version_of(path)}.schema.json").read_text("utf-8"))
    )
    report = from_document(stored)
    today = to_document(report)
    jsonschema.validate(today, CURRENT)
    assert today["schema_version"] == SCHEMA_VERSION
    assert today["score"] == stored["score"]
    assert [(c["id"], c["status"], c["points"], c["message"]) for c in today["checks"]] == [
        (c["id"], c["status"], c["points"], c["message"]) for c in stored["checks"]
    ]
    assert all(render(report, fmt) for fmt in ("html", "md", "json"))


def test_the_current_format_is_among_the_stored_ones() -> None:
    """Whoever changes the format stores what it was, and says how it becomes the new one."""
    assert SCHEMA_VERSION in {version_of(path) for path in STORED}
    stored = json.loads((HERE / f"report-{SCHEMA_VERSION}.schema.json").read_text("utf-8"))
    assert stored == CURRENT


def test_a_format_of_the_future_is_refused_with_the_way_out() -> None:
    with pytest.raises(GraderError, match=r"schema_version '2\.0'; this grader reads 1\.0, 1\.1") as told:
        from_document({"schema_version": "2.0"})
    assert "grade the submission again" in told.value.next_step


@pytest.mark.parametrize("checks", [None, 3, [3], [None]])
def test_a_malformed_old_report_is_named(checks: object) -> None:
    with pytest.raises(GraderError):
        from_document({"schema_version": "1.0", "checks": checks})


def test_an_assignment_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "assignment.toml").write_text("format = 2\n", "utf-8")
    with pytest.raises(AssignmentError, match=r"format 2; this grader reads 1\."):
        read_assignment(tmp_path)
