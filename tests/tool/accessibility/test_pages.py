"""Every page, as axe-core sees it in a real browser: WCAG 2.1, levels A and AA, in light and dark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from grader.classbook.page import html_page as class_book
from grader.classbook.statistics import class_statistics
from grader.languages import language
from grader.model import Assignment, Part
from grader.render import render
from grader.similar.page import html_page as similar_page
from grader.similar.pairs import Code, find_pairs
from tests.tool import reports
from tests.tool.browser import browser, needed  # noqa: F401
from tests.tool.classbook.conftest import checks, standing
from tests.tool.languages.test_language import COURSEWORK
from tests.tool.review.conftest import book, pocket, queue  # noqa: F401  # the fixtures
from tests.tool.review.test_browser import address  # noqa: F401

pytestmark = needed
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:  # noqa: F811
    page = browser.new_context(viewport={"width": 1100, "height": 900}).new_page()
    yield page
    page.context.close()


def violations(page: Page, **options: Any) -> list[str]:
    """What axe-core objects to, with the first place of each."""
    asked = json.dumps({"resultTypes": ["violations"], **options})
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(f"axe.run(document, {asked}).then(r => r.violations)")
    return [
        f"{one['id']} ({len(one['nodes'])}): {one['nodes'][0]['html'][:300]} {one['nodes'][0]['failureSummary']}"
        for one in found
    ]


def objections(page: Page) -> list[str]:
    """In light, by all rules; in dark, by those on colours: nothing else differs."""
    page.emulate_media(color_scheme="light")
    light = violations(page, runOnly=LEVELS)
    page.emulate_media(color_scheme="dark")
    return light + violations(page, runOnly={"type": "rule", "values": ["color-contrast"]})


def with_all_open(page: Page) -> None:
    """What is folded up has to be readable too."""
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")


def a_class() -> Iterator[str]:
    declared = checks(4, 2, 6)
    everyone = {
        one.result.entry.student: one
        for one in (
            standing("ann", [4, 2, 6], declared),
            standing("bob", [0, 1, 3], declared, diagnosis="scale-by-embed-dim"),
            standing("eve", [4, None, 0], declared, late=True),
            standing("joe", [0, 0, 0], declared, failure="The judge ended."),
        )
    }
    parts = tuple(Part(check.part, f"Part {check.part}", "") for check in declared)
    assignment = Assignment("pocket", "1", "Pocket", parts, declared, Path(), "0" * 64)
    return class_book(
        assignment, class_statistics(everyone.values(), declared), everyone, None, Path("b.html")
    )


def similar() -> Iterator[str]:
    text = (COURSEWORK.parents[1] / "submissions" / "alice" / "attention.py").read_text("utf-8")
    codes = [Code(name, name.title(), text) for name in ("ann", "bob")]
    return similar_page("Pocket", find_pairs(codes, [], least=0.5), 2, 0.5)


PAGES = {
    "report": lambda: [render(reports.every_status(), "html")],
    "report in Chinese": lambda: [render(reports.slips(), "html", language("zh", COURSEWORK))],
    "class book": a_class,
    "similar": similar,
}


@pytest.mark.parametrize("name", PAGES)
def test_page(page: Page, name: str) -> None:
    page.set_content("".join(PAGES[name]()))
    with_all_open(page)
    assert objections(page) == []


def test_review(page: Page, address: str) -> None:  # noqa: F811
    page.goto(address)
    expect(page.locator("#item")).to_be_visible()
    assert objections(page) == []


def test_what_is_wrong_is_seen(page: Page) -> None:
    """The tests above can fail."""
    page.set_content("<html><body><img src=x><p style='color:#999'>pale</p></body></html>")
    found = " ".join(objections(page))
    for rule in ("image-alt", "html-has-lang", "document-title", "color-contrast"):
        assert rule in found
