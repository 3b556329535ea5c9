"""One sentence -> its tokens; numbers in every usual notation become :class:`Figure`, exact and with their unit.

    14,496,989,184   14 496 989 184   14'496'989'184   14_496_989_184   115, 976, 000, 000   14.496.989.184,0
    2.5e8   2.5 × 10^8   2.5 x 10^{8}   25,77   .065   75.497 MB   24 GiB   9.44M   14.5 billion   0.065 %

Every alternative below reads forward only, so that the time is linear in the length of the sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from functools import lru_cache

from grader.intake.prose.tidy import THIN


class Kind(Enum):
    """What a token is."""

    FIGURE = "a number, with its unit"
    SHAPE = "a list of whole numbers in brackets"
    POWER = "an exponent"
    RELATION = "equals, is about, so"
    BOUND = "is less than, is more than"
    OPERATOR = "plus, minus, times, over"
    OPEN = "an opening bracket"
    CLOSE = "a closing bracket"
    WORD = "a word"
    COMMA = "a comma"
    BREAK = "a semicolon, a colon, a full stop, the end of a line"


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a sentence."""

    kind: Kind
    start: int
    end: int
    text: str
    """As it stands there."""


@dataclass(frozen=True, slots=True)
class Figure(Token):
    """One number of a sentence."""

    digits: str = "0"
    """With a decimal point and no separators; "14,497" is kept as it is, since it can be read in two ways."""
    exponent: int = 0
    """Of ten."""
    unit: str = ""
    """As grader.numbers knows it: "GB", "million", "billion bytes", "%"; empty where none is written."""
    sure: bool = True
    """False where the digits could be more than one number: "1 024", "128, 256, 512"."""

    @property
    def plain(self) -> Fraction:
        """The value without its unit."""
        return _exact(self.digits, self.exponent)

    @property
    def value(self) -> str:
        """As grader.numbers reads it."""
        power = f"e{self.exponent}" if self.exponent else ""
        return f"{self.digits}{power} {self.unit}".strip()


@lru_cache(maxsize=4096)
def _exact(digits: str, exponent: int) -> Fraction:
    return Fraction(digits.replace(",", "")) * Fraction(10) ** exponent


