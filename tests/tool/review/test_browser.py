"""The review as a person does it, in a real browser: by keyboard, with comments and undo, and hostile text inert."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from grader.gradebook import Gradebook
from grader.review import serve as serving
from grader.review.queue import Queue
from tests.tool.browser import browser, needed  # noqa: F401  # the fixture

pytestmark = needed


@pytest.fixture
def address(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The review, running in a thread; the address that it prints."""
    told: list[str] = []
    ready = threading.Event()
    servers: list[serving.uvicorn.Server] = []

    class Server(serving.uvicorn.Server):
        def __init__(self, config: serving.uvicorn.Config) -> None:
            super().__init__(config)
            servers.append(self)

        def install_signal_handlers(self) -> None:
            """Not from a thread."""

    monkeypatch.setattr(serving.uvicorn, "Server", Server)

    def tell(text: str) -> None:
        told.append(text)
        ready.set()

    thread = threading.Thread(target=serving.serve, args=(queue,), kwargs={"tell": tell})
    thread.start()
    assert ready.wait(20)
    yield told[0]
    servers[0].should_exit = True
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture
def page(address: str, browser: Browser) -> Iterator[Page]:  # noqa: F811
    page = browser.new_context(viewport={"width": 1300, "height": 900}).new_page()
    page.goto(address)
    expect(page.locator("#item")).to_be_visible()
    yield page
    page.context.close()


def test_marking_by_keyboard(page: Page, book: Gradebook) -> None:
    # The first is eve's hostile answer: shown as text, and nothing of it ran.
    expect(page.locator("#text")).to_contain_text("<script>document.documentElement")
    assert page.evaluate("document.documentElement.dataset.owned") is None
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    expect(page.locator("#who")).to_have_text("Ann")
    expect(page.locator("#text")).to_have_text("A model predicts the next token.")
    expect(page.locator("#rubric li")).to_have_text("2 points: the token.")
    page.keyboard.press("3")
    page.keyboard.press("h")
    page.keyboard.press("c")
    page.keyboard.type("Well put, 5 points it is not.")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator("#who")).to_have_text("Bob")
    expect(page.locator("#progress")).to_have_text("2 of 6 marked")
    given = book.overrides("pocket")
    assert {key: str(mark.points) for key, mark in given.items()} == {
        ("eve", "1a.words"): "0",
        ("ann", "1a.words"): "3.5",
    }
    assert given["ann", "1a.words"].reason == "Well put, 5 points it is not."
    # Back, and undone.
    page.keyboard.press("k")
    expect(page.locator("#given")).to_have_text("3.5 given by ina")
    page.keyboard.press("u")
    expect(page.locator("#progress")).to_have_text("1 of 6 marked")
    assert ("ann", "1a.words") not in book.overrides("pocket")


def test_a_mark_that_cannot_be_given_is_said_and_nothing_is_lost(page: Page, book: Gradebook) -> None:
    page.locator("#reason").fill("A long comment.")
    page.locator("#exact").fill("7")
    page.get_by_role("button", name="Give and go on").click()
    expect(page.locator("#problem")).to_contain_text("Points go from 0 to 4")
    expect(page.locator("#reason")).to_have_value("A long comment.")
    assert book.overrides("pocket") == {}


def test_only_open_ones_and_the_end(page: Page, book: Gradebook) -> None:
    page.keyboard.press("o")
    for _ in range(6):  # faster than the answers come
        page.keyboard.press("1")
        page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_have_text("6 of 6 marked")
    assert [str(mark.points) for mark in book.overrides("pocket").values()] == ["1"] * 6
    assert len(book.override_history("pocket")) == 6


def test_another_page_cannot_mark(page: Page, address: str, book: Gradebook) -> None:
    """A form on another site, in the very same browser."""
    home = address.split("/enter", maxsplit=1)[0]
    attack = page.context.new_page()
    attack.goto("data:text/html,<p>evil")
    attack.set_content(
        f"<form id=f method=post action='{home}/items/0/mark' enctype='text/plain'>"
        '<input name=\'{"points": "4", "reason": "\' value=\'"}\'></form>'
    )
    with attack.expect_navigation():
        attack.evaluate("document.getElementById('f').submit()")
    assert "grade review" in (attack.text_content("body") or "")
    assert book.overrides("pocket") == {}
