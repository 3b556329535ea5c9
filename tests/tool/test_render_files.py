"""Writing is all or nothing: a failure leaves the old report and no litter."""

import os
from pathlib import Path

import pytest

from grader.errors import GraderError, UnknownName
from grader.render import FORMATS, write_reports
from tests.tool import reports


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_all_formats_are_written_and_named(tmp_path: Path) -> None:
    paths = write_reports(reports.slips(), tmp_path / "reports" / "slips")
    assert tuple(paths) == FORMATS
    assert {path.name for path in paths.values()} == {"report.html", "report.md", "report.json"}
    assert set(contents(tmp_path / "reports" / "slips")) == {"report.html", "report.md", "report.json"}


def test_only_the_formats_asked_for(tmp_path: Path) -> None:
    write_reports(reports.slips(), tmp_path, ["json"])
    assert set(contents(tmp_path)) == {"report.json"}


def test_a_failing_replace_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_reports(reports.full_marks(), tmp_path)
    before = contents(tmp_path)

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(GraderError, match="No space left") as caught:
        write_reports(reports.slips(), tmp_path)
    assert "--out" in caught.value.next_step
    assert contents(tmp_path) == before


def test_a_failing_sync_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_reports(reports.full_marks(), tmp_path)
    before = contents(tmp_path)

    def fail(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KeyboardInterrupt):
        write_reports(reports.slips(), tmp_path)
    assert contents(tmp_path) == before


def test_a_disk_that_gets_full_after_the_first_file_leaves_all_of_the_old_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_reports(reports.full_marks(), tmp_path)
    before = contents(tmp_path)
    synced: list[int] = []

    def sync(handle: int) -> None:
        synced.append(handle)
        if len(synced) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(GraderError, match="No space left"):
        write_reports(reports.slips(), tmp_path)
    assert contents(tmp_path) == before


def test_nothing_is_written_when_one_format_cannot_be_rendered(tmp_path: Path) -> None:
    with pytest.raises(UnknownName):
        write_reports(reports.slips(), tmp_path, ["html", "pdf"])
    assert contents(tmp_path) == {}


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(GraderError, match="cannot be written"):
        write_reports(reports.slips(), tmp_path / "file" / "reports")


def test_a_link_in_place_of_the_report_is_replaced_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").symlink_to(victim)
    write_reports(reports.slips(), out, ["json"])
    assert victim.read_text(encoding="utf-8") == "precious"
    assert not (out / "report.json").is_symlink()
