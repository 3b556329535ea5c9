"""The example reports, PDF and Word files in their sealed workers: what is read of them, and nothing is read wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from scripts import measure_reports
from scripts.measure_reports import FOUND, WRONG, Judged, measure


@pytest.fixture(scope="session")
def judged() -> Sequence[Judged]:
    return measure(())


def test_no_answer_is_read_wrong(judged: Sequence[Judged]) -> None:
    assert [one for one in judged if one.outcome == WRONG] == []


def test_nearly_every_answer_is_found(judged: Sequence[Judged]) -> None:
    counts = Counter(one.outcome for one in judged)
    assert counts[FOUND] >= 0.98 * len(judged), counts


def test_every_report_is_measured(judged: Sequence[Judged]) -> None:
    names = {path.name for path in measure_reports.REPORTS.iterdir()}
    assert {one.report for one in judged} == names
    assert {name.rpartition(".")[2] for name in names} == {"md", "txt", "tex", "html", "pdf", "docx", "ipynb"}


def test_a_wrong_reading_ends_the_script_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = Judged("nadia.txt", "4c.total", WRONG, "['25.77 GB'] as 24 GB")
    monkeypatch.setattr(measure_reports, "measure", lambda names: [one])
    assert measure_reports.main(()) == 1
    assert "wrong: nadia.txt 4c.total: ['25.77 GB'] as 24 GB" in capsys.readouterr().out
