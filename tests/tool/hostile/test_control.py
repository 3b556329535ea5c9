"""The control: without a seal these attacks do get through, so that what stops them elsewhere is the seal."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .arena import Arena
from .attacks import Attack, corpus
from .scene import set_up

HARMLESS = {
    "reading": ("reference", "hidden_tests", "other_hand_in", "list_hand_ins", "reports", "upwards", "through_symlink",
                "through_proc_self_root", "by_raw_system_call", "by_path_descriptor",
                "grader_source"),
    "writing": ("report", "other_hand_in", "reference", "delete_reference"),
    "network": ("tcp", "udp", "unix_path", "unix_abstract", "netlink", "listen_for_others"),
    "processes": ("fork", "spawn", "shell"),
}  # fmt: skip
"""Those that do no harm to the machine of whoever runs the tests."""
CONTROLS = [attack for attack in corpus() if attack.name in HARMLESS.get(attack.category, ())]


@pytest.fixture(scope="module")
def open_arena() -> Iterator[Arena]:
    root = Path(tempfile.mkdtemp(prefix="hostile-control-"))
    with set_up(root) as scene:
        arena = Arena("none", scene)
        yield arena
        arena.zygote.close()
    shutil.rmtree(root, ignore_errors=True)


@pytest.mark.parametrize("attack", CONTROLS, ids=lambda attack: attack.id)
def test_it_gets_through_without_a_seal(attack: Attack, open_arena: Arena) -> None:
    seen = open_arena.attack(attack)
    assert "GOT THROUGH" in seen.received
    if attack.id in ("reading/reference", "reading/hidden_tests", "reading/reports"):
        assert open_arena.scene.secret in seen.received
