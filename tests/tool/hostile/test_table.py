"""The table in SECURITY.md lists the corpus, no more and no less, and so does this corpus keep its promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import hostile_table

from .attacks import CATEGORIES, CORPUS, Attack, corpus

PAGE = (Path(__file__).parents[3] / "SECURITY.md").read_text(encoding="utf-8")
TABLE = PAGE.partition(hostile_table.START)[2].partition(hostile_table.END)[0]
ATTACKS = corpus()


def rows() -> list[tuple[str, list[str]]]:
    """(category, cells) of every row."""
    found, titles = [], {title: category for category, title in CATEGORIES.items()}
    category = ""
    for line in TABLE.splitlines():
        if line.startswith("### "):
            category = titles[line[4:]]
        elif line.startswith("| `"):
            found.append((category, [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]))
    return found


def test_the_table_lists_every_attack_once() -> None:
    listed = [f"{category}/{cells[0].strip('`')}" for category, cells in rows()]
    assert sorted(listed) == sorted(attack.id for attack in ATTACKS)


def test_every_attack_was_run_at_both_levels_and_by_both_users() -> None:
    assert f"{len(ATTACKS)} attacks, {4 * len(ATTACKS)} runs" in TABLE
    assert [cells[0] for _, cells in rows() if len(cells) != 4 or "not run" in cells[2:]] == []


def test_a_cell_shows_both_users_only_where_they_differ() -> None:
    attack = ATTACKS[0]

    def entry(user: str, seen: str) -> dict[str, str]:
        return {"attack": attack.id, "level": "strict", "user": user, "seen": seen}

    same = hostile_table.table([entry("root", "failed: a|b"), entry("user", "failed: a|b")])
    other = hostile_table.table([entry("root", "failed: x"), entry("user", "failed: y")])
    assert "| failed: a\\|b | not run |" in same
    assert "root: failed: x; user: failed: y" in other


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_has_attacks(category: str) -> None:
    assert [attack for attack in ATTACKS if attack.category == category]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_an_attack_says_what_it_tries_and_never_expects_to_pass(attack: Attack) -> None:
    assert attack.tries.endswith(".")
    assert attack.status <= {"failed", "missing", "timeout", "crashed", "out_of_memory"}
    assert not attack.stopped.search("GOT THROUGH")


def test_the_corpus_is_large_and_its_code_is_never_imported() -> None:
    assert len(ATTACKS) >= 200
    assert not (CORPUS / "__init__.py").exists()
