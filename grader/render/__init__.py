"""GradeReport -> report.html, report.md, report.json and the terminal's table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from grader.errors import UnknownName
from grader.json_text import json_text
from grader.languages import ENGLISH, Language
from grader.model import GradeReport
from grader.render.files import write_all
from grader.render.pages import html_page, markdown_page
from grader.render.terminal import terminal_summary

FORMATS = ("html", "md", "json")
"""What `render` and `write_reports` know; each is the suffix of its file."""

__all__ = ["FORMATS", "render", "terminal_summary", "write_reports"]


def render(report: GradeReport, fmt: str, words: Language = ENGLISH) -> str:
    """The report as a text of the format, one of FORMATS; UnknownName for another.

    words: the language of the pages; the JSON is the same in every language.
    """
    if fmt == "html":
        return html_page(report, words)
    if fmt == "md":
        return markdown_page(report, words)
    if fmt == "json":
        return json_text(report)
    raise UnknownName("format", fmt, FORMATS)


def write_reports(
    report: GradeReport, out_dir: Path, formats: Iterable[str] = FORMATS, words: Language = ENGLISH
) -> dict[str, Path]:
    """Write `report.<format>` into `out_dir` (made if it is not there); gives the path of each format.

    Each file is replaced in one step. Raises UnknownName for a format, GraderError where it cannot be written.
    """
    return write_all(report, Path(out_dir), formats, partial(render, words=words))
