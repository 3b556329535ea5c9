"""LaTeX source -> lines: headings, items with their numbers, rows of tables, lines of formulas. Nothing is compiled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grader.intake.prose.lines import Line, Shape, row
from grader.intake.prose.tex import plain
from grader.intake.prose.tidy import tidy

_COMMENT = re.compile(r"(?<!\\)%.*")
_SECTION = re.compile(
    r"\\(part|chapter|section|subsection|subsubsection|paragraph|subparagraph)\*?\s*(?=[\[{])"
)
_BEGIN = re.compile(r"\\begin\s*\{([a-zA-Z]{1,30}\*?)\}")
_END = re.compile(r"\\end\s*\{([a-zA-Z]{1,30}\*?)\}")
_ITEM = re.compile(r"\\item\b\s*(?:\[([^\[\]]{0,40})\])?")
_VERB = re.compile(r"\\verb\*?([^\w\s*])(.{0,400}?)\1")
_BREAK = re.compile(r"\\\\(?:\s*\[[^\[\]]{0,20}\])?")
_SKIPPED = (
    "\\newcommand",
    "\\renewcommand",
    "\\def",
    "\\usepackage",
    "\\documentclass",
    "\\title",
    "\\author",
)
_TABLES = {"tabular", "tabularx", "tabulary", "longtable", "array", "tblr", "tabular*"}
_FORMULAS = {
    "align",
    "gather",
    "equation",
    "eqnarray",
    "multline",
    "split",
    "aligned",
    "cases",
    "alignat",
    "flalign",
}
_PRINTED = {"verbatim", "lstlisting", "minted", "Verbatim"}
_LISTS = {"enumerate", "itemize", "description", "enumerate*", "itemize*", "parts", "questions", "subparts"}
_STYLES = ("1", "a", "i", "A")
"""How LaTeX numbers items, by depth."""
_DEEPEST = 20


@dataclass(slots=True)
class _Environment:
    name: str
    style: str = ""
    """Of the numbers of its items: "1", "a", "i"; empty for none."""
    count: int = 0


def latex_lines(source: Iterable[tuple[str, str]]) -> list[Line]:
    """`source`: (line, place)."""
    out: list[Line] = []
    for line in _Reader().read(_body(list(source))):
        out.append(line)
    return out


def _body(source: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What stands between begin and end of the document, where these are there."""
    starts = [i for i, (line, _) in enumerate(source) if line.lstrip().startswith("\\begin{document}")]
    ends = [i for i, (line, _) in enumerate(source) if line.lstrip().startswith("\\end{document}")]
    return source[starts[0] + 1 if starts else 0 : ends[-1] if ends else len(source)]


