"""The page and the same as data: everyone is in it, and hostile names do nothing."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.classbook.page import as_csv, as_json, histogram, html_page, plain_cell
from grader.classbook.statistics import class_statistics
from grader.classroom.policy import Final
from grader.gradebook import Standing
from grader.model import Assignment, Check, Part

from .conftest import checks, standing

DECLARED = checks(1, 2)
HOSTILE = '<script>document.title="owned"</script>=HYPERLINK("x")\u202e\x1b[31m'


def assignment(declared: tuple[Check, ...] = DECLARED) -> Assignment:
    parts = tuple(Part(check.part, f"Part {check.part}", "") for check in declared)
    return Assignment("pocket", "1", "Pocket", parts, declared, Path(), "0" * 64)


def page(everyone: dict[str, Standing], out: Path, reports: Path | None = None) -> str:
    return "".join(
        html_page(assignment(), class_statistics(everyone.values(), DECLARED), everyone, reports, out)
    )


@pytest.fixture
def everyone() -> dict[str, Standing]:
    return {
        "ann": standing("ann", [1, 2], DECLARED),
        "bob": standing("bob", [0, None], DECLARED, diagnosis="swap", late=True),
        "eve": standing("eve", [0, 0], DECLARED, failure="It <b>hangs</b>.", name=HOSTILE),
    }


def test_everyone_is_in_it_and_reports_are_linked(tmp_path: Path, everyone: dict[str, Standing]) -> None:
    (tmp_path / "reports" / "ann").mkdir(parents=True)
    (tmp_path / "reports" / "ann" / "report.html").write_text("r")
    text = page(everyone, tmp_path / "class.html", tmp_path / "reports")
    assert 'href="reports/ann/report.html"' in text
    assert "Bob</bdi>" in text
    assert "1 to review" in text
    assert "Title of swap" in text
    assert "not graded: It &lt;b&gt;hangs&lt;/b&gt;." in text


def test_hostile_names_are_text(tmp_path: Path, everyone: dict[str, Standing]) -> None:
    text = page(everyone, tmp_path / "class.html")
    assert "<script>document" not in text
    assert "&lt;script&gt;" in text
    assert "\u202e" not in text
    assert "\x1b" not in text


def test_the_policy_allows_its_own_style_and_script_alone(
    tmp_path: Path, everyone: dict[str, Standing]
) -> None:
    text = page(everyone, tmp_path / "class.html")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe-inline" not in policy[1]
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)


def test_the_page_is_well_formed(tmp_path: Path, everyone: dict[str, Standing]) -> None:
    class Tags(HTMLParser):
        void = frozenset({"meta", "input", "rect", "br", "link"})

        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in self.void:
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            if tag not in self.void:
                assert self.open.pop() == tag

    tags = Tags()
    tags.feed(page(everyone, tmp_path / "class.html"))
    assert tags.open == []


def test_an_empty_class_has_a_page(tmp_path: Path) -> None:
    assert "students</dt><dd>0" in page({}, tmp_path / "class.html")


@given(st.lists(st.floats(0, 100)), st.floats(0.5, 1000))
def test_every_student_is_in_one_bar(totals: list[float], possible: float) -> None:
    bins = histogram([min(total, possible) for total in totals], possible)
    assert sum(bin.count for bin in bins) == len(totals)
    assert all(0 <= bin.height <= 1 for bin in bins)


def test_csv_is_read_back_and_harmless(everyone: dict[str, Standing]) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(everyone, [check.id for check in DECLARED]), newline="")))
    assert [(row["student"], row["earned"], row["final"]) for row in rows] == [
        ("ann", "3", "yes"),
        ("bob", "0", "no"),
        ("eve", "", "no"),
    ]
    assert rows[1]["2a.c"] == ""  # open, so no 0
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


MARKS_NOTE = "Handed in 1 day late, 10 % a day: 0.3 points are taken off."


def test_the_rules_of_the_course_stand_beside_the_points(
    tmp_path: Path, everyone: dict[str, Standing]
) -> None:
    marks = {who: Final(Decimal("2.7"), (MARKS_NOTE,)) for who in everyone}
    statistics = class_statistics(everyone.values(), DECLARED)
    text = "".join(html_page(assignment(), statistics, everyone, None, tmp_path / "class.html", marks))
    assert text.count(MARKS_NOTE) == 2  # none for the hand-in that could not be graded
    assert ">Mark</th>" in text
    assert ">Mark</th>" not in page(everyone, tmp_path / "class.html")
    rows = list(csv.DictReader(io.StringIO(as_csv(everyone, [], marks))))
    assert [(row["earned"], row["mark"]) for row in rows] == [("3", "2.7"), ("0", "2.7"), ("", "")]
    table = json.loads(as_json(assignment(), statistics, everyone, marks))["table"]
    assert [entry["rules"] for entry in table] == [[MARKS_NOTE], [MARKS_NOTE], []]
    assert "mark" not in as_csv(everyone, []).splitlines()[0]


@given(st.text())
def test_no_text_becomes_a_formula(text: str) -> None:
    assert plain_cell(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"}


def test_json_holds_everything(everyone: dict[str, Standing]) -> None:
    text = as_json(assignment(), class_statistics(everyone.values(), DECLARED), everyone)
    document = json.loads(text)
    assert [row["student"] for row in document["table"]] == ["ann", "bob", "eve"]
    assert document["misconceptions"] == [
        {"id": "swap", "title": "Title of swap", "students": 1, "checks": ["1a.c"]}
    ]
    assert document["failed"] == 1
    assert text.isascii()


def test_points_are_exact_until_they_are_shown() -> None:
    thirds = {f"s{i}": standing(f"s{i}", [1, 2], DECLARED) for i in range(3)}
    assert sum(s.earned for s in thirds.values()) == Decimal(9)
