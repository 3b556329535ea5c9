"""What a sentence or a row of a table says is some number, with the words around it that say what.

    "Memory of one head: 268,435,456 × 2 bytes = 536,870,912 bytes ≈ 0.537 GB"

is one claim in two forms, 536,870,912 bytes and 0.537 GB; 268,435,456 and 2 bytes are operands, no claims.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from grader.intake.prose.amounts import agree
from grader.intake.prose.figures import Figure, Kind, Token
from grader.intake.prose.grammar import (
    FAR,
    Sentence,
    clause,
    counts,
    formula_of,
    is_limit,
    is_ordinal,
    wide_start,
)
from grader.intake.prose.outline import Path
from grader.intake.prose.statements import Statement

_SAME = {
    "or", "i", "e", "ie", "that", "is", "which", "about", "approximately", "approx", "around", "roughly", "circa", "ca",
    "so", "equal", "equals", "to", "this", "means", "hence", "thus", "just", "nearly", "almost", "some", "exactly",
    "rounded", "parameters", "params", "elements", "entries", "scores", "values", "numbers", "trainable", "weights",
    "in", "total", "makes", "binary", "decimal", "units", "unit", "can", "be", "written", "as", "equivalent",
    "equivalently", "viz", "namely", "again", "bytes", "approximate", "i.e", "of", "memory", "a",
}  # fmt: skip
"""Words between two forms of one number: "14,496,989,184 parameters, so about 14.5 billion"."""
_SAYS = {"is", "was", "are", "were", "gives", "equals", "get", "be", "to"}
"""Words that say that what follows is what comes out."""
_MOST_FORMS = 6
_BARE = 40
_LABEL = 70
"""Characters of a label in front of a colon."""
"""Characters before and after a number that are looked at for what it is."""
_CALL = re.compile(r"\bexp\s?\(")
"""Part of a formula, no word about its result."""
_CONDITION = re.compile(r"\|[^()|]{0,80}\)")
"""What a probability is conditioned on: "P(mat | the cat sat on the)" is that of "mat"."""
MOST_CLAIMS = 4_000


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which a number is written."""

    figure: Figure | None
    """None for a shape."""
    value: str
    """As grader.numbers reads it."""
    place: str
    sentence: str
    """On one line."""
    before: str
    """The words in front of it, back to where its clause begins."""
    after: str
    """The words behind it, to where its clause ends."""
    wide: str
    """The whole sentence up to it."""
    expression: tuple[Figure, ...]
    """The numbers of the formula in front of it, "16,384 × 16,384 =", in their order."""
    formula: str
    """That formula as it stands there; empty where there is none."""
    result: bool
    """A sign or a word says that it is what comes out."""
    order: int
    """Of all numbers of the reports, the how-manieth."""
    at: int
    """Where it stands in its sentence."""
    sure: bool = True
    """False where the digits could be read in another way."""


@dataclass(slots=True)
class Claim:
    """One number that is said to be something, in one form or several that agree."""

    forms: list[Form]
    path: Path
    labels: tuple[str, ...] = ()
    """Of a table: the cells of its row and the head of its column. They say what it is, as `before` does."""
    around: tuple[str, ...] = ()
    """The heading above and the unfinished sentence above."""
    label: str = ""
    """What stands in front of the colon of its sentence: "First layer: …"."""
    conflict: bool = False
    """Its forms are set equal and are not."""
    listed: int = -1
    """Its place in a list of numbers without words of their own: "3.8e-4, 1.5e-4 and 3.5e-4"."""
    list_of: list[Claim] = field(default_factory=list)
    """All claims of that list, this one too."""
    shape: bool = False

    @property
    def order(self) -> int:
        return self.forms[0].order

    @property
    def near(self) -> str:
        """All words that belong to it alone."""
        parts = [*self.labels, self.label]
        for form in self.forms:
            parts += [form.before, form.after]
        return _CONDITION.sub(")", _CALL.sub("(", " ; ".join(part for part in parts if part)))

    @property
    def wide(self) -> str:
        return " ; ".join(form.wide for form in self.forms)


class Counter:
    """Numbers the claims of all reports in their order."""

    def __init__(self) -> None:
        self.value = 0

    def next(self) -> int:
        """The next number."""
        self.value += 1
        return self.value


# ---------------------------------------------------------------- text


def in_text(text: str, statement: Statement, counter: Counter) -> list[Claim]:
    """The claims of one sentence, or of one cell of a table."""
    sentence, shown = Sentence.of(text), one_line(text)
    if statement.lead and len(shown) < _BARE and not re.search(r"[^\W\d]{3}", shown):
        shown = one_line(f"{statement.lead} {shown}")  # a number alone says nothing to who reads it
    claims: list[Claim] = []
    last = -1
    for i in range(len(sentence.tokens)):
        if not sentence.result(i) or is_limit(sentence, i) or is_ordinal(sentence, i):
            continue
        form = _form(sentence, i, statement, shown, counter.next())
        if not (claims and _is_same(sentence, last, i, claims[-1], form)):
            around = (statement.title, statement.lead)
            claims.append(Claim([form], statement.path, around=around, shape=form.figure is None))
        last = i
    _mark_lists(sentence, claims)
    _label(sentence, claims)
    return claims


