"""The grammar of a sentence with numbers: which are operands of a formula, and which words belong to which number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.intake.prose.amounts import agree
from grader.intake.prose.figures import Figure, Kind, Token, scan

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
_ABOUT = {"about", "approximately", "approx", "roughly", "around", "only", "just", "nearly"}
_SMALL_WORDS = {
    "is", "are", "was", "as", "of", "by", "to", "or", "at", "we", "so", "in", "on", "it", "be", "the", "for", "has",
    "and", "get", "i", "an", "if", "my", "do", "had", "our", "all", "one", "per", "use", "its", "von", "ist",
}  # fmt: skip
"""Words that are as short as the name of a quantity and are none."""
_COUNTED = {
    "step", "table", "figure", "fig", "equation", "eq", "section", "question", "part", "task", "page", "item", "line",
    "epoch", "head", "layer", "block", "stage", "case", "row", "column", "chapter", "exercise", "problem", "version",
}  # fmt: skip
"""Words whose number comes behind them."""
_REACH = 150
"""Tokens before and after a number that are looked at; a sentence with more between is none."""
FAR = 240
"""Characters before and after a number that are looked at for what it is."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence cut into tokens."""

    text: str
    tokens: tuple[Token, ...]
    operands: tuple[bool, ...]
    """Of each token: whether it is a number that is part of a formula, not what comes out of it."""

    @classmethod
    def of(cls, text: str) -> Sentence:
        """Scan the text."""
        tokens = tuple(scan(text))
        return cls(text, tokens, tuple(_is_operand(tokens, i) for i in range(len(tokens))))

    def result(self, i: int) -> bool:
        """Whether token i is a number that is said to be something."""
        return self.tokens[i].kind in (Kind.FIGURE, Kind.SHAPE) and not self.operands[i]


# ---------------------------------------------------------------- operands


def _is_operand(tokens: Sequence[Token], i: int) -> bool:
    if not isinstance(tokens[i], Figure):
        return False
    left, right = i - 1, i + 1
    while left >= max(0, i - _REACH) and tokens[left].kind is Kind.OPEN:
        if left and _is_function(tokens[left - 1]):
            return True
        left -= 1
    if right < len(tokens) and tokens[right].kind is Kind.POWER:
        return True
    while right < min(len(tokens), i + _REACH) and tokens[right].kind is Kind.CLOSE:
        right += 1
    if left >= 0 and _is_function(tokens[left]):
        return True
    if left >= 0 and tokens[left].kind is Kind.OPERATOR and not _is_sign(tokens, left, i):
        opened = left + 1 == i or tokens[left + 1].kind is Kind.OPEN
        works = left == 0 or _is_term(tokens[left - 1]) or tokens[left].text in "×*/+"
        if opened and works:
            return not _is_separator(tokens, left)
    return right < len(tokens) and tokens[right].kind is Kind.OPERATOR and _binds(tokens, right)


def _is_function(token: Token) -> bool:
    return token.kind is Kind.WORD and token.text in _FUNCTIONS


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
    return at + 1 >= len(tokens) or (tokens[at + 1].kind is Kind.WORD and not _is_term(tokens[at + 1]))


def _is_term(token: Token) -> bool:
    """A number, a bracket, or the name of a quantity: "H", "N_block", "4H"."""
    if token.kind is Kind.WORD:
        short = len(token.text) <= 3 and token.text.lower() not in _SMALL_WORDS
        return short or "_" in token.text or token.text in _FUNCTIONS
    return token.kind in (Kind.FIGURE, Kind.OPEN, Kind.CLOSE, Kind.POWER)


def is_limit(sentence: Sentence, i: int) -> bool:
    """A number that something is compared with: "below 1e-3", "< 0.001"."""
    tokens, left = sentence.tokens, i - 1
    while left >= max(0, i - _REACH) and tokens[left].kind is Kind.OPEN:
        left -= 1
    if left < 0:
        return False
    if tokens[left].kind is Kind.BOUND:
        return True
    words = [t.text.lower() for t in tokens[max(0, left - 1) : left + 1] if t.kind is Kind.WORD]
    return any(word in _LIMITS for word in words)


def is_ordinal(sentence: Sentence, i: int) -> bool:
    """A number that only names something: "Step 1", "Table 2", "head 5"."""
    token, left = sentence.tokens[i], sentence.tokens[i - 1] if i else None
    if not isinstance(token, Figure) or token.unit or not token.digits.isdigit() or len(token.digits) > 2:
        return False
    return left is not None and left.kind is Kind.WORD and left.text.lower().rstrip("s") in _COUNTED


