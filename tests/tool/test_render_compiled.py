"""Compiled templates are kept, and a page never depends on them."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from grader.render.compiled import Compiled


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    (tmp_path / "page.j2").write_text("Hello {{ name }}", "utf-8")
    return tmp_path


def shown(templates: Path, environment: str = "html") -> str:
    loader = FileSystemLoader(templates)
    made = Environment(loader=loader, bytecode_cache=Compiled(templates, environment), autoescape=True)
    return made.get_template("page.j2").render(name="you")


def kept(templates: Path) -> list[Path]:
    return sorted((templates / "__pycache__").iterdir())


def test_a_template_is_compiled_once_for_each_environment(templates: Path) -> None:
    assert shown(templates) == shown(templates) == "Hello you"
    assert len(kept(templates)) == 1
    shown(templates, "markdown")
    assert len(kept(templates)) == 2


def test_another_source_is_another_page(templates: Path) -> None:
    shown(templates)
    (templates / "page.j2").write_text("Bye {{ name }}", "utf-8")
    assert shown(templates) == "Bye you"


@pytest.mark.parametrize("damage", [b"", b"j2", b"\x00" * 100])
def test_what_was_cut_short_is_made_again(templates: Path, damage: bytes) -> None:
    shown(templates)
    whole = kept(templates)[0].read_bytes()
    for content in (damage, whole[:-20]):
        kept(templates)[0].write_bytes(content)
        assert shown(templates) == "Hello you"
        assert kept(templates)[0].read_bytes() == whole


def test_without_a_folder_nothing_is_kept(templates: Path) -> None:
    (templates / "__pycache__").write_text("", "utf-8")  # so that no folder can be made, whoever asks
    assert shown(templates) == "Hello you"
