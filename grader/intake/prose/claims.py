"""What a sentence or a row of a table says is some number, with the words around it that say what.

    "Memory of one head: 268,435,456 × 2 bytes = 536,870,912 bytes ≈ 0.537 GB"

is one claim in two forms, 536,870,912 bytes and 0.537 GB; 268,435,456 and 2 bytes are operands, no claims.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from grader.intake.prose.amounts import agree
from grader.intake.prose.figures import Figure, Kind, Token, scan
from grader.intake.prose.outline import Outline, Path, read_number
from grader.intake.prose.statements import Statement, Table

_FUNCTIONS = {"exp", "ln", "log", "lg", "sqrt", "log_2", "log_10", "log2", "log10", "round"}
_CUTS = {
    "and",
    "while",
    "whereas",
    "but",
    "which",
    "so",
    "then",
    "hence",
    "therefore",
    "thus",
    "plus",
    "giving",
    "und",
}
"""Words that set what follows off from what came before."""
_SAME = {
    "or", "i", "e", "ie", "that", "is", "which", "about", "approximately", "approx", "around", "roughly", "circa", "ca",
    "so", "equal", "equals", "to", "this", "means", "hence", "thus", "just", "nearly", "almost", "some", "exactly",
    "rounded", "parameters", "params", "elements", "entries", "scores", "values", "numbers", "trainable", "weights",
    "in", "total", "makes", "binary", "decimal", "units", "unit", "can", "be", "written", "as", "equivalent",
    "equivalently", "viz", "namely", "again", "bytes", "approximate", "i.e", "of", "memory", "a",
}  # fmt: skip
"""Words between two forms of one number: "14,496,989,184 parameters, so about 14.5 billion"."""
_LIMITS = {
    "below",
    "under",
    "above",
    "threshold",
    "tolerance",
    "than",
    "within",
    "least",
    "most",
    "exceed",
    "exceeds",
}
_FAR = 240
_LABEL = 70
"""Characters of a label in front of a colon."""
"""Characters before and after a number that are looked at for what it is."""
_CALL = re.compile(r"\bexp\s?\(")
"""Part of a formula, no word about its result."""
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
        return _CALL.sub("(", " ; ".join(part for part in parts if part))

    @property
    def wide(self) -> str:
        return " ; ".join(form.wide for form in self.forms)


def read_claims(said: Sequence[Statement | Table], outline: Outline) -> list[Claim]:
    """All claims, in their order."""
    counter = _Counter()
    out: list[Claim] = []
    for item in said:
        if isinstance(item, Statement):
            out += _in_text(item.text, item, counter)
        else:
            out += _in_table(item, outline, counter)
        if len(out) >= MOST_CLAIMS:
            return out[:MOST_CLAIMS]
    return out


class _Counter:
    def __init__(self) -> None:
        self.value = 0

    def next(self) -> int:
        self.value += 1
        return self.value


# ---------------------------------------------------------------- text


def _in_text(text: str, statement: Statement, counter: _Counter) -> list[Claim]:
    tokens = scan(text)
    claims: list[Claim] = []
    last_at = -1
    for i, token in enumerate(tokens):
        if token.kind not in (Kind.FIGURE, Kind.SHAPE) or is_operand(tokens, i) or _is_limit(tokens, i):
            continue
        form = _form(text, tokens, i, statement, counter)
        before = claims[-1] if claims else None
        link = _link(tokens, last_at, i) if before is not None else ""
        if before is not None and link and token.kind is Kind.FIGURE and not before.shape:
            same = any(agree(f.figure, form.figure) for f in before.forms if f.figure and form.figure)
            if same or link == "=":
                before.forms.append(form)
                before.conflict = before.conflict or not same
                last_at = i
                continue
        claims.append(
            Claim(
                [form],
                statement.path,
                around=(statement.title, statement.lead),
                shape=token.kind is Kind.SHAPE,
            )
        )
        last_at = i
    _mark_lists(text, tokens, claims)
    _label(text, tokens, claims)
    return claims


def _label(text: str, tokens: Sequence[Token], claims: Sequence[Claim]) -> None:
    """What stands in front of a colon at the beginning of a line is said of all numbers of that line."""
    ends = [t.start for t in tokens if t.text == "\n"] + [len(text)]
    start = 0
    for end in ends:
        line = [t for t in tokens if start <= t.start < end]
        colon = next((t.start for t in line if t.text == ":"), -1)
        label = text[start:colon].strip() if colon > 0 else ""
        numbers = any(t.kind in (Kind.FIGURE, Kind.SHAPE, Kind.RELATION) and t.start < colon for t in line)
        if label and len(label) <= _LABEL and not (numbers and not _small(line, colon)):
            for claim in claims:
                figure = claim.forms[0].at
                if colon < figure < end:
                    claim.label = label
        start = end


def _small(line: Sequence[Token], colon: int) -> bool:
    """Only small numbers, which belong to the words, stand in front of the colon: "48 heads: "."""
    inside = [t for t in line if t.start < colon]
    return not any(
        t.kind in (Kind.SHAPE, Kind.RELATION) or (isinstance(t, Figure) and not _counts(inside, k))
        for k, t in enumerate(inside)
    )


def is_operand(tokens: Sequence[Token], i: int) -> bool:
    """Whether a number is part of a formula, not what comes out of it."""
    left, right = i - 1, i + 1
    while left >= 0 and tokens[left].kind is Kind.OPEN:
        if left and tokens[left - 1].kind is Kind.WORD and tokens[left - 1].text in _FUNCTIONS:
            return True
        left -= 1
    if right < len(tokens) and tokens[right].kind is Kind.POWER:
        return True
    while right < len(tokens) and tokens[right].kind is Kind.CLOSE:
        right += 1
    if left >= 0 and tokens[left].kind is Kind.WORD and tokens[left].text in _FUNCTIONS:
        return True
    if left >= 0 and tokens[left].kind is Kind.OPERATOR and not _is_sign(tokens, left, i):
        if left + 1 == i or tokens[left + 1].kind is Kind.OPEN:
            if left == 0 or _is_term(tokens[left - 1]) or tokens[left].text in "×*/+":
                return not _is_separator(tokens, left)
    return right < len(tokens) and tokens[right].kind is Kind.OPERATOR and _binds(tokens, right)


def _is_sign(tokens: Sequence[Token], at: int, number: int) -> bool:
    """A minus of the number itself: "= -0.2877"."""
    alone = at == 0 or tokens[at - 1].kind in (Kind.RELATION, Kind.OPEN, Kind.BREAK, Kind.COMMA)
    return tokens[at].text == "-" and alone and tokens[at].end == tokens[number].start


def _binds(tokens: Sequence[Token], at: int) -> bool:
    """Whether an operator has something to work on behind it: "× 48", "/ (", "× N_block", not "- test accuracy"."""
    if at + 1 >= len(tokens):
        return False
    return _is_term(tokens[at + 1]) or (tokens[at].text in "×*/+" and not _is_separator(tokens, at))


def _is_separator(tokens: Sequence[Token], at: int) -> bool:
    """A dot or a dash between two remarks: "self ≈ 3.8e-4 · masked ≈ 1.5e-4"."""
    if at + 1 >= len(tokens):
        return True
    behind = tokens[at + 1]
    return (
        behind.kind is Kind.WORD
        and len(behind.text) > 3
        and behind.text not in _FUNCTIONS
        and "_" not in behind.text
    )


def _is_term(token: Token) -> bool:
    if token.kind is Kind.WORD:
        return len(token.text) <= 3 or "_" in token.text or token.text in _FUNCTIONS
    return token.kind in (Kind.FIGURE, Kind.OPEN, Kind.CLOSE, Kind.POWER)


def _is_limit(tokens: Sequence[Token], i: int) -> bool:
    """A number that something is compared with: "below 1e-3", "< 0.001"."""
    left = i - 1
    while left >= 0 and tokens[left].kind in (Kind.OPEN,):
        left -= 1
    if left < 0:
        return False
    if tokens[left].kind is Kind.BOUND:
        return True
    words = [t.text.lower() for t in tokens[max(0, left - 1) : left + 1] if t.kind is Kind.WORD]
    return any(word in _LIMITS for word in words)


def _form(text: str, tokens: Sequence[Token], i: int, statement: Statement, counter: _Counter) -> Form:
    token = tokens[i]
    start, end = _clause(text, tokens, i)
    figure = token if isinstance(token, Figure) else None
    expression, formula, found_sign = _expression(text, tokens, i)
    value = figure.value if figure else shape_value(token.text)
    word = tokens[i - 1].text.lower() if i and tokens[i - 1].kind is Kind.WORD else ""
    return Form(
        figure,
        value,
        statement.place(token.start),
        one_line(text),
        text[max(start, token.start - _FAR) : token.start],
        text[token.end : min(end, token.end + _FAR)],
        text[_wide_start(tokens, i, token.start) : token.start],
        expression,
        formula,
        found_sign or word in ("is", "was", "are", "were", "gives", "equals", "get", "be", "to"),
        counter.next(),
        token.start,
        figure is None or figure.sure,
    )


def _wide_start(tokens: Sequence[Token], i: int, start: int) -> int:
    """Where the part of the sentence begins that number i stands in, back to a semicolon or a line end."""
    for j in range(i - 1, -1, -1):
        if tokens[j].kind is Kind.BREAK and tokens[j].text in ";\n\t|!?":
            return max(tokens[j].end, start - 2 * _FAR)
    return max(0, start - 2 * _FAR)


def _clause(text: str, tokens: Sequence[Token], i: int) -> tuple[int, int]:
    """The stretch of text in which the words stand that say what number i is."""
    end = _clause_end(text, tokens, i)
    named = any(t.kind is Kind.WORD and len(t.text) > 2 for t in tokens[i + 1 :] if t.end <= end)
    start = 0
    for j in range(i - 1, -1, -1):
        token = tokens[j]
        if _cuts(tokens, j) and named:
            return token.end, end
        if isinstance(token, Figure) and not is_operand(tokens, j) and not _counts(tokens, j):
            return token.end, end
        if token.kind is Kind.SHAPE:
            return token.end, end
        if token.text == "⇒" and token.kind is Kind.RELATION:
            return token.start, end
        named = named or (token.kind is Kind.WORD and len(token.text) > 1)
    return start, end


def _clause_end(text: str, tokens: Sequence[Token], i: int) -> int:
    for j in range(i + 1, len(tokens)):
        token = tokens[j]
        number = isinstance(token, Figure) and not _counts(tokens, j)
        if _cuts(tokens, j) or number or token.kind in (Kind.RELATION, Kind.SHAPE):
            if token.kind is Kind.OPEN and j == i + 1 and _bracket_of_words(tokens, j):
                return _bracket_end(tokens, j, text)
            return token.start
    return len(text)


def _counts(tokens: Sequence[Token], j: int) -> bool:
    """A small number that belongs to the words around it: "48 heads", "layer 2", "epoch 1"."""
    token = tokens[j]
    if not isinstance(token, Figure) or token.unit or len(token.digits) > 2 or not token.digits.isdigit():
        return False
    behind = j + 1 < len(tokens) and tokens[j + 1].kind is Kind.WORD
    ahead = j > 0 and tokens[j - 1].kind is Kind.WORD
    return behind or ahead


def _cuts(tokens: Sequence[Token], j: int) -> bool:
    token = tokens[j]
    if token.kind in (Kind.COMMA, Kind.BREAK):
        return token.text not in ':"' or token.text == "\n"
    if token.kind is Kind.WORD:
        return token.text.lower() in _CUTS
    if token.kind is Kind.OPERATOR:
        return (
            token.text in "×-" and _is_separator(tokens, j) and j > 0 and tokens[j - 1].kind is not Kind.WORD
        )
    return token.kind is Kind.OPEN and _bracket_of_words(tokens, j)


def _bracket_of_words(tokens: Sequence[Token], at: int) -> bool:
    """A remark in brackets, not a factor of a formula or an argument: "(all heads)", not "P(mat)"."""
    if at and tokens[at - 1].kind is Kind.WORD and tokens[at - 1].end == tokens[at].start:
        return False
    if at + 1 >= len(tokens) or tokens[at + 1].text in _FUNCTIONS:
        return False
    return tokens[at + 1].kind is Kind.WORD and len(tokens[at + 1].text) > 2


def _bracket_end(tokens: Sequence[Token], at: int, text: str) -> int:
    for j in range(at, min(at + 12, len(tokens))):
        if tokens[j].kind is Kind.CLOSE:
            return tokens[j].start
    return len(text)


def _expression(text: str, tokens: Sequence[Token], i: int) -> tuple[tuple[Figure, ...], str, bool]:
    """The formula whose result number i is said to be: the stretch between the sign before it and the one before that.

    "16384^2 = 2^28 = 268,435,456": the formula of the number is "2^28", its figures are those of the whole chain.
    """
    at = i - 1
    while at >= 0 and (
        tokens[at].kind in (Kind.OPEN,)
        or (tokens[at].kind is Kind.WORD
        and tokens[at].text.lower() in ("about", "approximately", "approx", "roughly", "around", "only"))
        or (tokens[at].kind is Kind.OPERATOR
        and tokens[at].text == "-")
    ):
        at -= 1
    if at < 0 or tokens[at].kind is not Kind.RELATION:
        return (), "", False
    sign, figures, start = at, [], -1
    for j in range(sign - 1, -1, -1):
        token = tokens[j]
        if token.kind is Kind.RELATION:
            if start < 0:
                start = token.end
            if token.text == "⇒":
                break
        elif (token.kind is Kind.BREAK and token.text not in '."') or token.kind is Kind.COMMA or (token.kind is Kind.WORD and token.text.lower() in _CUTS):
            break
        elif isinstance(token, Figure):
            figures.append(token)
        if (
            start < 0
            and token.kind is Kind.WORD
            and not _is_term(token)
            and token.text.lower() not in ("times", "x")
        ):
            start = token.end
    if start < 0:
        start = tokens[j].end if sign and (tokens[j].kind in (Kind.BREAK, Kind.COMMA)) else 0
    return tuple(reversed(figures)), text[start : tokens[sign].start].strip(" :"), True


def _link(tokens: Sequence[Token], last: int, i: int) -> str:
    """How number i is joined to the claim before it: "=" where a sign sets them equal, "or" by words; "" not at all."""
    joined = "or"
    for token in tokens[last + 1 : i]:
        if token.kind is Kind.RELATION:
            joined = "=" if token.text[0] in "=≈~:" else joined
        elif token.kind is Kind.WORD:
            if token.text.lower() not in _SAME:
                return ""
        elif token.kind is Kind.BREAK:
            if token.text not in ".\n" and token.text != ";":
                return ""
        elif token.kind not in (Kind.COMMA, Kind.OPEN, Kind.CLOSE):
            return ""
    between = [t for t in tokens[last + 1 : i]]
    return joined if between else ""


def _mark_lists(text: str, tokens: Sequence[Token], claims: Sequence[Claim]) -> None:
    """Numbers side by side that share their words: "3.8e-4, 1.5e-4 and 3.5e-4 for …"."""
    places = {token.start: k for k, token in enumerate(tokens)}
    run: list[Claim] = []
    last = -1
    for claim in claims:
        figure = claim.forms[0].figure
        at = places.get(figure.start, -1) if figure else -1
        between = tokens[last + 1 : at] if run and at > last else []
        joined = (
            run
            and between
            and all(
                t.kind is Kind.COMMA
                or (t.kind is Kind.WORD and t.text.lower() in ("and", "und", "then"))
                or (t.kind is Kind.OPERATOR and t.text == "/")
                for t in between
            )
        )
        if not joined:
            _close_list(run)
            run = []
        if figure and len(claim.forms) == 1:
            run.append(claim)
            last = at
        else:
            _close_list(run)
            run = []
    _close_list(run)


def _close_list(run: list[Claim]) -> None:
    if len(run) > 1:
        for k, claim in enumerate(run):
            claim.listed, claim.list_of = k, run


# ---------------------------------------------------------------- tables


def _in_table(table: Table, outline: Outline, counter: _Counter) -> Iterator[Claim]:
    for cells, place in zip(table.rows, table.places, strict=True):
        number = read_number(cells[0]) if cells else None
        own = outline.resolve(number, table.path) if number and number.end >= len(cells[0]) else None
        lettered = number is not None and any(not piece.isdigit() for piece in number.pieces)
        path = own if own and lettered else table.path
        words = [cell for cell in cells if not any(t.kind in (Kind.FIGURE, Kind.SHAPE) for t in scan(cell))]
        sentence = " | ".join(cells)
        for column, cell in enumerate(cells):
            if column == 0 and lettered and own:
                continue
            head = table.header[column] if column < len(table.header) else ""
            unit = unit_of_heading(head) or next((u for w in words if (u := unit_of_heading(w))), "")
            row_label = [w for w in words if w] or ([cells[0]] if column and cells[0] != cell else [])
            inside = Statement(cell, ((0, place),), path, table.title, table.lead)
            for claim in _in_text(cell, inside, counter):
                claim.labels = (*row_label, head)
                claim.forms = [_of_row(form, sentence, unit) for form in claim.forms]
                yield claim


def _of_row(form: Form, sentence: str, unit: str) -> Form:
    figure, value = form.figure, form.value
    if figure is not None and unit and not figure.unit:
        figure = Figure(
            figure.kind,
            figure.start,
            figure.end,
            figure.text,
            figure.digits,
            figure.exponent,
            unit,
            figure.sure,
        )
        value = figure.value
    return Form(
        figure, value, form.place, one_line(sentence), form.before, form.after, form.wide, form.expression,
        form.formula, True, form.order, form.at, form.sure,
    )  # fmt: skip


_UNIT_OF_HEADING = re.compile(r"(?:[(\[]|\bin\s)\s*([^()\[\]]{1,20}?)\s*[)\]]?\s*$")


def unit_of_heading(head: str) -> str:
    """The unit in the head of a column: "Memory (GB)", "Test accuracy [%]", "Time in min"."""
    from grader.intake.prose.figures import read_unit

    found = _UNIT_OF_HEADING.search(head)
    if not found:
        return ""
    unit, end = read_unit(found[1], 0)
    return unit if unit and end == len(found[1]) else ""


# ---------------------------------------------------------------- small things


def shape_value(text: str) -> str:
    """ "[1, 2, 3, 4]" for every way of writing a shape."""
    return f"[{', '.join(re.findall('[0-9]+', text))}]"


def one_line(text: str, most: int = 300) -> str:
    """For the report: without line ends, cut to size."""
    shown = " ".join(text.split())
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