def _form(sentence: Sentence, i: int, statement: Statement, shown: str, order: int) -> Form:
    text, token = sentence.text, sentence.tokens[i]
    start, end = clause(sentence, i)
    figure = token if isinstance(token, Figure) else None
    operands, formula, result = formula_of(sentence, i)
    before = sentence.tokens[i - 1] if i else token
    return Form(
        figure=figure,
        value=figure.value if figure else shape_value(token.text),
        place=statement.place(token.start),
        sentence=shown,
        before=text[max(start, token.start - FAR) : token.start],
        after=text[token.end : min(end, token.end + FAR)],
        wide=text[wide_start(sentence, i) : token.start],
        expression=operands,
        formula=formula,
        result=result or (before.kind is Kind.WORD and before.text.lower() in _SAYS),
        order=order,
        at=token.start,
        sure=figure is None or figure.sure,
    )


def _is_same(sentence: Sentence, last: int, i: int, claim: Claim, form: Form) -> bool:
    """Takes up a number into the claim before it, where it is another form of that one."""
    link = _link(sentence.tokens[last + 1 : i])
    if not link or claim.shape or form.figure is None or len(claim.forms) >= _MOST_FORMS:
        return False
    same = any(agree(other.figure, form.figure) for other in claim.forms if other.figure)
    if not same and link != "=":
        return False
    claim.forms.append(form)
    claim.conflict = claim.conflict or not same
    return True


def _link(between: Sequence[Token]) -> str:
    """How two numbers are joined: "=" where a sign sets them equal, "or" by words; "" where they are not."""
    joined = "or"
    new_line = named = False
    for token in between:
        new_line = new_line or token.text == "\n"
        named = named or (new_line and token.kind is Kind.WORD)
        if token.kind is Kind.RELATION:
            if named:
                return ""  # "elements = 5", and in the next line "bytes = 10"
            joined = "=" if token.text[0] in "=≈~:" else joined
        elif token.kind is Kind.WORD:
            if token.text.lower() not in _SAME:
                return ""
        elif token.kind is Kind.BREAK:
            if token.text not in ".;\n":
                return ""
        elif token.kind not in (Kind.COMMA, Kind.OPEN, Kind.CLOSE):
            return ""
    return joined if between else ""


def _label(sentence: Sentence, claims: Sequence[Claim]) -> None:
    """What stands in front of a colon at the beginning of a line is said of all numbers of that line."""
    labels: list[tuple[int, int, str]] = []
    start, colon, plain = 0, -1, True
    piece = 0  # where the last semicolon was: a label behind it says what follows, not what came before
    for k, token in enumerate(sentence.tokens):
        if token.text == ";":
            piece = token.end
        elif token.text == ":" and 0 < colon < piece:
            label = sentence.text[start:colon] if plain else ""
            labels.append((colon, piece, label))
            start, colon, plain = piece, -1, True
        if token.text == "\n":
            labels.append((colon, token.start, sentence.text[start:colon] if colon > 0 and plain else ""))
            start, colon, plain = token.end, -1, True
        elif colon < 0 and token.text == ":":
            colon = token.start
        elif colon < 0 and (
            token.kind in (Kind.SHAPE, Kind.RELATION)
            or (isinstance(token, Figure) and not counts(sentence.tokens, k))
        ):
            plain = False  # numbers of its own stand in front of the colon, not only "48 heads: "
    end = len(sentence.text)
    labels.append((colon, end, sentence.text[start:colon] if colon > 0 and plain else ""))
    at = 0
    for claim in claims:
        while labels[at][1] <= claim.forms[0].at:
            at += 1
        colon, _, label = labels[at]
        if 0 < colon < claim.forms[0].at and len(label.strip()) <= _LABEL:
            claim.label = label.strip()


def _mark_lists(sentence: Sentence, claims: Sequence[Claim]) -> None:
    """Numbers side by side that share their words: "3.8e-4, 1.5e-4 and 3.5e-4 for …"."""
    places = {token.start: k for k, token in enumerate(sentence.tokens)}
    runs: list[list[Claim]] = [[]]
    last = -1
    for claim in claims:
        at = places[claim.forms[0].at]
        if claim.shape or len(claim.forms) > 1:
            runs.append([])
            continue
        if not (runs[-1] and _alike(runs[-1][-1], claim) and _side_by_side(sentence.tokens[last + 1 : at])):
            runs.append([])
        runs[-1].append(claim)
        last = at
    for run in runs:
        for k, claim in enumerate(run if len(run) > 1 else ()):
            claim.listed, claim.list_of = k, run


def _alike(one: Claim, other: Claim) -> bool:
    """Of one unit: "0.537 GB, and 48 of them" is no list."""
    left, right = one.forms[0].figure, other.forms[0].figure
    return left is not None and right is not None and left.unit == right.unit


def _side_by_side(between: Sequence[Token]) -> bool:
    """Nothing but a comma, "and" or a stroke stands between."""
    return bool(between) and all(
        t.kind is Kind.COMMA or t.text.lower() in ("and", "und", "then", "/") for t in between
    )


# ---------------------------------------------------------------- small things


def shape_value(text: str) -> str:
    """ "[1, 2, 3, 4]" for every way of writing a shape."""
    return f"[{', '.join(re.findall('[0-9]+', text))}]"


def one_line(text: str, most: int = 300) -> str:
    """For the report: without line ends, cut to size."""
    shown = " ".join(text.split())
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