MOST_DIGITS = 60
LARGEST_EXPONENT = 60
_S = rf"[ {THIN}]"
_GAP = rf"[ {THIN}]{{0,2}}"
_DIGITS = rf"""
      [0-9]{{1,3}}(?:,[0-9]{{3}})+(?![0-9])(?:\.[0-9]+)?
    | [0-9]{{1,3}}(?:,{_S}[0-9]{{3}})+(?![0-9])(?:\.[0-9]+)?
    | [0-9]{{1,3}}(?:{_S}[0-9]{{3}})+(?![0-9])(?:[.,][0-9]+)?
    | [0-9]{{1,3}}(?:'[0-9]{{3}})+(?![0-9])(?:[.,][0-9]+)?
    | [0-9]{{1,3}}(?:_[0-9]{{3}})+(?![0-9])(?:\.[0-9]+)?
    | [0-9]{{1,3}}(?:\.[0-9]{{3}}){{2,}}(?![0-9])(?:,[0-9]+)?
    | [0-9]+[.,][0-9]+ | [0-9]+ | \.[0-9]+
"""
_MULTIPLES = {
    "thousand": "thousand", "million": "million", "millions": "million", "mio": "million", "mln": "million",
    "mil": "million", "billion": "billion", "billions": "billion", "bn": "billion", "bln": "billion",
    "mrd": "billion", "trillion": "trillion", "trillions": "trillion",
}  # fmt: skip
_PREFIXES = ("", "k", "K", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi")
_LONG = ("", "kilo", "mega", "giga", "tera", "kibi", "mebi", "gibi", "tebi")
_UNITS = (
    {p + "B": p + "B" for p in _PREFIXES if p}
    | {p + s: p + "bit" for p in _PREFIXES for s in ("bit", "bits")}
    | {p + s: p + "byte" for p in _LONG for s in ("byte", "bytes", "Byte", "Bytes")}
    | {p.capitalize() + s: p + "byte" for p in _LONG if p for s in ("byte", "bytes", "Byte", "Bytes")}
    | {"Gb": "Gb", "Mb": "Mb", "nats": "nats", "nat": "nats", "Byte": "byte", "Bytes": "byte"}
    | {"%": "%", "percent": "%", "percents": "%", "per cent": "%", "pct": "%", "‰": "‰", "permille": "‰"}
    | {"s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "min", "mins": "min"}
    | {"minute": "min", "minutes": "min", "h": "h", "hour": "h", "hours": "h", "ppm": "ppm"}
)
_LETTERS = {"B": "B", "M": "M", "K": "K", "k": "k", "G": "G", "T": "T"}
"""One letter is a unit only where it stands close behind the number: "14.5B", "9.44 M"; B also stands for bytes."""
_UNIT = re.compile(
    rf"(?P<gap>{_GAP})(?:(?P<multiple>{'|'.join(sorted(_MULTIPLES, key=len, reverse=True))})\.?(?![^\W_]){_GAP})?"
    rf"(?:(?P<unit>{'|'.join(sorted(map(re.escape, _UNITS), key=len, reverse=True))})(?![^\W_])"
    r"|(?P<letter>[BMKkGT])(?![\w^(]))?",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    rf"""
      (?P<shape> (?:torch\.)?(?:Size)?{_GAP}\(?[\[(]{_GAP}[0-9]{{1,9}}
                 (?:{_GAP}[,x×]{_GAP}[0-9]{{1,9}}){{1,7}}{_GAP},?{_GAP}[\])]\)? )
    | (?P<product> (?<![\w.])[0-9]{{1,5}}(?:{_GAP}[x×]{_GAP}[0-9]{{1,5}}){{2,7}}(?![\w.]|,[0-9]) )
    | (?P<power> (?:\^|\*\*){_GAP}(?:\{{[^{{}}]{{0,30}}\}}|\([^()]{{0,30}}\)|[+-]?[0-9]+(?:\.[0-9]+)?|\w) )
    | (?P<number> (?<![\w.])(?:{_DIGITS})
        (?: [eE](?P<e>[+-]?[0-9]{{1,5}})(?![\w])
          | {_GAP}[×x*]{_GAP}10{_GAP}(?:\^|\*\*){_GAP}[({{]{{0,2}}{_GAP}(?P<p>[+-]?[0-9]{{1,5}}){_GAP}[)}}]{{0,2}} )? )
    | (?P<relation> :?=+>? | ≈+ | ~+ | ⇒+ | -+> )
    | (?P<bound> [<>≤≥≪≫]=? )
    | (?P<operator> [+×*/±-] )
    | (?P<open> [(\[{{] )
    | (?P<close> [)\]}}] )
    | (?P<word> [^\W\d_]\w*(?:'[a-z]+)? | \w+ | ∑ | ‖ )
    | (?P<comma> , )
    | (?P<break> [;:.!?\n\t|"•] )
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(_TOKEN.pattern.replace("(?P<product>", "(?P<product>(?!)", 1), re.VERBOSE)
"""The same without products: for one that is a formula."""
_KINDS = {
    "shape": Kind.SHAPE, "power": Kind.POWER, "relation": Kind.RELATION, "bound": Kind.BOUND,
    "operator": Kind.OPERATOR, "open": Kind.OPEN, "close": Kind.CLOSE, "word": Kind.WORD, "comma": Kind.COMMA,
    "break": Kind.BREAK,
}  # fmt: skip


_SHAPE_WORD = re.compile(r"\b(?:shapes?|sizes?|dimensions?|dims?)\b[^0-9.;]{0,24}$", re.IGNORECASE)


def _is_shape(text: str, match: re.Match[str]) -> bool:
    """Whether "1 × 2 × 3 × 4" is a shape: the word stands in front of it, or nothing else is there, and no result."""
    before, after = text[max(0, match.start() - 40) : match.start()], text[match.end() :]
    if re.match(rf"{_GAP}[=≈+*/^-]", after):
        return False
    return not (before + after).strip(" .") or _SHAPE_WORD.search(before) is not None


def scan(text: str) -> list[Token]:
    """The tokens of one sentence in their order; what is none of them is left out."""
    tokens: list[Token] = []
    at = 0
    while match := _TOKEN.search(text, at):
        if match["product"] is not None:
            if _is_shape(text, match):
                tokens.append(Token(Kind.SHAPE, match.start(), match.end(), match[0]))
                at = match.end()
                continue
            match = _NUMBER.match(text, match.start())
            assert match is not None
        at = match.end()
        if match["number"] is not None:
            token = _figure(text, match, tokens)
            at = token.end
        else:
            token = Token(_KINDS[match.lastgroup or "word"], match.start(), at, match[0])
        tokens.append(token)
    return _joined(_times(_without_conditions(tokens)))


def _figure(text: str, match: re.Match[str], before: list[Token]) -> Token:
    """The number with its unit; a word where letters stand close behind it that are no unit ("4c", "3x2")."""
    written = re.match(_DIGITS, match[0], re.VERBOSE)
    assert written is not None
    digits, sure = _plain_digits(written[0], before)
    exponent = int(match["e"] or match["p"] or 0)
    unit, end = read_unit(text, match.end())
    attached = text[end : end + 1]
    impossible = len(digits) > MOST_DIGITS or abs(exponent) > LARGEST_EXPONENT
    if ((attached.isalpha() or attached == "_") and end == match.end()) or impossible:
        stop = re.compile(r"\w*").match(text, match.end())
        assert stop is not None
        return Token(Kind.WORD, match.start(), stop.end(), text[match.start() : stop.end()])
    if unit and written[0].count(", "):
        sure = True
    return Figure(Kind.FIGURE, match.start(), end, text[match.start() : end], digits, exponent, unit, sure)


def read_unit(text: str, at: int) -> tuple[str, int]:
    """The unit that stands in `text` from `at` on, and where it ends; ("", at) where there is none."""
    match = _UNIT.match(text, at)
    if match is None or not (match["multiple"] or match["unit"] or match["letter"]):
        return "", at
    multiple = _MULTIPLES.get((match["multiple"] or "").lower(), "")
    written = match["unit"] or match["letter"] or ""
    unit = _exactly(written) if match["unit"] else _LETTERS.get(written, "")
    if match["letter"] and (multiple or len(match["gap"]) > (1 if written in "BM" else 0)):
        unit = "" if not multiple or written != "B" else "B"
    if match["unit"] and unit is None:
        unit = ""
    if not multiple and not unit:
        return "", at
    end = match.end() if unit else match.end("multiple")
    return f"{multiple} {unit}".strip(), end


def free_unit(word: str) -> str:
    """The unit that a word without a number names: "bytes", "GiB", "percent", "millions"; "" for any other word.

    Words that have other meanings ("second", "min", "B") name none here.
    """
    if word.lower() in _MULTIPLES and len(word) > 3:
        return _MULTIPLES[word.lower()]
    unit = _exactly(word) if len(word) > 1 else ""
    return unit if unit not in ("s", "min", "h", "nats") else ""


def _exactly(written: str) -> str:
    """The unit of this spelling: capitals count in short ones (Mb, MB) and not in long ones (Bytes)."""
    if written in _UNITS:
        return _UNITS[written]
    if len(written) > 3 or written.lower() in ("nat", "min", "sec", "pct"):
        return _UNITS.get(written.lower(), "")
    return {"gb": "GB", "mb": "MB", "kb": "kB", "tb": "TB"}.get(written.lower(), "")


def _plain_digits(written: str, before: list[Token]) -> tuple[str, bool]:
    """Digits with a decimal point, and whether they are surely one number."""
    spaced = re.fullmatch(rf"[0-9]{{1,3}}(?:{_S}[0-9]{{3}})+(?:[.,][0-9]+)?", written)
    if spaced:
        groups = len(re.findall(_S, written))
        digits = re.sub(_S, "", written).replace(",", ".")
        after_sign = bool(before) and before[-1].kind in (Kind.RELATION, Kind.OPERATOR)
        return digits, groups > 1 or THIN in written or after_sign
    if ", " in written or "," + THIN in written:
        after_sign = bool(before) and before[-1].kind in (Kind.RELATION, Kind.OPERATOR)
        no_list = re.search(rf",{_S}0", written) is not None  # "151, 019, 520": nobody lists 019
        return re.sub(rf",{_S}", "", written), after_sign or no_list or THIN in written
    if re.fullmatch(r"[0-9]{1,3},[0-9]{3}", written):
        return (written.replace(",", "."), True) if written.startswith("0") else (written, True)
    if re.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?", written):
        return written.replace(",", ""), True
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{3}){2,}(?:,[0-9]+)?", written):
        return written.replace(".", "").replace(",", "."), True
    digits = re.sub("['_]", "", written).replace(",", ".")
    return digits if not digits.startswith(".") else f"0{digits}", True


def _without_conditions(tokens: list[Token]) -> list[Token]:
    """Without the stroke of "P(mat | the cat sat on the)", which ends nothing."""
    out: list[Token] = []
    opened = 0
    for token in tokens:
        opened = max(0, opened + (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE))
        opened = 0 if token.text == "\n" else opened
        if not (token.text == "|" and opened):
            out.append(token)
    return out


def _times(tokens: list[Token]) -> list[Token]:
    """A lone x or the word "times" between two numbers is a sign of multiplication."""
    out = list(tokens)
    for i, token in enumerate(tokens):
        if (
            token.kind is not Kind.WORD
            or token.text not in ("x", "X", "times")
            or not 0 < i < len(tokens) - 1
        ):
            continue
        left, right = tokens[i - 1], tokens[i + 1]
        if left.kind in (Kind.FIGURE, Kind.CLOSE, Kind.POWER) and right.kind in (Kind.FIGURE, Kind.OPEN):
            out[i] = replace(token, kind=Kind.OPERATOR)
    return out


def _joined(tokens: list[Token]) -> list[Token]:
    """Two bare numbers side by side, "536,870 912": it cannot be told whether they are one."""
    out = list(tokens)
    for i in range(len(out) - 1):
        left, right = out[i], out[i + 1]
        if not (isinstance(left, Figure) and isinstance(right, Figure)) or left.unit:
            continue
        if re.fullmatch("[0-9]{3}.*", right.digits) and right.start - left.end <= 1:
            out[i], out[i + 1] = replace(left, sure=False), replace(right, sure=False)
    return out
