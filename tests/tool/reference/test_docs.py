"""docs/reference.md says what is there, and its examples run."""

import re
from pathlib import Path

import pytest

import reference.transformer
from reference.transformer import handout
from reference.transformer.analysis import QUANTITIES, value

ROOT = Path(reference.transformer.__file__).parent
PAGE = (Path(__file__).parents[3] / "docs" / "reference.md").read_text(encoding="utf-8")


def test_every_file_it_names_is_there() -> None:
    names = re.findall(r"`(\w+\.py)`", PAGE)
    assert len(names) > 10
    assert [name for name in names if not (ROOT / name).is_file()] == []


def test_numbers_of_the_examples() -> None:
    assert f"{value('4c.bytes')}, a Fraction" in PAGE
    assert value("4c.bytes", given={"4c.elements": 1000}) == 2000
    assert QUANTITIES["4d.total"].slips
    assert f"{value('4c.bytes')}" in PAGE
    assert f"{handout.value('2b.masked_norm'):.4f}" in PAGE


@pytest.mark.parametrize("module", ["attention", "dropout_stream", "analysis"])
def test_names_it_imports_exist(module: str) -> None:
    [names] = re.findall(rf"from reference\.transformer\.{module} import ([\w, ]+)", PAGE)
    imported = __import__(f"reference.transformer.{module}", fromlist=["_"])
    assert all(hasattr(imported, name.strip()) for name in names.split(","))
