"""docs/tutorial-author.md, carried out: its files written, its commands run, its outputs found."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[3] / "docs" / "tutorial-author.md").read_text("utf-8")
BLOCK = re.compile(r'^```(sh|text|toml|python)(?: title="([^"]+)")?\n(.*?)^```$', re.M | re.S)
MOST_COMMANDS = 10


def test_following_the_page_leads_to_what_it_shows(tmp_path: Path) -> None:
    """One run of it all, in real processes: the one proof that the scaffold, too, passes `grade verify`."""
    commands, said = 0, ""
    blocks = list(BLOCK.finditer(PAGE))
    assert len(blocks) == PAGE.count("```") // 2
    for block in blocks:
        kind, title, content = block.groups()
        if title:
            before = PAGE[: block.start()].rstrip().splitlines()[-1]
            write(tmp_path / title, content, append="at the end of" in before)
        elif kind == "sh":
            said = ""
            for line in content.splitlines():
                commands += 1
                lost = line.startswith("grade my-work")
                said += ran(line, tmp_path, 1 if lost else 0)
        else:
            for line in content.splitlines():
                assert " ".join(line.split()) in said
    assert 5 <= commands <= MOST_COMMANDS
    assert (tmp_path / "reports/my-work/report.html").is_file()


def write(path: Path, content: str, append: bool) -> None:
    assert path.exists() == (append or path.parts[-2] == "my-work")
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text("utf-8") + "\n" if append else ""
    path.write_text(before + content, "utf-8")


def ran(line: str, folder: Path, code: int) -> str:
    """What the command printed, with one space between words."""
    program, _, arguments = line.partition(" ")
    assert program == "grade"
    done = subprocess.run(
        [sys.executable, "-m", "grader", *arguments.split()],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return " ".join(done.stdout.split())
