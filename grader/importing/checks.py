"""The check file of a draft: each test as a check, or as text where a person has to write it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from grader.importing.source import Question, Source, Test, readable, slug
from grader.importing.turning import Turned, turn

MARKER = "FOR A PERSON"
"""What is searched for in a draft."""


@dataclass
class CheckDraft:
    """One check."""

    id: str
    title: str
    points: Fraction
    hidden: bool
    message: str
    origin: str
    """The file and the test that it was."""
    turned: Turned


@dataclass
class Part:
    """One question."""

    id: str
    title: str
    asks: str
    checks: list[CheckDraft] = field(default_factory=list)
    by_person: Fraction | None = None
    notes: list[str] = field(default_factory=list)


def parts_of(sources: Sequence[Source]) -> list[Part]:
    """A part for each question; names that one file defines are known to the tests of the others."""
    everything = Source("", "")
    for source in sources:
        everything.functions |= source.functions
        everything.others |= source.others
        everything.given |= source.given
        everything.imports |= source.imports
        everything.whole |= source.whole
    parts: list[Part] = []
    for source in sources:
        known = replace(everything, imports=everything.imports | source.imports, helpers=source.helpers)
        for question in source.questions:
            parts.append(_part(_part_id(len(parts)), question, source, known))
    return parts


def _part_id(number: int) -> str:
    """1a … 1z, 2a …"""
    return f"{number // 26 + 1}{chr(ord('a') + number % 26)}"


def _part(id: str, question: Question, source: Source, known: Source) -> Part:
    part = Part(id, question.title, question.asks)
    if question.by_person is not None:
        part.by_person = question.by_person or Fraction(1)
        if not question.by_person:
            part.notes.append(f"{id}.review: it had no points and has got 1")
    taken: set[str] = set()
    for test in question.tests:
        word = slug(test.name)
        while word in taken:
            word += "-again"
        taken.add(word)
        check = _check(f"{id}.{word}", test, question, source, known)
        part.checks.append(check)
        if not test.points:
            part.notes.append(f"{check.id}: it was worth 0 points and has got 1")
        part.notes += [f"{check.id}: {note}" for note in check.turned.notes]
    return part


def _check(id: str, test: Test, question: Question, source: Source, known: Source) -> CheckDraft:
    turned = Turned(test.code, reasons=test.reasons) if test.reasons else turn(test.code, known, test.setup)
    name = readable(test.name)
    title = name if name.casefold() == question.title.casefold() else f"{question.title}: {name.lower()}"
    return CheckDraft(
        id,
        title,
        test.points or Fraction(1),
        test.hidden,
        test.message,
        f"{source.name}, {test.name}",
        turned,
    )


# ---------------------------------------------------------------- the file


def check_file(sources: Sequence[Source], parts: Sequence[Part], *, arrays: bool) -> str:
    """The text of test_imported.py."""
    checks = [check for part in parts for check in part.checks]
    turned = [check for check in checks if not check.turned.reasons]
    imports = {line for check in turned for line in check.turned.imports}
    by_person = any(part.by_person is not None for part in parts)
    lines = [
        '"""Made by `grade import`. Student functions run in the worker; asserts run here, on what they gave."""'
    ]
    lines += ["", *sorted(imports | {"import pytest"}), ""]
    names = ["Asserted"] if turned else []
    names += ["NeedsReview"] if by_person or len(turned) < len(checks) else []
    names += ["Running"] if turned else []
    lines += [f"from grader.authoring import {', '.join(names)}"]
    helpers = [helper for source in sources for helper in source.helpers]
    helpers += [text for check in turned for text in check.turned.given]
    for helper in dict.fromkeys(helpers):
        lines += ["", "", helper.rstrip()]
    for check in checks:
        lines += ["", "", *(_turned(check, arrays) if check in turned else _left(check))]
    if by_person:
        lines += ["", "", *_REVIEW]
    return "\n".join(lines) + "\n"


def _turned(check: CheckDraft, arrays: bool) -> Iterator[str]:
    yield f'@pytest.mark.check("{check.id}")'
    yield f"def {_function(check)}(check: Running, asserted: Asserted) -> None:"
    yield f"    check.asked = {check.origin!r}"
    with_ = f"asserted.saying({check.message!r})" if check.message else "asserted"
    yield f"    with {with_} as student:"
    more = ", arrays=True" if arrays else ""
    yield from (f'        {name} = student.function("{name}"{more})' for name in check.turned.functions)
    yield from (f'        {name} = student.variable("{name}"{more})' for name in check.turned.variables)
    yield textwrap.indent(check.turned.code, " " * 8)


def _left(check: CheckDraft) -> Iterator[str]:
    yield f'@pytest.mark.check("{check.id}")'
    yield f"def {_function(check)}() -> None:"
    yield f"    # {MARKER}: this test was not turned into a check."
    yield from (f"    # - {reason}" for reason in check.turned.reasons)
    yield f"    # As it stands in {check.origin}:"
    yield from (f"    #     {line}".rstrip() for line in check.turned.code.splitlines())
    yield '    raise NeedsReview("This check is still to be written.", "A person marks it until then.")'


def _function(check: CheckDraft) -> str:
    return "test_" + re.sub(r"\W", "_", check.id)


_REVIEW = (
    "def test_review(prose_check: object) -> None:",
    '    raise NeedsReview("A person marks this answer.", "")',
)
