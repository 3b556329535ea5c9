"""PDF and Word files in their sealed workers: whatever is in them, the rest is read, and the fault is said."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.assignment import load_assignment
from grader.documents import ReportReader
from grader.errors import UsageError
from grader.intake import read_submission
from grader.model import Assignment
from grader.written import Written

WRITTEN = Path(__file__).parents[2] / "examples" / "written"
Read = Callable[[str, bytes], Written]


@pytest.fixture(scope="module")
def reader() -> Iterator[ReportReader]:
    with ReportReader(load_assignment()) as reader:
        yield reader


@pytest.fixture
def read(reader: ReportReader, tmp_path: Path) -> Read:
    """read("report.pdf", content) beside a text that states 4d."""

    def make(name: str, content: bytes) -> Written:
        (tmp_path / name).write_bytes(content)
        (tmp_path / "notes.md").write_text("# 4d\n\nOne block has 302,020,608 parameters.\n", "utf-8")
        written = reader.read(read_submission(tmp_path)).written
        assert written is not None
        assert [r.value for r in written.answers["4d.block"].readings] == ["302020608"]
        return written

    return make


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def docx_with(document: bytes) -> bytes:
    """A Word file of this project with another text."""
    with zipfile.ZipFile(WRITTEN / "emil.docx") as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    return zipped(members | {"word/document.xml": document})


W = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
BODY = b"<w:document " + W + b"><w:body>%s</w:body></w:document>"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("report.pdf", b"GIF89a no such thing", "It is not a PDF file, whatever its name says."),
        ("report.pdf", b"%PDF-1.7\n" + b"\x00\xff(((<<[[" * 500, "report.pdf: "),
        ("report.pdf", (WRITTEN / "jun.pdf").read_bytes()[:900], "report.pdf: "),
        ("report.docx", b"%PDF-1.7 in disguise", "It is not a Word file (.docx), whatever its name says."),
        ("report.docx", zipped({"word/document.xml": b"<w:document"}), "It could not be read to its end"),
        ("report.docx", zipped({"word/document.xml": bytes(60_000_000)}), "and was not opened"),
        ("report.docx", docx_with(BODY % (b"<w:p>" * 3000 + b"</w:p>" * 3000)), "report.docx: "),
    ],
    ids=["other file", "garbage", "cut short", "disguise", "broken xml", "bomb", "nested"],
)
def test_what_cannot_be_read_is_said_and_costs_nothing_else(
    read: Read, name: str, content: bytes, said: str
) -> None:
    written = read(name, content)
    assert any(said in note for note in written.notes), written.notes


def test_entities_of_a_word_file_are_not_followed(read: Read, tmp_path: Path) -> None:
    secret = tmp_path.parent / "secret.txt"
    secret.write_text("One block has 999 parameters", "utf-8")
    head = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e SYSTEM "file://' + str(secret).encode() + b'">]>'
    text = b"<w:p><w:r><w:t>4d</w:t></w:r></w:p><w:p><w:r><w:t>All 48 blocks: &e; 5,000,000</w:t></w:r></w:p>"
    written = read("report.docx", docx_with(head + BODY % text))
    assert "999" not in str(written)


def test_a_scan_is_said_to_have_no_text(read: Read) -> None:
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, invariant=1)
    canvas.rect(50, 50, 300, 300, fill=1)
    canvas.showPage()
    canvas.save()
    assert any("It has no text layer" in note for note in read("scan.pdf", out.getvalue()).notes)


def test_each_cell_of_a_drawn_table_stays_in_its_column(reader: ReportReader, tmp_path: Path) -> None:
    from reportlab.pdfgen.canvas import Canvas

    rows = [
        [None, "Epoch", "Train", "Test"],
        ["DistilBERT", "1", "0.71", "0.86"],
        [None, "2", "0.92", "0.89"],
        [None, "3", None, "0.90"],
    ]
    out = io.BytesIO()
    canvas = Canvas(out, invariant=1)
    canvas.drawString(60, 740, "Question 3b")
    for i, row in enumerate(rows):
        for text, x in zip(row, (60, 170, 240, 310), strict=True):
            if text:
                canvas.drawString(x, 700 - 18 * i, text)
    canvas.save()
    path = tmp_path / "report.pdf"
    path.write_bytes(out.getvalue())
    written = reader.read(read_submission(path)).written
    assert written is not None
    run = written.runs["results/distilbert.json"]
    assert [dict(row) for row in run.epochs] == [
        {"train_acc": "0.71", "test_acc": "0.86"},
        {"train_acc": "0.92", "test_acc": "0.89"},
        {"test_acc": "0.90"},
    ]
    assert run.unclear == "The training accuracy of epoch 3 was not found between those of the other epochs."


def test_a_missing_library_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, assignment: Assignment
) -> None:
    monkeypatch.setattr("grader.documents.importlib.util.find_spec", lambda name: None)
    with (
        ReportReader(assignment) as reader,
        pytest.raises(UsageError, match="no library that reads PDF") as raised,
    ):
        reader.read(read_submission(WRITTEN / "jun.pdf"))
    assert "transformer-grader[pdf]" in str(raised.value.next_step)


def test_a_hand_in_without_a_text_is_left_as_it_is(reader: ReportReader, tmp_path: Path) -> None:
    (tmp_path / "answers.toml").write_text("[2a]\nnorm = 2.7053\n")
    submission = read_submission(tmp_path)
    assert reader.read(submission) is submission
