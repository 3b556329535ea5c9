"""The private folder where no mount caps it: what is over the limit is told, and all of it can be removed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.worker import Limits
from grader.worker.folder import Folder

LIMITS = Limits(tmp_bytes=100_000, tmp_inodes=50)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "box", LIMITS)


def test_within_the_limits(folder: Folder) -> None:
    (folder.path / "a").write_bytes(b"x" * 1000)
    assert folder.excess() is None
    assert folder.came_back()


def test_too_many_bytes(folder: Folder) -> None:
    for i in range(3):
        (folder.path / str(i)).write_bytes(b"x" * 40_000)
    assert "MiB of files" in str(folder.excess())


def test_a_sparse_file_counts_with_its_size(folder: Folder) -> None:
    with (folder.path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert folder.excess() is not None


def test_too_many_files(folder: Folder) -> None:
    for i in range(51):
        (folder.path / str(i)).touch()
    assert "files and folders" in str(folder.excess())


def test_links_are_not_followed(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 200_000)
    (folder.path / "link").symlink_to(tmp_path / "large")
    (folder.path / "loop").symlink_to(folder.path)
    assert folder.excess() is None
    folder.remove()
    assert (tmp_path / "large").exists()


def test_a_nest_deeper_than_any_recursion_is_told_and_removed(folder: Folder) -> None:
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder.path)
        for _ in range(1_500):
            Path("d").mkdir()
            os.chdir("d")
    finally:
        os.chdir(here)
        os.close(here)
    assert folder.excess() is not None
    folder.remove()
    assert not folder.path.exists()


def test_a_folder_without_rights_is_removed(folder: Folder) -> None:
    (folder.path / "shut").mkdir(mode=0)
    folder.remove()
    assert not folder.path.exists()
