"""Every format holds the marks of the gradebook, in the platform's own shape, and is harmless."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from grader.classroom.export import ExportDiffers, check_export, lines_of, write_export
from grader.classroom.policy import Policy
from grader.errors import UnknownName, UsageError
from grader.exporters import exporters
from grader.gradebook import Gradebook, Override
from grader.model import Assignment, Check, Part
from tests.tool.gradebook.conftest import ASSIGNMENT, graded

STUDENTS = {
    "doeann_101": ("Ann Doe", "1.005"),
    "roebob_102": ('=HYPERLINK("evil")', "2"),
    "zoë_103": ("Zoë <b>Ö</b>\u202e", "0.3333333333333333333333333333"),
}
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Pocket (4711),Other (4712)\r\n"
    "    Points Possible,,,,,2.0,10\r\n"
    '"Doe, Ann",101,s101,ann,A,,9\r\n'
    '"Roe, Bob",102,s102,bob,A,EX,\r\n'
    '"Ö, Zoë",103,s103,zoe,B,1,\r\n'
    '"Not, Here",104,s104,not,B,,\r\n'
)
MOODLE = (
    "\ufeffIdentifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\r\n"
    "Participant 101,Ann Doe,a@x,Submitted,,2.00,Yes,-,-,\r\n"
    "Participant 102,Bob Roe,b@x,Submitted,,2.00,Yes,-,-,\r\n"
    "Participant 103,Zoë Ö,z@x,Submitted,,2.00,Yes,-,-,\r\n"
)


@pytest.fixture
def pocket() -> Assignment:
    check = Check("1.one", "1", "One", Decimal(2))
    return Assignment(ASSIGNMENT, "1", "Pocket", (Part("1", "One", ""),), (check,), Path(), "0" * 64)


@pytest.fixture
def book(book: Gradebook, run: int) -> Gradebook:
    for student, (name, earned) in STUDENTS.items():
        book.record(run, graded(student, earned, name=name))
    return book


@pytest.fixture
def roster(tmp_path: Path) -> dict[str, Path | None]:
    found: dict[str, Path | None] = dict.fromkeys(exporters())
    for name, text in (("canvas", CANVAS), ("moodle", MOODLE)):
        found[name] = tmp_path / f"{name}-roster.csv"
        found[name].write_text(text, encoding="utf-8", newline="")  # type: ignore[union-attr]
    return found


@pytest.mark.parametrize("name", sorted(exporters()))
def test_what_is_written_is_read_back_as_the_gradebook_has_it(
    name: str, book: Gradebook, pocket: Assignment, tmp_path: Path, roster: dict[str, Path | None]
) -> None:
    out = tmp_path / "out" / "file"
    left_out = write_export(book, pocket, name, out, policy=Policy(), roster=roster[name]).left_out
    assert left_out == {}
    excused = name == "canvas"  # bob is EX there
    assert check_export(book, pocket, name, out, policy=Policy(), roster=roster[name]) == 3 - excused


@pytest.mark.parametrize("name", sorted(exporters()))
def test_a_mark_changed_since_is_found(
    name: str, book: Gradebook, pocket: Assignment, tmp_path: Path, roster: dict[str, Path | None]
) -> None:
    out = tmp_path / "file"
    write_export(book, pocket, name, out, policy=Policy(), roster=roster[name])
    sha = "a".ljust(64, "0")
    book.give(ASSIGNMENT, Override("doeann_101", "1.one", sha, Decimal("1.5"), "r", "ina"))
    with pytest.raises(ExportDiffers, match="doeann_101"):
        check_export(book, pocket, name, out, policy=Policy(), roster=roster[name])


@pytest.mark.parametrize("name", sorted(exporters()))
def test_nobody_without_a_mark_is_given_a_zero(
    name: str, book: Gradebook, pocket: Assignment, tmp_path: Path, roster: dict[str, Path | None], run: int
) -> None:
    entry = graded("doeann_101", attempt=2).entry
    book.record_failure(run, ASSIGNMENT, entry, "It hangs.")
    out = tmp_path / "file"
    left_out = write_export(book, pocket, name, out, policy=Policy(), roster=roster[name]).left_out
    assert "not graded: It hangs." in left_out["doeann_101"]
    excused = name == "canvas"
    assert check_export(book, pocket, name, out, policy=Policy(), roster=roster[name]) == 2 - excused


def test_canvas_fills_in_its_own_table(
    book: Gradebook, pocket: Assignment, tmp_path: Path, roster: dict[str, Path | None]
) -> None:
    out = tmp_path / "canvas.csv"
    write_export(book, pocket, "canvas", out, policy=Policy(), roster=roster["canvas"])
    rows = list(csv.reader(io.StringIO(out.read_text("utf-8"), newline="")))
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Pocket (4711)"],
        ["    Points Possible", "", "", "", "", "2.0"],
        ["Doe, Ann", "101", "s101", "ann", "A", "1.01"],  # a half is rounded up
        ["Roe, Bob", "102", "s102", "bob", "A", "EX"],
        ["Ö, Zoë", "103", "s103", "zoe", "B", "0.33"],
        ["Not, Here", "104", "s104", "not", "B", ""],
    ]


def test_moodle_fills_in_its_own_worksheet(
    book: Gradebook, pocket: Assignment, tmp_path: Path, roster: dict[str, Path | None]
) -> None:
    out = tmp_path / "moodle.csv"
    write_export(book, pocket, "moodle", out, policy=Policy(), roster=roster["moodle"])
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8-sig"), newline="")))
    assert [row["Grade"] for row in rows] == ["1.01", "2.00", "0.33"]
    assert [row["Identifier"] for row in rows] == [f"Participant {n}" for n in (101, 102, 103)]
    assert rows[0]["Feedback comments"] == "1: 1.005 of 2."


def test_gradescope_has_every_check_with_its_visibility(
    book: Gradebook, pocket: Assignment, tmp_path: Path
) -> None:
    out = tmp_path / "gradescope.zip"
    write_export(book, pocket, "gradescope", out, policy=Policy())
    with zipfile.ZipFile(out) as archive:
        document = json.loads(archive.read("doeann_101/results.json"))
    (test,) = document["tests"]
    assert document["score"] == 1.005
    assert (test["score"], test["max_score"], test["visibility"], test["status"]) == (
        1.005,
        2.0,
        "visible",
        "failed",
    )


def test_junit_is_well_formed_with_any_name(book: Gradebook, pocket: Assignment, tmp_path: Path) -> None:
    out = tmp_path / "junit.xml"
    write_export(book, pocket, "junit", out, policy=Policy())
    suites = list(ElementTree.fromstring(out.read_bytes()).iter("testsuite"))
    assert [suite.attrib["tests"] for suite in suites] == ["1", "1", "1"]
    assert sum(int(suite.attrib["failures"]) for suite in suites) == 2


@pytest.mark.parametrize("name", ["csv", "nbgrader", "moodle"])
def test_no_cell_is_a_formula(
    name: str, book: Gradebook, pocket: Assignment, tmp_path: Path, roster: dict[str, Path | None]
) -> None:
    out = tmp_path / "file.csv"
    write_export(book, pocket, name, out, policy=Policy(), roster=roster[name])
    cells = [c for row in csv.reader(io.StringIO(out.read_text("utf-8-sig"), newline="")) for c in row]
    assert not [c for c in cells if c.startswith(("=", "+", "@", "\t")) or (c.startswith("-") and c != "-")]


def test_a_person_counts_and_the_final_report_says_so(
    book: Gradebook, pocket: Assignment, tmp_path: Path
) -> None:
    sha = "a".ljust(64, "0")
    book.give(ASSIGNMENT, Override("doeann_101", "1.one", sha, Decimal(2), "Well argued.", "ina"))
    out = tmp_path / "feedback.zip"
    write_export(book, pocket, "feedback", out, policy=Policy(cap=Decimal("1.5")))
    with zipfile.ZipFile(out) as archive:
        page = archive.read("doeann_101_assignsubmission_file_/report.html").decode()
    assert "A person gave 2 of 2 points. Well argued." in page
    assert "capped at 1.5" in page
    assert page.endswith("<!-- mark: 1.5 -->\n")


def test_the_same_class_gives_the_same_bytes(book: Gradebook, pocket: Assignment, tmp_path: Path) -> None:
    for name in ("gradescope", "feedback", "csv"):
        files = [tmp_path / f"{name}{i}" for i in (1, 2)]
        for file in files:
            write_export(book, pocket, name, file, policy=Policy())
        assert files[0].read_bytes() == files[1].read_bytes()


def test_a_roster_that_does_not_fit_is_said(book: Gradebook, pocket: Assignment, tmp_path: Path) -> None:
    def export(text: bytes, name: str = "canvas", column: str | None = None) -> None:
        path = tmp_path / "roster.csv"
        path.write_bytes(text)
        write_export(book, pocket, name, tmp_path / "o", policy=Policy(), roster=path, column=column)

    with pytest.raises(UsageError, match="in its own table only"):
        write_export(book, pocket, "canvas", tmp_path / "o", policy=Policy())
    with pytest.raises(UsageError, match="2 columns called 'Pocket'"):
        export(b"Student,ID,Pocket (1),Pocket (2)\r\nA,1,,\r\n")
    with pytest.raises(UsageError, match="no column 'ID'"):
        export(b"Student,Pocket (1)\r\nA,1\r\n")
    with pytest.raises(UsageError, match="no CSV in UTF-8"):
        export(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="empty"):
        export(b"")
    with pytest.raises(UnknownName, match="Pockt"):
        export(CANVAS.encode(), column="Pockt")
    with pytest.raises(UsageError, match="no column 'Grade'"):
        export(CANVAS.encode(), "moodle")
    assert not (tmp_path / "o").exists()


def test_someone_who_is_not_in_the_roster_is_named(
    book: Gradebook, pocket: Assignment, tmp_path: Path, roster: dict[str, Path | None], run: int
) -> None:
    book.record(run, graded("stranger_999", "2"))
    out = tmp_path / "o"
    left_out = write_export(book, pocket, "canvas", out, policy=Policy(), roster=roster["canvas"]).left_out
    assert left_out == {"stranger_999": "not in the roster"}


def test_marks_of_other_points_than_the_platform_has_are_said(
    book: Gradebook, pocket: Assignment, tmp_path: Path, roster: dict[str, Path | None], run: int
) -> None:
    out = tmp_path / "o"
    book.record(run, graded("stranger_999", "2"))  # not in the roster: of this mark nothing is said
    more = replace(pocket, checks=(*pocket.checks, Check("1.two", "1", "Two", Decimal(3))))
    for name, marks in (("canvas", 2), ("moodle", 3)):  # bob is EX in Canvas
        file = roster[name]
        assert file is not None
        assert write_export(book, pocket, name, out, policy=Policy(), roster=file).remarks == ()
        text = file.read_text("utf-8")
        file.write_text(text.replace(",2.0,", ",5,").replace(",2.00,", ",5.00,"), "utf-8")
        written = write_export(book, more, name, out, policy=Policy(), roster=file)
        assert written.remarks == (
            f"{marks} marks are of fewer points than the assignment's 5, down to 2: not all of its checks are in them.",
            f"{name.title()} shows the marks out of 5 points, and they are of 2.",
        )
        file.write_text(text.replace(",2.0,", ",NaN,").replace(",2.00,", ",-,"), "utf-8")
        assert write_export(book, pocket, name, out, policy=Policy(), roster=file).remarks == ()


def test_a_file_that_was_not_written_cannot_be_checked(
    book: Gradebook, pocket: Assignment, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="There is no") as told:
        check_export(book, pocket, "csv", tmp_path / "none.csv", policy=Policy())
    assert "without --check" in told.value.next_step


def test_best_attempt_counts_where_the_course_says_so(book: Gradebook, pocket: Assignment, run: int) -> None:
    book.record(run, graded("roebob_102", "0", attempt=2))
    latest = {line.student: line.points for line in lines_of(book, pocket, Policy())}
    best = {line.student: line.points for line in lines_of(book, pocket, Policy(attempts="best"))}
    assert (latest["roebob_102"], best["roebob_102"]) == (0, 2)


def test_an_empty_gradebook_has_no_lines(pocket: Assignment, tmp_path: Path) -> None:
    with Gradebook.open(tmp_path / "empty.sqlite") as book:
        assert lines_of(book, pocket, Policy()) == ()
