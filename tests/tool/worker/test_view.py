"""What of a Python installation a sealed worker has to be able to read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader.worker.inside import probe
from grader.worker.inside.view import View, first_unreadable, look


@pytest.fixture
def library(tmp_path: Path) -> Path:
    library = tmp_path / "lib"
    library.mkdir()
    (library / "json.py").write_text("")
    return library


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A file that no view of `library` covers."""
    (tmp_path / "etc").mkdir()
    file = tmp_path / "etc" / "sitecustomize.py"
    file.write_text("")
    return file


def of(library: Path, hidden: tuple[str, ...] = ()) -> View:
    return View((str(library),), hidden, (str(library),), assets=None, base="/nowhere")


def test_a_link_to_elsewhere_is_not_needed(library: Path, elsewhere: Path) -> None:
    """Debian's and Ubuntu's standard library has one."""
    (library / "sitecustomize.py").symlink_to(elsewhere)
    assert first_unreadable(of(library)) is None


def test_a_link_within_is_needed(library: Path) -> None:
    (library / "first.py").symlink_to(library / "second.py")
    assert first_unreadable(of(library)) == str(library / "first.py")


def test_what_is_hidden_is_not_needed(library: Path) -> None:
    hidden = library / "grader"
    hidden.symlink_to(library / "nowhere")
    assert first_unreadable(of(library)) == str(hidden)
    assert first_unreadable(of(library, hidden=(str(hidden),))) is None


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert first_unreadable(of(tmp_path / "missing")) == str(tmp_path / "missing")


def test_debian_is_sealed_like_any_other(sealed: str, library: Path, elsewhere: Path) -> None:
    """The whole plan is carried out on an installation that has such a link."""
    (library / "sitecustomize.py").symlink_to(elsewhere)
    plan, reasons = probe.choose(sealed, on_this_machine(library))
    assert (plan is not None, reasons) == (True, [])


def test_what_cannot_be_read_is_named_once(sealed: str, library: Path) -> None:
    (library / "first.py").symlink_to(library / "second.py")
    plan, reasons = probe.choose(sealed, on_this_machine(library))
    assert plan is None
    said = f"{sealed}: the sealed worker cannot read the Python installation: {library / 'first.py'}"
    assert reasons.count(said) == 1
    assert len(reasons) == len(set(reasons))


def on_this_machine(library: Path) -> View:
    base = library.parent / "base"
    base.mkdir()
    here = look(str(library.parent / "own"), str(base), None, ())
    return replace(here, reads=(*here.reads, str(library)), python_path=(*here.python_path, str(library)))
