"""The table of students in a real browser: drawn as far as it is read, sorted and filtered over everyone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from grader.classbook.page import html_page
from grader.classbook.statistics import class_statistics
from grader.model import Assignment, Part
from tests.tool.browser import browser, needed  # noqa: F401  # the fixture

from .conftest import checks, standing

pytestmark = needed
MANY = 700
DECLARED = checks(1000)
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def class_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of so many students: the later in the alphabet, the more points; every tenth waits for a person."""
    names = [f"student {i:03}" for i in range(MANY)]
    everyone = {
        name: standing(name, [None if i % 10 == 0 else i], DECLARED, name=name)
        for i, name in enumerate(names)
    }
    parts = tuple(Part(check.part, "Part", "") for check in DECLARED)
    assignment = Assignment("pocket", "1", "Pocket", parts, DECLARED, Path(), "0" * 64)
    path = tmp_path_factory.mktemp("class") / "class.html"
    statistics = class_statistics(everyone.values(), DECLARED)
    path.write_text("".join(html_page(assignment, statistics, everyone, None, path)), "utf-8")
    return path


@pytest.fixture
def opened(browser: Browser, class_book: Path) -> Iterator[Open]:  # noqa: F811
    contexts = []

    def open_(**options: bool) -> Page:
        contexts.append(browser.new_context(viewport={"width": 1100, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.goto(class_book.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()


def rows(page: Page) -> Locator:
    return page.locator("table.students tbody tr:visible")


def test_more_is_drawn_as_it_is_read(opened: Open) -> None:
    page = opened()
    expect(rows(page)).to_have_count(250)
    expect(page.locator("#shown")).to_have_text(f"{MANY} of {MANY}, the first 250 drawn")
    rows(page).last.scroll_into_view_if_needed()
    expect(rows(page)).to_have_count(500)
    page.locator("#more").dispatch_event("click")  # by keyboard; who scrolls to the button finds it done
    expect(rows(page)).to_have_count(MANY)
    expect(page.locator("#shown")).to_have_text(f"{MANY} of {MANY}")
    expect(page.locator("#more")).to_be_hidden()


def test_sorting_and_filtering_are_over_everyone(opened: Open) -> None:
    page = opened()
    points = page.locator("table.students thead th", has_text="Points")
    points.get_by_role("button").click()
    points.get_by_role("button").click()
    expect(points).to_have_attribute("aria-sort", "descending")
    expect(rows(page).first).to_contain_text("student 699")
    page.locator("#search").fill("student 69")
    expect(rows(page)).to_have_text([re.compile(f"^student 69{i}") for i in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0)])
    page.locator("#open").check()
    expect(rows(page)).to_have_text([re.compile("^student 690")])
    expect(page.locator("#shown")).to_have_text(f"1 of {MANY}")


def test_all_are_there_on_paper_and_without_scripts(opened: Open) -> None:
    page = opened()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(rows(page)).to_have_count(MANY)
    expect(rows(opened(java_script_enabled=False))).to_have_count(MANY)
