"""The web app: one page and five addresses, for one person on this machine.

other users of the machine   a token of 256 bits, in the address that is printed once, opens one browser; after
                             that the address is worth nothing
other pages in the browser   the cookie is SameSite=Strict, and a change needs a second token in a header, which
                             only our own page knows
DNS rebinding                the Host header has to be the loopback address and port that were printed
hostile text                 JSON only, put into the page as text; the policy allows our own script by hash
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from grader.errors import GraderError
from grader.paths import data_root
from grader.review.queue import Queue

COOKIE = "review"
HEADER = "x-review-token"
_LARGEST = 64 * 1024
"""Bytes of a request's body."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Doorkeeper:
    """Who may come in."""

    def __init__(self, hosts: frozenset[str]) -> None:
        self.hosts = hosts
        """Values of the Host header that are ours."""
        self.ticket: str | None = secrets.token_urlsafe(32)
        """Opens the door once."""
        self._session = secrets.token_urlsafe(32)
        self.writing = secrets.token_urlsafe(32)
        """Known to our own page alone; a change needs it."""

    def enter(self, ticket: str) -> str | None:
        """The cookie for a ticket that is still good."""
        if self.ticket is None or not hmac.compare_digest(ticket.encode(), self.ticket.encode()):
            return None
        self.ticket = None
        return self._session

    def knows(self, request: Request) -> bool:
        """Whether the request comes from the browser that was let in."""
        return hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), self._session.encode())

    def may_write(self, request: Request) -> bool:
        """Whether it comes from our own page there."""
        given = request.headers.get(HEADER, "").encode()
        return self.knows(request) and hmac.compare_digest(given, self.writing.encode())


class _Guard(BaseHTTPMiddleware):
    """Turns everybody else away, and puts the headers on what goes out."""

    def __init__(self, app: ASGIApp, door: Doorkeeper, policy: str) -> None:
        super().__init__(app)
        self._door, self._policy = door, policy

    async def dispatch(
        self, request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = self._refusal(request) or await call_next(request)
        response.headers.update(_HEADERS)
        response.headers["Content-Security-Policy"] = self._policy
        return response

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("host", "") not in self._door.hosts:
            return _said("This address is not the one that was printed.", 421)
        if request.url.path == "/enter":
            return None
        if not self._door.knows(request):
            return _said(
                "Open the address that `grade review` printed; it works once. Start it again for another.",
                403,
            )
        if request.method != "GET" and not self._door.may_write(request):
            return _said("This change does not come from the page of the review.", 403)
        return None


def make_app(queue: Queue, door: Doorkeeper) -> Starlette:
    """The app over `queue`, for whom `door` lets in."""
    page, policy = _page(queue, door)

    async def enter(request: Request) -> Response:
        cookie = door.enter(request.query_params.get("ticket", ""))
        if cookie is None:
            return _said("This address has been used, or is not the one that was printed.", 403)
        # A page that goes on by itself, not a redirect: the browser then sends the strict cookie wherever it came from.
        response = HTMLResponse(
            '<!doctype html><meta http-equiv="refresh" content="0; url=/"><a href="/">Go on</a>'
        )
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", path="/")
        return response

    async def index(request: Request) -> Response:
        return HTMLResponse(page)

    async def items(request: Request) -> Response:
        return JSONResponse({"blind": queue.blind, "items": await run_in_threadpool(queue.overview)})

    async def item(request: Request) -> Response:
        return await _answer(lambda: queue.detail(request.path_params["number"]))

    async def mark(request: Request) -> Response:
        number = request.path_params["number"]
        body = await _body(request)
        points, reason = body.get("points"), body.get("reason")
        if not isinstance(points, str) or not isinstance(reason, str):
            return _problem("A mark is points and a reason, both texts.")

        def give() -> object:
            queue.mark(number, points, reason)
            return queue.detail(number)

        return await _answer(give)

    async def undo(request: Request) -> Response:
        number = request.path_params["number"]

        def take_back() -> object:
            queue.undo(number)
            return queue.detail(number)

        return await _answer(take_back)

    return Starlette(
        routes=[
            Route("/enter", enter),
            Route("/", index),
            Route("/items", items),
            Route("/items/{number:int}", item),
            Route("/items/{number:int}/mark", mark, methods=["POST"]),
            Route("/items/{number:int}/undo", undo, methods=["POST"]),
        ],
        middleware=[Middleware(_Guard, door=door, policy=policy)],
    )


async def _answer(work: Callable[[], object]) -> Response:
    try:
        return JSONResponse(await run_in_threadpool(work))
    except GraderError as error:
        return _problem(f"{error.message} {error.next_step}".strip())


async def _body(request: Request) -> dict[str, object]:
    """The JSON object that was sent; an empty one where it is none, or too large."""
    received = b""
    async for chunk in request.stream():
        received += chunk
        if len(received) > _LARGEST:
            return {}
    try:
        body = json.loads(received)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _problem(text: str) -> Response:
    return JSONResponse({"problem": text}, status_code=400)


def _said(text: str, status: int) -> Response:
    return Response(text + "\n", status_code=status, media_type="text/plain")


def _page(queue: Queue, door: Doorkeeper) -> tuple[str, str]:
    """The page, and the policy under which it runs."""
    templates = data_root() / "templates"
    style = (templates / "report.css").read_text("utf-8") + (templates / "review.css").read_text("utf-8")
    script = (templates / "review.js").read_text("utf-8")
    environment = Environment(
        loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("review.html.j2").render(
        title=queue.title, writing=door.writing, style=Markup(style), script=Markup(script)
    )
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page, policy


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
