"""Runs the hostile corpus, every attack at every level as root and as an ordinary user, and writes SECURITY.md's table.

    python scripts/hostile_table.py            run, then write the table
    python scripts/hostile_table.py RECORD     write it from the record of a run (HOSTILE_RECORD=RECORD HOSTILE_WHOLE=1)

A cell says how the check ended and the words of the report by which it was known; where root and an ordinary user saw
different words, both are there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from tests.tool.hostile.attacks import CATEGORIES, Attack, corpus  # noqa: E402

PAGE = REPOSITORY / "SECURITY.md"
START, END = "<!-- attacks: written by scripts/hostile_table.py -->", "<!-- end of attacks -->"
LEVELS = ("strict", "container")


def run() -> list[dict[str, str]]:
    """The record of a whole run; ends the program where an attack was not stopped."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.json"
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "tests/tool/hostile/test_corpus.py",
                "tests/tool/hostile/test_user.py",
            ],
            cwd=REPOSITORY,
            env=os.environ | {"HOSTILE_RECORD": str(path), "HOSTILE_WHOLE": "1"},
            check=False,
        )
        if done.returncode:
            raise SystemExit("Not every attack was stopped: the table stays as it is.")
        found: list[dict[str, str]] = json.loads(path.read_text())
        return found


def table(record: list[dict[str, str]]) -> str:
    """One table a category."""
    seen: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for entry in record:
        seen[entry["attack"], entry["level"]][entry["user"]] = entry["seen"]
    attacks = corpus()
    runs = sum(len(users) for users in seen.values())
    blocks = [
        f"{len(attacks)} attacks, {runs} runs: each at {' and '.join(LEVELS)}, as root and as an ordinary user. None "
        "earned a point, read the secret, changed a file of the judge's, left a process or a file behind, or was felt "
        "by the next hand-in."
    ]
    for category, title in CATEGORIES.items():
        rows = [_row(attack, seen) for attack in attacks if attack.category == category]
        if rows:
            head = "| attack | tries to | strict | container |\n| --- | --- | --- | --- |"
            blocks.append(f"### {title}\n\n{head}\n" + "\n".join(rows))
    return "\n\n".join(blocks)


def _row(attack: Attack, seen: dict[tuple[str, str], dict[str, str]]) -> str:
    cells = [_cell(seen.get((attack.id, level), {})) for level in LEVELS]
    return " | ".join(["| `" + attack.name + "`", _escaped(attack.tries.rstrip(".")), *cells]) + " |"


def _cell(by_user: dict[str, str]) -> str:
    words = {user: _escaped(text) for user, text in by_user.items()}
    if len(set(words.values())) <= 1:
        return next(iter(words.values()), "not run")
    return "; ".join(f"{user}: {text}" for user, text in sorted(words.items()))


def _escaped(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def main() -> None:
    """Writes the table between its marks."""
    record = json.loads(Path(sys.argv[1]).read_text()) if sys.argv[1:] else run()
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n\n{table(record)}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
