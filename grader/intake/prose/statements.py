"""Lines -> sentences and tables that know which question they belong to and where they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader.intake.prose.figures import read_unit
from grader.intake.prose.lines import Line, Shape
from grader.intake.prose.outline import Number, Outline, Path, named_in, read_number
from grader.intake.prose.sentences import GOES_ON, LONGEST, pieces, places_of, sentences, usual_width, wraps

_HEADING = 80


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence, formula or item of a list."""

    text: str
    """A line end in it separates what stands in lines of their own."""
    places: tuple[tuple[int, str], ...]
    """(offset in the text, place), the first at 0."""
    path: Path
    """Of the question that it belongs to; () where that is not known."""
    title: str = ""
    """The heading above it, without its number."""
    lead: str = ""
    """The unfinished sentence above it: "For all heads:"."""
    printed: bool = False
    """The output of a program."""

    def place(self, offset: int) -> str:
        """Where the character at `offset` stands."""
        return [place for at, place in self.places if at <= offset][-1]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that stand together."""

    header: tuple[str, ...]
    """Texts of the first row, where no number is in it; else empty."""
    rows: tuple[tuple[str, ...], ...]
    places: tuple[str, ...]
    """Of each row."""
    path: Path
    title: str = ""
    lead: str = ""


def read_statements(lines: Sequence[Line], outline: Outline) -> list[Statement | Table]:
    """Everything that is said, in order."""
    return _Builder(lines, outline).build()


class _Builder:
    def __init__(self, lines: Sequence[Line], outline: Outline) -> None:
        self._lines = lines
        self._outline = outline
        self._width = usual_width(lines)
        self._path: Path = ()
        self._title = ""
        self._lead = ""
        self._lead_used = False
        self._open: list[Line] = []
        self._rows: list[Line] = []
        self._out: list[Statement | Table] = []
        self._own_numbers = False
        self._named = False
        """A heading has said in words which section this is: "1 Theory (Section 4)"."""

    def build(self) -> list[Statement | Table]:
        numbers = [n for line in self._lines if line.text and (n := self._number(line, alone=True))]
        self._outline.learn(numbers)
        self._own_numbers = self._numbers_are_its_own()
        for line in self._lines:
            if line.shape is not Shape.ROW:
                self._end_table()
            if line.shape is Shape.ROW:
                self._end_text()
                self._rows.append(line)
            elif line.shape is Shape.GAP:
                self._end_text()
            elif line.shape is Shape.HEADING:
                self._end_text()
                self._heading(line, self._number(line, alone=True))
            elif line.text:
                self._text(line)
        self._end_table()
        self._end_text()
        return self._out

    # ------------------------------------------------------------ which question

    def _number(self, line: Line, *, alone: bool) -> Number | None:
        """The number that a line begins with, where it is one of a question and not one of the sentence."""
        number = read_number(line.text)
        if number is None:
            return None
        first_unit, _ = read_unit(line.text, number.end)
        if line.shape is Shape.HEADING:
            return number
        if line.printed or (first_unit and not number.bracketed):
            return None
        rest = line.text[number.end :]
        marked = number.keyword or number.bracketed or line.text[: number.end].rstrip()[-1:] in ".:)"
        letters = any(not piece.isdigit() for piece in number.pieces)
        if len(number.pieces) > 1 and (letters or marked or not rest):
            return number
        if len(number.pieces) > 1 and len(line.text) < _HEADING and not re.match(r"[-+×*/=≈,.0-9]", rest):
            return number
        return number if marked and (alone or len(line.text) < _HEADING or number.bracketed) else None

    def _numbers_are_its_own(self) -> bool:
        """Whether the report's chapters are numbered in its own way: their words speak for other sections."""
        votes = 0
        for line in self._lines:
            if line.shape is not Shape.HEADING or not (number := read_number(line.text)):
                continue
            title, section = line.text[number.end :], number.pieces[0]
            if len(number.pieces) == 1 and section.isdigit() and not number.keyword:
                votes += self._outline.speaks_for_other_section(title, section)
        return votes > 0

    def _heading(self, line: Line, number: Number | None) -> None:
        self._title = line.text[number.end :].strip() if number else line.text
        self._lead, self._lead_used = "", False
        last = named_in(line.text)
        named_path = self._outline.resolve(last, ()) if last else None
        path = named_path or (self._led_to(number, self._title) if number else None)
        if path is not None:
            self._named = bool(named_path) or (self._named and path[:1] == self._path[:1])
        if path is None and (named := self._outline.by_title(self._title)):
            deepest = [p for p in named if len(p) == len(named[0])]
            below = [p for p in deepest if p[: len(self._path[:1])] == self._path[:1]]
            path = deepest[0] if len(deepest) == 1 else below[0] if len(below) == 1 else None
            if number is None and path is not None and self._path[: len(path)] == path:
                path = None  # a heading inside the question that it names
        if path is not None:
            self._path = path
        elif number is None and line.firm and not self._path[1:]:
            self._path = self._path[:1] if self._path else ()

    def _led_to(self, number: Number, title: str | None = None) -> Path | None:
        """title: of a heading; None where the number stands before other text."""
        section = self._path[0] if self._named and self._path else ""
        inside = bool(section) and (title is None or (len(number.pieces) > 1 and number.pieces[0] == section))
        if self._own_numbers and not inside and not any(not piece.isdigit() for piece in number.pieces):
            return ()
        return self._outline.resolve(number, self._path, heading=title is not None)

    # ------------------------------------------------------------ text

    def _text(self, line: Line) -> None:
        begins = not self._open or line.fresh or not wraps(self._open[-1], line, self._width)
        begins = begins or (line.text[:1] == "(" and self._open[-1].text.rstrip()[-1:] in ".:;!?")
        begins = begins or self._is_next(line)
        number = self._number(line, alone=begins) if begins else None
        rest = line.text[number.end :].strip() if number else ""
        titled = number is not None and any(p[0] == number.pieces[0] for p in self._outline.by_title(rest))
        path = self._led_to(number, rest if titled and _is_title(rest) else None) if number else None
        if number and path is not None:
            self._end_text()
            if path != self._path:
                self._lead, self._lead_used, self._title = "", False, ""
            self._path = path
            if not rest:
                return
            self._title = rest if _is_title(rest) else self._title
            line = replace(line, text=rest)
        elif line.fresh and not GOES_ON.match(line.text):
            self._end_text()
        self._open.append(line)

    def _is_next(self, line: Line) -> bool:
        """Whether a line begins with the number that comes next, "(ii)" after "(i)", so that it is no rest of one."""
        number = read_number(line.text) if line.text[:1] == "(" and not line.printed else None
        path = self._led_to(number) if number and number.bracketed else None
        return bool(path) and path is not None and _follows(self._path, path)

    def _end_text(self) -> None:
        """The paragraph has come to its end: cut it into sentences."""
        lines, self._open = self._open, []
        if not lines:
            return
        text, places = self._join(lines)
        last = self._out[-1] if self._out else None
        goes_on = bool(GOES_ON.match(text)) and isinstance(last, Statement) and last.path == self._path
        if goes_on and isinstance(last, Statement) and len(last.text) < LONGEST:
            self._out.pop()
            shift = len(last.text) + 1
            text = f"{last.text} {text}"
            places = [*last.places, *((at + shift, place) for at, place in places)]
            self._add(Statement(text, tuple(places), self._path, last.title, last.lead, last.printed))
            return
        if self._lead_used and not lines[0].fresh and not lines[0].printed and len(text) > 60:
            self._lead, self._lead_used = "", False
        for start, end in sentences(text):
            self._sentence(text[start:end], places_of(places, start, end), lines[0].printed)
        self._remember_lead(text)

    def _sentence(self, text: str, places: tuple[tuple[int, str], ...], printed: bool) -> None:
        number = read_number(text)
        path = self._led_to(number) if number else None
        if number and path is not None and self._opens(number, path, text):
            self._path, self._title, self._lead = path, "", ""
        for shown, at in pieces(text):
            self._add(
                Statement(
                    shown,
                    places_of(list(places), at, at + len(shown)),
                    self._path,
                    self._title,
                    self._lead,
                    printed,
                )
            )
        self._lead_used = True

    def _opens(self, number: Number, path: Path, text: str) -> bool:
        """Whether the number in front of a sentence inside a paragraph is that of a question."""
        if number.keyword:
            marked = number.bracketed or text[number.end - 1 : number.end] in (",", ":", ".")
            return marked or (len(number.pieces) == 1 and path != ())
        return number.bracketed and _follows(self._path, path)

    def _add(self, statement: Statement) -> None:
        if statement.text.strip():
            self._out.append(statement)

    def _remember_lead(self, text: str) -> None:
        whole = " ".join(text.split())
        short = len(whole) < _HEADING and not re.search(
            r"[0-9]|[.!?] ", whole
        )  # the cell of a table, wrapped
        last = whole if short else re.split(r"[\n]|(?<=[.!?]) ", text.strip())[-1]
        if (
            not re.search(r"[.!?]$", last)
            and len(last) < 200
            and (last.endswith(":") or not re.search(r"[0-9]", last))
        ):
            self._lead, self._lead_used = last, False

    def _join(self, lines: Sequence[Line]) -> tuple[str, list[tuple[int, str]]]:
        """The lines of a paragraph as one text; a line end stays where the writer meant it."""
        text, places = "", []
        for i, line in enumerate(lines):
            if i and text.endswith("-") and re.search(r"[a-z]-$", text) and re.match(r"[a-z]", line.text):
                text = text[:-1]
            elif i:
                text += " " if wraps(lines[i - 1], line, self._width) else "\n"
            places.append((len(text), line.place))
            text += line.text
        return text, places

    # ------------------------------------------------------------ tables

    def _end_table(self) -> None:
        rows, self._rows = self._rows, []
        if not rows:
            return
        header = rows[0].cells if len(rows) > 1 and _is_header(rows[0].cells) else ()
        body = rows[1:] if header else rows
        if any(line.width and len(line.cells) != len(header) for line in body):
            header = ()  # columns by their looks: which head is above which of them cannot be told
        table = Table(
            header,
            tuple(line.cells for line in body),
            tuple(line.place for line in body),
            self._path,
            self._title,
            self._lead,
        )
        self._out.append(table)
        self._lead_used = True


def _follows(path: Path, other: Path) -> bool:
    """Whether `other` is the next question after `path`, as "(ii)" is after "(i)" within one paragraph."""
    return (
        bool(path) and len(path) == len(other) and path[:-1] == other[:-1] and _rank(other) == _rank(path) + 1
    )


def _rank(path: Path) -> int:
    return int(path[-1]) if path[-1].isdigit() else ord(path[-1])


def _is_title(text: str) -> bool:
    """Words that name a question, not an answer to it."""
    return (
        bool(text) and len(text) < _HEADING and not re.search(r"[0-9=≈:.,;]", text) and len(text.split()) < 9
    )


def _is_header(cells: tuple[str, ...]) -> bool:
    """A row that names columns: words, and of numbers only those of epochs and the like ("Epoch 1")."""
    number = re.compile(r"^\W*[0-9]|[=≈×]|[0-9][.,][0-9]|[0-9]{4}")
    return not any(number.search(cell) for cell in cells) and sum(map(bool, cells)) > 1
