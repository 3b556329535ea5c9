"""The two pages that come from templates: report.html and report.md."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grader.model import GradeReport
from grader.paths import data_root
from grader.render import markdown
from grader.render.compose import view_of
from grader.render.view import ReportView


def html_page(report: GradeReport) -> str:
    """One self-contained page; its policy allows its own style sheet, by hash, and nothing else."""
    style = (_templates() / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = _html_environment().get_template("report.html.j2")
    return page.render(report=_view(report), style=Markup(style), style_hash=f"sha256-{digest}") + "\n"


def markdown_page(report: GradeReport) -> str:
    """The same content for people who read it in an editor, an issue or a message."""
    page = _markdown_environment().get_template("report.md.j2")
    return page.render(report=_view(report)).strip() + "\n"


_latest: tuple[GradeReport, ReportView] | None = None
"""Both pages show the same view, one after the other."""


def _view(report: GradeReport) -> ReportView:
    global _latest
    if _latest is None or _latest[0] is not report:
        _latest = (report, view_of(report))
    return _latest[1]


def _templates() -> Path:
    return data_root() / "templates"


@cache
def _html_environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_templates()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _markdown_environment() -> Environment:
    # `finalize` sees every {{ expression }} and escapes what is not Markdown already: none can be forgotten.
    environment = Environment(
        loader=FileSystemLoader(_templates()),
        autoescape=False,
        finalize=markdown.escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = markdown.code
    environment.filters["block"] = markdown.block
    return environment
