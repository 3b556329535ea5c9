"""Where lines join and where sentences end, in text whose line ends may mean something or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grader.intake.prose.figures import read_unit
from grader.intake.prose.lines import Line, Shape

LONGEST = 3_000
"""Characters of one statement; a longer one is cut at a space."""
_SENTENCE = re.compile(r"(?<=[.!?])[ \n]+(?=[A-Z0-9(\[\"‖∑])")
_SHORT_FORMS = re.compile(
    r"(?:\b(?:e\.g|i\.e|approx|ca|eq|eqs|fig|vs|resp|no|acc|max|min|avg|dr|prof|mr|ms|cf|incl|tab|sec|nr|z\.b|d\.h)"
    r"|(?:^|[\s(])[a-z0-9])\.$",
    re.IGNORECASE,
)
GOES_ON = re.compile(r"\s*(?:[=≈⇒×*/+<>]|-+>)")
_UNFINISHED = re.compile(r"(?:[=≈⇒×*/+(\-,]|\b(?:is|are|of|and|with|than|the|by|to|about|gives))\s*$")
_LABEL = re.compile(r"[A-Za-z][^.:=]{0,40}:\s")
"""What begins like "Memory of one head: " begins something of its own."""
_EQUAL = re.compile(r"[A-Za-z][^.:=]{0,40}=\s?[-+0-9(\[]")
"""The same for "loss = 5"."""


def usual_width(lines: Sequence[Line]) -> int:
    """The length of the longer lines of running text: where a writer's lines wrap."""
    lengths = sorted(line.width for line in lines if line.shape is Shape.TEXT and not line.printed)
    return max(lengths[int(len(lengths) * 0.9)] if lengths else 0, 60)


def wraps(above: Line, below: Line, usual: int) -> bool:
    """Whether a line is the rest of the one above: that one was full, or it cannot end so.

    usual: the length at which lines wrap.
    """
    if above.printed or below.fresh:
        return False
    if GOES_ON.match(below.text) or _UNFINISHED.search(above.text):
        return True
    word = below.text.split(" ", 1)[0]
    unit, end = read_unit(below.text, 0)
    if unit and re.search(r"[0-9]$", above.text) and not re.match(r"\s*[\w=≈:/]", below.text[end:]):
        return True
    if _LABEL.match(below.text) or (_EQUAL.match(below.text) and re.search(r"[0-9)%B]$", above.text)):
        return False
    return above.width + len(word) + 1 > 0.85 * usual


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence begins and ends."""
    start = 0
    for gap in _SENTENCE.finditer(text):
        if _SHORT_FORMS.search(text[max(0, gap.start() - 12) : gap.start()]):
            continue
        yield start, gap.start()
        start = gap.end()
    yield start, len(text)


def pieces(text: str) -> Iterator[tuple[str, int]]:
    """The sentence, cut where it is too long to be one."""
    at = 0
    while len(text) - at > LONGEST:
        cut = text.rfind(" ", at + 1, at + LONGEST)
        cut = cut if cut > at else at + LONGEST
        yield text[at:cut], at
        at = cut
    yield text[at:], at


def places_of(places: list[tuple[int, str]], start: int, end: int) -> tuple[tuple[int, str], ...]:
    """The places of a stretch of text, counted from its own beginning."""
    first = [place for at, place in places if at <= start][-1]
    return ((0, first), *((at - start, place) for at, place in places if start < at < end))
