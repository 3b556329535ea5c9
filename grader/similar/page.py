"""The pairs side by side, on one self-contained page: code as text, what is shared marked."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from grader.paths import data_root
from grader.similar.pairs import Pair
from grader.text import one_line, visible

SHOWN = 60
"""Pairs on the page; more are no evidence but noise."""


def html_page(title: str, pairs: Sequence[Pair], students: int, least: float) -> Iterator[str]:
    """The page in pieces."""
    templates = data_root() / "templates"
    style = (templates / "report.css").read_text("utf-8") + (templates / "similar.css").read_text("utf-8")
    environment = Environment(
        loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template("similar.html.j2").generate(
        title=one_line(title),
        students=students,
        least=least,
        number=len(pairs),
        pairs=[
            {
                "names": (one_line(pair.one.name, 80), one_line(pair.other.name, 80)),
                "shares": pair.shares,
                "codes": (marked(pair.one.text, pair.spans[0]), marked(pair.other.text, pair.spans[1])),
            }
            for pair in pairs[:SHOWN]
        ],
        style=Markup(style),
        style_hash=f"sha256-{digest}",
    )


def marked(text: str, spans: Sequence[tuple[int, int]]) -> Markup:
    """`text` escaped, control characters shown, with the spans in <mark>; spans may overlap and be out of order."""
    pieces, at = [], 0
    for start, end in _merged(spans):
        start, end = max(start, at), min(end, len(text))
        if start >= end:
            continue
        pieces += [
            escape(visible(text[at:start])),
            Markup("<mark>"),
            escape(visible(text[start:end])),
            Markup("</mark>"),
        ]
        at = end
    return Markup("").join([*pieces, escape(visible(text[at:]))])


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
