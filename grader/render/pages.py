"""The two pages that come from templates: report.html and report.md."""

from __future__ import annotations

import base64
import hashlib
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from grader.languages import ENGLISH, Language, Untranslated
from grader.latest import latest
from grader.model import GradeReport
from grader.paths import data_root
from grader.render import markdown
from grader.render.cells import cells, data_cells
from grader.render.check import REMEMBERED
from grader.render.compiled import Compiled
from grader.render.compose import view_of
from grader.render.view import CheckView


def html_page(report: GradeReport, words: Language = ENGLISH) -> str:
    """One self-contained page; its policy allows its own style sheet, by hash, and nothing else."""
    page = _html_environment(words.is_source).get_template("report.html.j2")
    style, digest = _style()
    texts = {"report": _view(report, words), "_": words, "lang": words.code}
    details = partial(_details, words)
    return page.render(texts, style=style, style_hash=digest, check_details=details) + "\n"


def markdown_page(report: GradeReport, words: Language = ENGLISH) -> str:
    """The same content for people who read it in an editor, an issue or a message."""
    page = _markdown_environment().get_template("report.md.j2")
    told = partial(_told, words)
    return page.render(report=_view(report, words), _=words, told=told).strip() + "\n"


def _details(words: Language, check: CheckView, seconds: str) -> Markup:
    before, after = _set_once(words, check)
    return Markup(f"{before}{escape(seconds)}{after}")


_SECONDS = Markup("<!-- seconds -->")
"""In their place in what is set once; no text of a student can hold it, for those are escaped."""


@lru_cache(maxsize=REMEMBERED)
def _set_once(words: Language, check: CheckView) -> tuple[str, str]:
    """What stands of a check on the page before and after the seconds that it took."""
    page = _html_environment(words.is_source).get_template("partials/check.html.j2")
    before, after = page.render(check=check, seconds=_SECONDS, _=words, lang=words.code).split(_SECONDS)
    return before, after


@lru_cache(maxsize=REMEMBERED)
def _told(words: Language, check: CheckView) -> markdown.Markdown:
    """What stands of a check in the Markdown."""
    page = _markdown_environment().get_template("partials/check.md.j2")
    return markdown.Markdown(page.render(check=check, _=words))


_view = latest(view_of)
"""Both pages show the same view, one after the other."""


def _templates() -> Path:
    return data_root() / "templates"


@cache
def _style() -> tuple[Markup, str]:
    """The style sheet, and its hash for the policy of the page."""
    style = (_templates() / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Markup(style), f"sha256-{digest}"


@cache
def _html_environment(is_source: bool) -> Environment:
    """is_source: for pages in English, where nothing is untranslated and so nothing has to be looked at for it."""
    environment = Environment(
        loader=FileSystemLoader(_templates()),
        bytecode_cache=Compiled(_templates(), "html" if is_source else "html-marked"),
        autoescape=True,
        finalize=None if is_source else _marked,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = str  # inside of an attribute, or of an SVG's title
    environment.filters["cells"] = cells
    environment.filters["data_cells"] = data_cells
    environment.tests["untranslated"] = lambda text: isinstance(text, Untranslated)
    return environment


def _marked(value: Any) -> Any:
    """What stays in English on a page in another language says so to a screen reader."""
    return (
        Markup('<span lang="en">{}</span>').format(str(value)) if isinstance(value, Untranslated) else value
    )


@cache
def _markdown_environment() -> Environment:
    # `finalize` sees every {{ expression }} and escapes what is not Markdown already: none can be forgotten.
    environment = Environment(
        loader=FileSystemLoader(_templates()),
        bytecode_cache=Compiled(_templates(), "markdown"),
        autoescape=False,
        finalize=markdown.escape,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = markdown.code
    environment.filters["block"] = markdown.block
    return environment
