"""docs/verify.md names everything that there is: options, claims, keys of the table and of the document."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from grader.assignment import find_assignment
from grader.author_commands import verify as verify_command
from grader.verify import settings, verify
from grader.verify.document import proof_document

from .conftest import POCKET

PAGE = (Path(__file__).parents[3] / "docs" / "verify.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "option", [o.opts[0] for o in verify_command.params if isinstance(o, click.Option) and not o.hidden]
)
def test_every_option_is_explained(option: str) -> None:
    assert f"| `{option}" in PAGE


@pytest.mark.parametrize("key", sorted((settings.KEYS | settings.GROUP_KEYS) - {"group"}))
def test_every_key_of_the_table_is_explained(key: str) -> None:
    assert f"`{key}`" in PAGE


def test_every_claim_and_every_key_of_the_document_is_explained() -> None:
    document = proof_document(verify(find_assignment(str(POCKET)), ["2a"], seeds=1, jobs=1))
    for claim in document["claims"]:
        assert f"| `{claim['id']}` |" in PAGE
    for key in document:
        assert f"`{key}`" in PAGE
    for key in document["tolerances"][0]:
        assert f"`{key}`" in PAGE
