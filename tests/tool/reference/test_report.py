"""The report shows every number of the coursework, on lines that fit a terminal."""

import pytest
import torch

from reference.transformer.report import ReferenceReport, reference_report

PARTS = ["2a", "2b", "2c", "2d", "3a", "3b", "3c", "3d", "4a", "4c", "4d", "4e1", "4e2", "4e3"]


@pytest.fixture(scope="module")
def report() -> ReferenceReport:
    return reference_report()


def test_parts_in_the_order_of_the_handout(report: ReferenceReport) -> None:
    assert [section.part for section in report.sections] == PARTS


@pytest.mark.parametrize(
    "digits",
    """[1, 2, 3, 4]|2.7053|[1, 2, 3, 3]|1.4747|1.0160
    0.0003772742211599121|0.0001526367643724865|0.00035224630317522767|0.00010421011374914356
    0.7217 / 0.8750|0.9209 / 0.8984|0.9658 / 0.8906|25.5 min|Sports|Sci/Tech|World|Business
    0.7285 / 0.8438|0.9131 / 0.8672|0.9492 / 0.9141|46.5 min
    0.7500448726|0.7501|0.2876222441 nats|0.2877
    268,435,456|536,870,912 bytes|25.769803776 GB|24 GiB|25.776 GB
    151,019,520|151,001,088|302,020,608|14,496,989,184|14.497 billion
    9,437,184|9.437 million|75,497,472 bytes|75.497 MB
    115,975,913,472 bytes|115,976 MB|0.0650975 %|0.065 %""".replace("\n    ", "|").split("|"),
)
def test_every_number_is_there(report: ReferenceReport, digits: str) -> None:
    text = " ".join(report.as_text().split())
    assert digits in text


@pytest.mark.parametrize("width", [80, 100])
def test_fits_the_terminal(report: ReferenceReport, width: int) -> None:
    assert max(map(len, report.as_text(width).splitlines())) <= width


def test_values_stand_flush_right(report: ReferenceReport) -> None:
    rows = [line for line in report.as_text().splitlines() if " ... " in f" {line}" or "....." in line]
    assert len(rows) == sum(len(section.lines) for section in report.sections)
    assert {len(row) for row in rows} == {80}


def test_markdown_has_a_heading_a_question_and_a_row_a_number(report: ReferenceReport) -> None:
    lines = report.as_markdown().splitlines()
    assert [line.split()[1] for line in lines if line.startswith("## ")] == PARTS
    rows = [line for line in lines if line.startswith("| ") and not line.startswith(("| ---", "| number"))]
    assert len(rows) == sum(len(section.lines) for section in report.sections)
    unescaped = [row.replace("\\|", "") for row in rows]
    assert all(row.count("|") == 4 for row in unescaped)


def test_same_whatever_was_drawn_before(report: ReferenceReport) -> None:
    torch.manual_seed(99)
    assert reference_report() == report
