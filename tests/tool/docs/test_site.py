"""The site is built without a warning, and the pages made from the code leave nothing unexplained."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader import assignment as declarations
from grader.exitcode import ExitCode
from scripts.docs_reference import pages

REPOSITORY = Path(__file__).resolve().parents[3]
DOCS = REPOSITORY / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return out


def test_every_page_is_on_the_site_and_fetches_nothing(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        assert (site / page.relative_to(DOCS)).with_suffix(".html").is_file(), page
    text = (site / "index.html").read_text("utf-8")
    assert not re.search(r"""<(?:script|link|img)[^>]+(?:src|href)=["'](?:https?:)?//""", text)


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", (REPOSITORY / "mkdocs.yml").read_text("utf-8")))
    assert {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} - listed == set()


def test_no_command_option_or_code_is_left_unexplained() -> None:
    made = pages()
    assert not re.search(r"\| *\|$", made["api/commands.md"], re.M)
    assert all(f"| {code.value} |" in made["api/exit-codes.md"] for code in ExitCode)
    assert "`grader.errors.IsolationUnavailable`" in made["api/errors.md"]
    assert "`checks[].diagnosis`" in made["api/report-json.md"]


def test_every_key_of_an_assignment_is_explained() -> None:
    page = (DOCS / "authoring.md").read_text("utf-8")
    known = declarations._TOP | declarations._PART | declarations._CHECK
    assert {key for key in known if f"{key}" not in re.sub(r"[^\w]", " ", page).split()} == set()
