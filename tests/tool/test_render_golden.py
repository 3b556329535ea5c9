"""Every rendering of the example reports, compared with what was reviewed by eye.

After a wanted change: UPDATE_GOLDEN=1 python -m pytest tests/tool/test_render_golden.py, then read the difference.
"""

import io
import os
import re
from pathlib import Path

import pytest
from rich.console import Console

from grader.render import render, terminal_summary
from tests.tool import reports

GOLDEN = Path(__file__).parent / "golden"
BUILDERS = {
    "full_marks": reports.full_marks,
    "slips": reports.slips,
    "every_status": reports.every_status,
    "public_only": reports.public_only,
    "hostile": reports.hostile,
}
STYLE = re.compile(r"(?<=<style>).*(?=</style>)|'sha256-[^']+'", re.DOTALL)


def same_as_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BUILDERS)
def test_html(name: str) -> None:
    # The style sheet is left out: how a page looks is reviewed in a browser, what it says is reviewed here.
    same_as_golden(f"{name}.html", STYLE.sub("…", render(BUILDERS[name](), "html")))


@pytest.mark.parametrize("name", BUILDERS)
def test_markdown(name: str) -> None:
    same_as_golden(f"{name}.md", render(BUILDERS[name](), "md"))


@pytest.mark.parametrize("name", ["slips", "every_status"])
def test_json(name: str) -> None:
    same_as_golden(f"{name}.json", render(BUILDERS[name](), "json"))


@pytest.mark.parametrize("name", BUILDERS)
def test_terminal(name: str) -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=False)
    terminal_summary(BUILDERS[name](), console, {"html": Path("reports") / name / "report.html"})
    same_as_golden(f"{name}.txt", "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines()))
