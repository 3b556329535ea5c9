"""Who is let in, and what is refused: other users, other pages, other hosts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from grader.gradebook import Gradebook
from grader.review.app import Doorkeeper, make_app
from grader.review.queue import Queue

HOME = "http://127.0.0.1:8000"


@pytest.fixture
def client(queue: Queue, door: Doorkeeper) -> Iterator[TestClient]:
    with TestClient(make_app(queue, door), base_url=HOME) as client:
        yield client


@pytest.fixture
def inside(client: TestClient, door: Doorkeeper) -> TestClient:
    assert client.get(f"/enter?ticket={door.ticket}").status_code == 200
    return client


def headers(door: Doorkeeper) -> dict[str, str]:
    return {"x-review-token": door.writing}


def test_the_address_opens_one_browser_once(queue: Queue, door: Doorkeeper, inside: TestClient) -> None:
    used = door.ticket
    assert used is None
    assert inside.get("/items").json()["items"][0]["check"] == "1a.words"
    with TestClient(make_app(queue, door), base_url=HOME) as other:
        assert other.get("/enter?ticket=anything").status_code == 403
        assert other.get("/items").status_code == 403
        assert other.get("/").status_code == 403


def test_a_ticket_is_worth_nothing_the_second_time(client: TestClient, door: Doorkeeper) -> None:
    ticket = door.ticket
    assert client.get(f"/enter?ticket={ticket}").status_code == 200
    assert client.get(f"/enter?ticket={ticket}").status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost:8000", "127.0.0.1", ""])
def test_another_host_is_turned_away(inside: TestClient, host: str) -> None:
    assert inside.get("/items", headers={"host": host}).status_code == 421


def test_a_change_needs_the_pages_own_token(inside: TestClient, door: Doorkeeper, book: Gradebook) -> None:
    body = {"points": "2", "reason": ""}
    assert inside.post("/items/0/mark", json=body).status_code == 403
    wrong = {"x-review-token": "x" * 43}
    assert inside.post("/items/0/mark", json=body, headers=wrong).status_code == 403
    assert book.overrides("pocket") == {}
    assert inside.post("/items/0/mark", json=body, headers=headers(door)).json()["points"] == "2"
    assert len(book.overrides("pocket")) == 1


def test_the_cookie_is_strict_and_out_of_reach_of_scripts(client: TestClient, door: Doorkeeper) -> None:
    cookie = client.get(f"/enter?ticket={door.ticket}").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_every_answer_carries_the_policy(inside: TestClient, client: TestClient) -> None:
    for path in ("/", "/items", "/items/0", "/nothing", "/enter?ticket=x"):
        policy = inside.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert inside.get(path).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b'{"points": 3, "reason": ""}',
        b"\xff",
        b'{"points": "2"}',
        b"{" + b" " * 70_000,
    ],
)
def test_a_broken_mark_is_refused(inside: TestClient, door: Doorkeeper, book: Gradebook, body: bytes) -> None:
    answer = inside.post("/items/0/mark", content=body, headers=headers(door))
    assert answer.status_code == 400
    assert "points and a reason" in answer.json()["problem"]
    assert book.overrides("pocket") == {}


def test_an_item_that_is_not_there(inside: TestClient, door: Doorkeeper) -> None:
    assert inside.get("/items/99").status_code == 400
    assert inside.get("/items/-1").status_code == 404
    too_many = {"points": "9", "reason": ""}
    answer = inside.post("/items/0/mark", json=too_many, headers=headers(door))
    assert (answer.status_code, "0 to 4" in answer.json()["problem"]) == (400, True)


def test_the_page_names_the_assignment_as_text(inside: TestClient) -> None:
    page = inside.get("/").text
    assert "Pocket &lt;coursework&gt;" in page
    assert "<script>document.documentElement" not in page
