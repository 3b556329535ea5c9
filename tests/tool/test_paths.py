"""The data folder is found in a wheel's layout, in a checkout's, and its absence is said clearly."""

from pathlib import Path

import pytest

from grader.errors import GraderError
from grader.paths import EXPECTED, data_root, find_data_root


def lay_out(root: Path) -> Path:
    for name in EXPECTED:
        (root / name).mkdir(parents=True)
    return root


def test_this_installation_has_its_files() -> None:
    assert (data_root() / "templates" / "report.html.j2").is_file()


def test_checkout_layout(tmp_path: Path) -> None:
    lay_out(tmp_path)
    assert find_data_root(tmp_path / "grader") == tmp_path


def test_bundled_files_are_preferred(tmp_path: Path) -> None:
    lay_out(tmp_path)
    bundled = lay_out(tmp_path / "grader" / "_bundled")
    assert find_data_root(tmp_path / "grader") == bundled


def test_neither_is_an_error_that_names_both_places(tmp_path: Path) -> None:
    with pytest.raises(GraderError, match="_bundled") as caught:
        find_data_root(tmp_path / "grader")
    assert str(tmp_path) in caught.value.message
    assert "install" in caught.value.next_step
