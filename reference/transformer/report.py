"""The reference's own report: every number of the coursework, derived, as text for a terminal or as Markdown.

It comes out the same on every CPU, because the dropout of 2c and 2d is replayed; the digits of 2c and 2d after
the second are float32 rounding and can differ where the CPU has no AVX2. The contents: `report_sections`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One number."""

    label: str
    """What it is."""
    value: str
    """As a report states it, with its unit."""
    steps: tuple[str, ...] = ()
    """How it comes about, in the order of the derivation."""


@dataclass(frozen=True, slots=True)
class Section:
    """One question."""

    part: str
    """Its number, "2a"."""
    title: str
    """A few words."""
    lines: tuple[Line, ...]
    """Its numbers in the order of the handout."""
    note: str = ""
    """What a reader should know before the numbers."""


@dataclass(frozen=True, slots=True)
class ReferenceReport:
    """The whole report."""

    title: str
    sections: tuple[Section, ...]

    def as_text(self, width: int = 80) -> str:
        """For a terminal of that many columns."""
        return "\n".join(_text(self, width)) + "\n"

    def as_markdown(self) -> str:
        """The same as Markdown: a heading a question, a table of its numbers."""
        return "\n".join(_markdown(self)) + "\n"


def reference_report() -> ReferenceReport:
    """Compute every number and put it together; takes well under a second once torch is loaded."""
    from reference.transformer.report_sections import (
        sections,  # here, because it needs Section from this file
    )

    return ReferenceReport("Transformer coursework: the reference's own report", tuple(sections()))


# ---------------------------------------------------------------- text and Markdown


def _text(report: ReferenceReport, width: int) -> Iterator[str]:
    yield report.title
    yield "═" * min(len(report.title), width)
    for section in report.sections:
        yield ""
        yield f"{section.part:<4}{section.title}"
        if section.note:
            yield from textwrap.wrap(section.note, width, initial_indent="    ", subsequent_indent="    ")
        for line in section.lines:
            gap = width - 4 - len(line.label) - len(line.value) - 2
            yield f"    {line.label} {'.' * max(gap, 3)} {line.value}"
            for step in line.steps:
                yield from textwrap.wrap(
                    step, width, initial_indent=" " * 8, subsequent_indent=" " * 10, break_long_words=False
                )


def _markdown(report: ReferenceReport) -> Iterator[str]:
    yield f"# {report.title}"
    for section in report.sections:
        yield ""
        yield f"## {section.part} {section.title}"
        if section.note:
            yield ""
            yield _cell(section.note)
        yield ""
        yield "| number | value | derivation |"
        yield "| --- | --- | --- |"
        for line in section.lines:
            yield f"| {_cell(line.label)} | {_cell(line.value)} | {'<br>'.join(map(_cell, line.steps))} |"


def _cell(text: str) -> str:
    """Markdown that shows `text` as it is, also inside a table."""
    for sign in "\\|*_<[`":
        text = text.replace(sign, f"\\{sign}")
    return text
