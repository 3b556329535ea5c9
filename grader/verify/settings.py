"""The table [verify] of assignment.toml: what an assignment is proved with. docs/verify.md explains every key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from grader import entries
from grader.assignment import read_document
from grader.errors import AssignmentError
from grader.model import Assignment, Check

SEEDS = 50
"""Runs of the model solution where nothing else is declared: a check that takes points from right code in one run of
17 or more shows with a probability of 95 %."""
SEEDS_EACH = 3
"""Runs of each misconception and of each variant."""
KEYS = {
    "solution", "starter", "bank", "variants", "quantities", "seeds", "seeds_each", "own_report", "group",
}  # fmt: skip
GROUP_KEYS = {"checks", "reads", "seeds", "seeds_each", "why"}
_WHERE = "[verify]"


@dataclass(frozen=True, slots=True)
class Group:
    """Checks that are run together, and what they cost and read in common."""

    checks: tuple[Check, ...]
    """In the order of the assignment; a check that rests on another is in its group."""
    reads: tuple[str, ...] | None
    """Patterns of the files that can change their results; None: all files. Verify proves it."""
    seeds: int
    """Runs of the model solution."""
    seeds_each: int
    """Runs of each misconception and each variant."""
    why: str = ""
    """Why this group has numbers of its own; empty where it has not."""

    @property
    def name(self) -> str:
        """As the table shows it: the first check and how many more."""
        more = len(self.checks) - 1
        return self.checks[0].id + (f" and {more} more" if more else "")

    def reads_any(self, paths: Sequence[str]) -> bool:
        """Whether a change of one of `paths` can change a result."""
        return self.reads is None or any(
            fnmatchcase(path, pattern) for path in paths for pattern in self.reads
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """What to hand in, and how often."""

    solution: Path
    """Folder of the model solution, which earns every automatic point."""
    starter: Path | None
    """Folder of the starter kit, which earns none."""
    bank: str
    """MODULE:NAME or FILE.py:NAME of the misconceptions."""
    variants: Path | None
    """Folder of legitimate variants: STEM/NAME.EXT stands in for the solution's STEM.EXT."""
    quantities: tuple[str, ...]
    """MODULE:NAME of the tables behind checks with `number`."""
    own_report: frozenset[str]
    """Checks that hold what a hand-in reports against its own code: not asked of variants, whose code is another."""
    groups: tuple[Group, ...]
    """Every selected automatic check is in exactly one."""


def read_settings(
    assignment: Assignment,
    selected: Sequence[Check],
    *,
    seeds: int | None = None,
    slow_seeds: int | None = None,
) -> Settings:
    """The table as it stands, for the automatic checks among `selected`.

    seeds: runs of the model solution in place of the declared number; slow_seeds: the same for the groups with numbers
    of their own. Raises AssignmentError.
    """
    table = read_document(assignment.root).get("verify")
    if not isinstance(table, dict):
        raise AssignmentError(
            f"{assignment.id} declares nothing to be verified with.",
            "Add a table [verify] with `solution` and `bank` to assignment.toml; docs/verify.md explains it.",
        )
    entries.known_keys(table, KEYS, _WHERE)
    automatic = [check for check in selected if not check.review]
    if not automatic:
        raise AssignmentError("All the checks selected are marked by a person: there is nothing to verify.")
    return Settings(
        solution=_folder(assignment, table, "solution"),
        starter=_folder(assignment, table, "starter") if "starter" in table else None,
        bank=entries.text(table, "bank", _WHERE),
        variants=_folder(assignment, table, "variants") if "variants" in table else None,
        quantities=entries.texts(table, "quantities", _WHERE),
        own_report=frozenset(_known_checks(entries.texts(table, "own_report", _WHERE), assignment, _WHERE)),
        groups=_groups(assignment, table, automatic, seeds, slow_seeds),
    )


def _folder(assignment: Assignment, table: Mapping[str, Any], key: str) -> Path:
    folder = (assignment.root / entries.text(table, key, _WHERE)).resolve()
    if not folder.is_dir():
        raise AssignmentError(
            f"{_WHERE}: {key!r} is {table[key]!r}, and {str(folder)!r} is no folder.",
            "Give it relative to the folder of assignment.toml.",
        )
    return folder


def _groups(
    assignment: Assignment,
    table: Mapping[str, Any],
    automatic: Sequence[Check],
    seeds: int | None,
    slow_seeds: int | None,
) -> tuple[Group, ...]:
    """The declared groups, and one for the other checks of each section; without checks that are not selected."""
    declared = entries.tables(table, "group") if "group" in table else []
    usual = seeds or entries.whole(table, "seeds", _WHERE, SEEDS)
    usual_each = min(entries.whole(table, "seeds_each", _WHERE, SEEDS_EACH), usual)
    groups, taken = [], set[str]()
    for number, entry in enumerate(declared, 1):
        where = f"[[verify.group]] {number}"
        entries.known_keys(entry, GROUP_KEYS, where)
        ids = _known_checks(entries.texts(entry, "checks", where), assignment, where)
        if not ids or taken & set(ids):
            doubled = ", ".join(sorted(taken & set(ids)))
            raise AssignmentError(
                f"{where}: {f'{doubled} is in two groups' if doubled else 'it names no check'}."
            )
        taken |= set(ids)
        own = min(entries.whole(entry, "seeds", where, usual), usual)
        if slow_seeds is not None and "seeds" in entry:
            own = slow_seeds
        groups.append(
            Group(
                checks=tuple(check for check in automatic if check.id in ids),
                reads=entries.texts(entry, "reads", where) or None,
                seeds=own,
                seeds_each=min(entries.whole(entry, "seeds_each", where, usual_each), own),
                why=entries.text(entry, "why", where) if "seeds" in entry else "",
            )
        )
    for section in dict.fromkeys(check.part[:1] for check in automatic):
        rest = tuple(c for c in automatic if c.part[:1] == section and c.id not in taken)
        groups.append(Group(rest, None, usual, usual_each))
    found = tuple(group for group in groups if group.checks)
    _refuse_torn(found)
    return found


def _refuse_torn(groups: Sequence[Group]) -> None:
    """A check is blocked by one that it rests on, which must have run with it."""
    for group in groups:
        elsewhere = {check.id for other in groups if other is not group for check in other.checks}
        for check in group.checks:
            torn = elsewhere & set(check.depends_on)
            if torn:
                raise AssignmentError(
                    f"[[verify.group]]: {check.id} rests on {min(torn)}, which is in another group.",
                    "Put both into one.",
                )


def _known_checks(patterns: Sequence[str], assignment: Assignment, where: str) -> list[str]:
    """Ids that match; each pattern must match one."""
    ids = [check.id for check in assignment.checks]
    for pattern in patterns:
        if not any(fnmatchcase(id, pattern) for id in ids):
            raise AssignmentError(f"{where}: no check matches {pattern!r}.", f"Known: {', '.join(ids)}.")
    return [id for id in ids if any(fnmatchcase(id, pattern) for pattern in patterns)]
