"""Copies of the pocket assignment, weakened in one place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignment import find_assignment
from grader.verify import Proof, verify

POCKET = Path(__file__).parent / "pocket"
collect_ignore = ["pocket"]  # its test files are checks

Replacement = tuple[str, str, str]
Weaken = Callable[..., Path]


@pytest.fixture
def weakened(tmp_path: Path) -> Weaken:
    """weakened((file, old, new), ...): the folder of a copy in which each `old`, which stands there once, is `new`."""

    def copy(*replacements: Replacement) -> Path:
        root = tmp_path / "pocket"
        shutil.copytree(POCKET, root, ignore=shutil.ignore_patterns("__pycache__"))
        for file, old, new in replacements:
            text = (root / file).read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
            (root / file).write_text(text.replace(old, new), encoding="utf-8")
        return root

    return copy


@pytest.fixture
def proof_of(weakened: Weaken) -> Callable[..., Proof]:
    """proof_of((file, old, new), ...): what verify finds in that copy, in this process."""
    return lambda *replacements: verify(find_assignment(str(weakened(*replacements))), jobs=1)


def told(proof: Proof) -> dict[str, list[str]]:
    """The sentences by the id of the claim that does not hold."""
    return {claim.id: [p.sentence for p in claim.problems] for claim in proof.claims if not claim.holds}
