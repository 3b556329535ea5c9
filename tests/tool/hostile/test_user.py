"""The corpus once more, where judge and worker are one ordinary user. It runs beside the other tests."""

from __future__ import annotations

import os

from .conftest import Elsewhere
from .test_corpus import ATTACKS, LEVELS


def test_every_attack_is_stopped_for_an_ordinary_user(
    elsewhere: Elsewhere | None, record: list[dict[str, str]]
) -> None:
    if elsewhere is None:  # then the corpus itself is run by one
        assert os.geteuid() != 0
        return
    code, output, seen = elsewhere.wait()
    assert code == 0, output[-5_000:]
    assert {entry["level"] for entry in seen} == set(LEVELS)
    assert {entry["attack"] for entry in seen} == {attack.id for attack in ATTACKS}
    record.extend(seen)
