"""The example submissions through the whole pipeline, as `grade` runs it: what their reports have to say."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar

import pytest

from grader import pipeline
from grader.exitcode import ExitCode, exit_code
from grader.languages import language
from grader.model import Assignment, CheckResult, GradeReport, Status
from grader.render import render, write_reports

SUBMISSIONS = Path(__file__).parents[2] / "submissions"
FAULTS = {
    Status.FAILED,
    Status.MISSING,
    Status.BLOCKED,
    Status.TIMEOUT,
    Status.CRASHED,
    Status.OUT_OF_MEMORY,
}


def tree(folder: Path) -> dict[str, str]:
    """Path -> hash of everything below `folder`, byte code left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless loop is an endless loop after a few seconds too."""
    load = pipeline.find_assignment

    def load_impatient(name: str) -> Assignment:
        assignment = load(name)
        return replace(assignment, checks=tuple(replace(c, timeout_s=6.0) for c in assignment.checks))

    monkeypatch.setattr(pipeline, "find_assignment", load_impatient)


def graded(name: str) -> tuple[GradeReport, dict[str, CheckResult]]:
    report = pipeline.grade(SUBMISSIONS / name, pipeline.Options(seed=5)).report
    return report, {check.id: check for check in report.checks}


def diagnosed(result: CheckResult) -> str | None:
    return result.diagnosis.id if result.diagnosis else None


def test_alice_gets_all_automatic_points(tmp_path: Path) -> None:
    before = tree(SUBMISSIONS)
    report, checks = graded("alice")
    assert {c.id for c in report.checks if c.status is not Status.PASSED} == {
        "3d.comparison",
        "4a.objective",
        "4b.comparison",
    }
    assert report.score.automatic_earned == report.score.automatic_possible == 86
    assert report.score.awaiting_review == 14
    assert exit_code(report) is ExitCode.NEEDS_REVIEW
    assert not report.complete
    assert report.isolation.level in {"strict", "container"}
    assert [p.kind for p in checks["3b.trains"].evidence.plots] == ["curves"]
    assert [p.kind for p in checks["2d.values"].evidence.plots] == ["heatmap"]
    assert set(write_reports(report, tmp_path)) == {"html", "md", "json"}
    assert tree(SUBMISSIONS) == before


def english_in(page: str) -> list[str]:
    """Sentences of the grader that are left in English on a page in another language."""

    class Reader(HTMLParser):
        found: ClassVar[list[str]] = []
        inside: ClassVar[list[bool]] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            code = tag in ("code", "pre", "style") or given.get("class") == "value" or given.get("lang") == ""
            if tag not in ("meta", "br", "input"):
                self.inside.append(code or (bool(self.inside) and self.inside[-1]))

        def handle_endtag(self, tag: str) -> None:
            self.inside.pop()

        def handle_data(self, data: str) -> None:
            plain = re.sub(r"`[^`]*`|'[^']*'|“[^”]*”", "", data)  # code and quotations within sentences
            if not any(self.inside[-1:]) and re.search(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}", plain):
                self.found.append(data.strip())

    Reader.found, Reader.inside = [], []
    Reader().feed(page)
    return Reader.found


def test_slips_are_named() -> None:
    report, checks = graded("slips")
    chinese = render(report, "html", language("zh", SUBMISSIONS.parent / "tests" / "transformer"))
    assert english_in(chinese) == []
    assert len(english_in(render(report, "html"))) > 50  # it would have been seen
    for check in ("2c.self", "2c.masked", "2c.cross"):
        assert checks[check].status is Status.FAILED
        assert diagnosed(checks[check]) == "scale-by-head-size"
    assert diagnosed(checks["2b.norm"]) == "2b.norm.scaled_by_d"
    assert diagnosed(checks["2b.masked_norm"]) == "scale-by-head-size"
    assert diagnosed(checks["4c.total"]) == "4c.total_gb.gib"
    assert diagnosed(checks["4d.first"]) == "4d.first.no_bias"
    assert checks["4c.total"].status is Status.FAILED
    assert "GiB" in checks["4c.total"].message
    assert checks["3b.reported"].status is Status.NEEDS_REVIEW
    assert "0.8997" in checks["3b.reported"].message
    assert checks["4d.first"].status is Status.FAILED
    assert "biases" in checks["4d.first"].message
    for check in ("4d.block", "4d.total"):
        assert checks[check].points.earned == checks[check].points.possible
        carried = checks[check].message + " ".join(checks[check].evidence.notes)
        assert "carried forward" in carried or "follows" in carried
    assert exit_code(report) is ExitCode.POINTS_LOST
    page = render(report, "html")
    for id in ("2c.self", "4c.total", "4d.first"):
        diagnosis = checks[id].diagnosis
        assert diagnosis is not None
        assert diagnosis.title in page
    markdown = render(report, "md")
    assert "24" in markdown
    assert "0.8997" in markdown


def test_half_done_loses_only_what_is_not_there() -> None:
    _, checks = graded("half_done")
    assert diagnosed(checks["2c.masked"]) == "mask-ignored"
    assert checks["2c.self"].status is checks["2c.cross"].status is Status.PASSED
    assert checks["2d.values"].status is checks["3b.trains"].status is Status.MISSING
    assert Status.GRADER_ERROR not in {c.status for c in checks.values()}


def test_empty_is_missing_not_wrong() -> None:
    report, checks = graded("empty")
    assert report.score.earned == 0
    assert {c.status for c in checks.values()} <= {Status.MISSING, Status.BLOCKED}


@pytest.mark.usefixtures("impatient")
def test_broken_ends_with_every_check_accounted_for(tmp_path: Path) -> None:
    before = tree(SUBMISSIONS)
    canary = tmp_path / "canary"
    canary.write_text("still here", encoding="utf-8")
    report, checks = graded("broken")
    assert list(checks) == [c.id for c in pipeline.find_assignment("transformer").checks]
    assert {c.status for c in checks.values()} <= FAULTS | {Status.PASSED, Status.NEEDS_REVIEW}
    assert checks["3b.trains"].status is Status.TIMEOUT
    assert checks["2c.self"].status is Status.FAILED
    assert report.score.earned == 0
    assert all(c.hint for c in checks.values())
    assert canary.read_text(encoding="utf-8") == "still here"
    assert tree(SUBMISSIONS) == before