# ---------------------------------------------------------------- words


def wide_start(sentence: Sentence, i: int) -> int:
    """Where the part of the sentence begins that number i stands in, back to a semicolon or a line end."""
    tokens, start = sentence.tokens, sentence.tokens[i].start
    for j in range(i - 1, max(-1, i - _REACH), -1):
        if tokens[j].kind is Kind.BREAK and tokens[j].text in ";\n\t|!?":
            return max(tokens[j].end, start - 2 * FAR)
    return max(0, start - 2 * FAR)


def clause(sentence: Sentence, i: int) -> tuple[int, int]:
    """The stretch of text in which the words stand that say what number i is."""
    tokens = sentence.tokens
    end = _clause_end(sentence, i)
    behind = tokens[i + 1 : i + _REACH]
    named = any(t.kind is Kind.WORD and len(t.text) > 2 for t in behind if t.end <= end)
    for j in range(i - 1, max(-1, i - _REACH), -1):
        token = tokens[j]
        if _cuts(tokens, j) and named:
            return token.end, end
        if sentence.result(j) and not counts(tokens, j):
            return token.end, end
        if token.kind is Kind.RELATION and token.text == "⇒":
            return token.start, end
        named = named or (token.kind is Kind.WORD and len(token.text) > 1)
    return 0 if i < _REACH else tokens[i - _REACH].end, end


def _clause_end(sentence: Sentence, i: int) -> int:
    tokens = sentence.tokens
    for j in range(i + 1, min(len(tokens), i + _REACH)):
        token = tokens[j]
        number = isinstance(token, Figure) and not counts(tokens, j)
        if _cuts(tokens, j) or number or token.kind in (Kind.RELATION, Kind.SHAPE):
            if token.kind is Kind.OPEN and j == i + 1 and _bracket_of_words(tokens, j):
                return _bracket_end(sentence, j)
            if token.kind is Kind.RELATION and _names_next(tokens, i, j):
                return tokens[i].end
            return token.start
    return len(sentence.text)


def _names_next(tokens: Sequence[Token], i: int, sign: int) -> bool:
    """Whether the words between number i and a sign are those of the next number: "0.5 masked error = 0.3"."""
    if not any(t.kind is Kind.WORD and len(t.text) > 2 for t in tokens[i + 1 : sign]):
        return False
    one, other = tokens[i], next((t for t in tokens[sign + 1 : sign + 4] if isinstance(t, Figure)), None)
    return not (isinstance(one, Figure) and other is not None and agree(one, other))


def counts(tokens: Sequence[Token], j: int) -> bool:
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
        return token.text not in ':"'
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


def _bracket_end(sentence: Sentence, at: int) -> int:
    tokens = sentence.tokens
    closing = (t.start for t in tokens[at : at + 12] if t.kind is Kind.CLOSE)
    return next(closing, len(sentence.text))


# ---------------------------------------------------------------- formulas


def formula_of(sentence: Sentence, i: int) -> tuple[tuple[Figure, ...], str, bool]:
    """The formula whose result number i is said to be, the figures of the chain before it, and whether a sign says so.

    "16384^2 = 2^28 = 268,435,456": the formula of the number is "2^28", its figures are those of the whole chain.
    """
    tokens = sentence.tokens
    sign = i - 1
    while sign >= max(0, i - _REACH) and _goes_before(tokens[sign]):
        sign -= 1
    if sign < 0 or tokens[sign].kind is not Kind.RELATION:
        return (), "", False
    figures: list[Figure] = []
    start = -1
    for j in range(sign - 1, max(-1, i - _REACH), -1):
        token = tokens[j]
        ends_chain = (token.kind is Kind.BREAK and token.text not in '."') or token.kind is Kind.COMMA
        ends_chain = ends_chain or (token.kind is Kind.WORD and token.text.lower() in _CUTS)
        names = token.kind is Kind.WORD and not _is_term(token) and token.text.lower() not in ("times", "x")
        if start < 0 and (ends_chain or names or token.kind is Kind.RELATION):
            start = token.end
        if ends_chain or token.text == "⇒":
            break
        if isinstance(token, Figure):
            figures.append(token)
    formula = sentence.text[max(start, 0) : tokens[sign].start]
    return tuple(reversed(figures)), formula.strip(" :"), True


def _goes_before(token: Token) -> bool:
    """What may stand between a sign and its number: "≈ about (", "= -"."""
    if token.kind is Kind.WORD:
        return token.text.lower() in _ABOUT
    return token.kind is Kind.OPEN or (token.kind is Kind.OPERATOR and token.text == "-")
