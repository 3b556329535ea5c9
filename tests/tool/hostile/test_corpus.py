"""Every attack of the corpus, at every level that seals: it earns nothing, learns nothing and leaves nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from grader.errors import IsolationUnavailable
from grader.worker import Zygote, ZygoteSpec

from .arena import Arena, Seen
from .attacks import Attack, corpus
from .conftest import WHOLE
from .scene import Scene

ATTACKS = corpus()


def reachable(level: str) -> bool:
    """Can this machine reach `level`? Asked of a zygote that imports nothing."""
    try:
        with Zygote(ZygoteSpec(preload=()), isolation=level) as zygote:  # type: ignore[arg-type]
            return zygote.isolation.level == level
    except IsolationUnavailable:
        return False


LEVELS = [level for level in ("strict", "container") if reachable(level)]
ON_THE_JUDGE = {"values", "marks", "tricks", "forged", "links", "names"}
"""Categories that try the judge and not the seal."""
ROOT = os.geteuid() == 0
CASES = [
    pytest.param(attack, level, id=f"{attack.id}-{level}")
    for attack in ATTACKS
    for level in LEVELS
    if os.environ.get(WHOLE) or attack.category not in ON_THE_JUDGE or level == LEVELS[0 if ROOT else -1]
]
"""Those are run once by each user, so that the suite stays quick: root at the better level, another at the weaker."""


@dataclass(frozen=True)
class Untouched:
    """The judge's files before the first attack."""

    listing: list[tuple[str, int, int, int, int, int]]
    fingerprint: str


@pytest.fixture(scope="session")
def untouched(scene: Scene, arenas: Callable[[str], Arena]) -> Untouched:
    """Taken after honest runs, which leave the compiled checks beside their source."""
    for level in LEVELS:
        assert all(arenas(level).honest_marks().values())
    return Untouched(scene.listing(), scene.fingerprint())


@pytest.mark.parametrize(("attack", "level"), CASES)
def test_it_is_stopped(
    attack: Attack,
    level: str,
    scene: Scene,
    untouched: Untouched,
    arenas: Callable[[str], Arena],
    record: list[dict[str, str]],
) -> None:
    arena = arenas(level)
    seen = arena.attack(attack)
    user = "root" if ROOT else "user"
    record.append({"attack": attack.id, "level": level, "user": user, "seen": what_was_seen(attack, seen)})

    assert seen.internal == {}
    assert [r.id for r in seen.results] == list(attack.checks)
    for result in seen.results:
        words = f"{result.message} {result.evidence.obtained} {result.evidence.output}"
        assert result.status.value in attack.status, words[:1000]
        assert result.points.earned == 0
        assert attack.stopped.search(words), words[:1000]
    assert "GOT THROUGH" not in seen.received
    assert scene.secret not in seen.received

    assert scene.listing() == untouched.listing
    assert arena.left_running(seen) == []
    assert scene.marks() == []
    assert [name for name in arena.private_folders() if name != "zygote"] == []
    assert arena.honest_student_is_right()


@pytest.mark.parametrize("level", LEVELS)
def test_the_next_student_has_every_point(
    level: str, scene: Scene, untouched: Untouched, arenas: Callable[[str], Arena]
) -> None:
    """After all of them, on the zygote that they met."""
    assert scene.fingerprint() == untouched.fingerprint
    marks = arenas(level).honest_marks()
    assert [check for check, whole in marks.items() if not whole] == []
    assert len(marks) == 13


def what_was_seen(attack: Attack, seen: Seen) -> str:
    """Status and reason in a few words, without what changes from run to run."""
    first = seen.results[0]
    words = f"{first.message} {first.evidence.obtained} {first.evidence.output}"
    match = attack.stopped.search(words)
    return f"{first.status.value}: {match[0] if match else first.message[:60]}"