class _Reader:
    def __init__(self) -> None:
        self._open: list[_Environment] = []
        self._row: list[str] = []
        """Of a table, what has been read of the row so far."""
        self._width = 0

    def read(self, source: list[tuple[str, str]]) -> Iterator[Line]:
        for raw, place in source:
            if self._inside(_PRINTED):
                if _END.search(raw):
                    self._leave(raw)
                    yield Line(Shape.GAP, "", place)
                else:
                    yield Line(Shape.TEXT, tidy(raw.strip()), place, fresh=True, printed=True)
                continue
            text = _COMMENT.sub("", raw).strip()
            if not text:
                if not raw.strip():
                    yield Line(Shape.GAP, "", place)
                continue
            if text.startswith(_SKIPPED):
                continue
            self._width = len(raw)
            yield from self._line(_VERB.sub(r"\2", text), place)

    def _line(self, text: str, place: str) -> Iterator[Line]:
        """Cut at headings, environments and items, which may share a line."""
        cuts = re.split(r"(?=\\(?:begin|end|item|(?:sub){0,2}section|(?:sub)?paragraph|chapter)\b)", text)
        for piece in cuts:
            if begin := _BEGIN.match(piece):
                yield from self._enter(begin[1], piece[begin.end() :], place)
            elif end := _END.match(piece):
                yield from self._flush(place)
                self._leave(piece)
                yield Line(Shape.GAP, "", place)
                yield from self._text(piece[end.end() :], place)
            elif item := _ITEM.match(piece):
                yield from self._item(item[1], piece[item.end() :], place)
            elif section := _SECTION.match(piece):
                title, rest = _argument(piece[section.end() :])
                yield Line(Shape.HEADING, _clean(title), place, firm=True)
                yield from self._text(rest, place)
            else:
                yield from self._text(piece, place)

    def _enter(self, name: str, rest: str, place: str) -> Iterator[Line]:
        if len(self._open) < _DEEPEST:
            self._open.append(_Environment(name, self._style(name, rest)))
        if name.rstrip("*") in _TABLES:
            while rest.lstrip().startswith(("{", "[")):
                rest = _argument(rest.lstrip())[1]
        else:
            rest = re.sub(r"^\s*\[[^\[\]]{0,80}\]", "", rest)
        yield Line(Shape.GAP, "", place)
        if rest.strip() and not self._inside(_PRINTED):
            yield from self._text(rest, place)

    def _style(self, name: str, rest: str) -> str:
        if name.rstrip("*") not in ("enumerate", "parts", "subparts", "questions"):
            return ""
        for mark, style in (
            ("alph", "a"),
            ("roman", "i"),
            ("arabic", "1"),
            ("Alph", "A"),
            ("a)", "a"),
            ("i)", "i"),
        ):
            if mark in rest[:80]:
                return style
        return _STYLES[min(sum(1 for e in self._open if e.style), len(_STYLES) - 1)]

    def _leave(self, piece: str) -> None:
        end = _END.search(piece)
        if end and any(e.name == end[1] for e in self._open):
            while self._open and self._open.pop().name != end[1]:
                pass

    def _item(self, label: str | None, rest: str, place: str) -> Iterator[Line]:
        number = _clean(label) if label is not None else ""
        here = self._open[-1] if self._open else None
        if label is None and here is not None and here.style:
            here.count += 1
            number = _numbered(here.count, here.style)
        text = f"{number} {_clean(rest)}".strip()
        yield Line(Shape.TEXT, text, place, fresh=True, width=self._width)

    def _text(self, text: str, place: str) -> Iterator[Line]:
        if not text.strip():
            return
        if self._inside(_TABLES):
            pieces = _BREAK.split(text)
            self._row.append(pieces[0])
            for piece in pieces[1:]:
                yield from self._flush(place)
                self._row.append(piece)
            return
        if self._inside(_FORMULAS):
            for piece in _BREAK.split(text):
                shown = _clean(piece.replace(r"\&", "and").replace("&", " "))
                if shown:
                    yield Line(Shape.TEXT, shown, place, fresh=True)
            return
        shown = _clean(_BREAK.sub(" ; ", text).replace(r"\[", " ").replace(r"\]", " "))
        if shown:
            yield Line(Shape.TEXT, shown, place, width=self._width)

    def _flush(self, place: str) -> Iterator[Line]:
        """The row of a table that has come to its end."""
        text, self._row = " ".join(self._row), []
        cells = [_clean(cell) for cell in re.split(r"(?<!\\)&", text)]
        if any(cells):
            yield row(cells, place)

    def _inside(self, names: set[str]) -> bool:
        return any(e.name.rstrip("*") in names for e in self._open[-3:])


def _argument(text: str) -> tuple[str, str]:
    """The group in braces (or brackets) that `text` starts with, and the rest."""
    if text.startswith("["):
        inside, _, rest = text[1:].partition("]")
        return _argument(rest) if rest.startswith("{") else (inside, rest)
    depth = 0
    for i, char in enumerate(text):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if depth == 0:
            return text[1:i], text[i + 1 :]
    return text[1:], ""


def _numbered(count: int, style: str) -> str:
    if style in "aA" and count <= 26:
        return f"({chr(96 + count)})"
    if style == "i" and count <= 10:
        return f"({('i', 'ii', 'iii', 'iv', 'v', 'vi', 'vii', 'viii', 'ix', 'x')[count - 1]})"
    return f"{count}."


def _clean(text: str) -> str:
    return " ".join(tidy(plain(text)).replace("\n", " ; ").split(" ")).strip()
