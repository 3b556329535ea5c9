"""The text of PDF and Word files, drawn out of them in a sealed worker: they are attack surface, as code is.

The harness of a worker of its own, which holds one file of the hand-in and nothing else: `read(path)` returns plain
data. Time, memory and output are those of the worker's limits; counts are capped here besides.
"""

from __future__ import annotations

import importlib
import zipfile
from collections.abc import Iterator
from typing import Any

MOST_LINES = 20_000
LONGEST = 4_000
"""Characters of one line."""
_MOST_MEMBERS = 4_000
_MOST_UNPACKED = 150_000_000
_LARGEST_TEXT = 40_000_000
"""Bytes of the one member of a Word file that holds its text."""
_DEEPEST = 40
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_SKIPPED = {_W + name for name in ("del", "rPr", "pPr", "instrText", "delText", "drawing", "pict", "object")}


def read(path: str) -> dict[str, Any]:
    """{"lines": [[text, place], …], "notes": [sentence, …]}; what goes wrong is a note."""
    lines: list[list[str]] = []
    notes: list[str] = []
    reader = _pdf if path.lower().endswith(".pdf") else _docx
    try:
        for text, place in reader(path, notes):
            if len(lines) >= MOST_LINES:
                notes.append(f"It has more than {MOST_LINES:,} lines; the rest was not read.")
                break
            lines.append([text[:LONGEST], place])
    except MemoryError:
        raise
    except RecursionError:
        notes.append("It is nested too deeply to be read to its end.")
    except Exception as error:
        notes.append(f"It could not be read to its end ({type(error).__name__}).")
    return {"lines": lines, "notes": notes}


# ---------------------------------------------------------------- PDF


def _pdf(path: str, notes: list[str]) -> Iterator[tuple[str, str]]:
    glyphs = importlib.import_module("glyphs")  # loaded by the worker under this name

    with open(path, "rb") as file:
        if b"%PDF-" not in file.read(1024):
            notes.append("It is not a PDF file, whatever its name says.")
            return
    empty = 0
    number = 0
    try:
        for number, page in enumerate(glyphs.pages(path), 1):
            empty += not any(line.strip() for line in page)
            for line in page:
                yield line, f"page {number}"
    except glyphs.TooMuch:
        notes.append("It draws more text than is read; the rest was left out.")
    if number and empty == number:
        notes.append("It has no text layer: a scan or a picture cannot be read. Hand in the text itself.")
    elif empty:
        notes.append(
            f"{empty} of its {number} pages have no text: what is on them is a picture and was not read."
        )
    if number >= glyphs.MOST_PAGES:
        notes.append(f"Only its first {glyphs.MOST_PAGES} pages were read.")


# ---------------------------------------------------------------- Word


def _docx(path: str, notes: list[str]) -> Iterator[tuple[str, str]]:
    if not zipfile.is_zipfile(path):
        notes.append("It is not a Word file (.docx), whatever its name says.")
        return
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        text = sum(m.file_size for m in members if m.filename == "word/document.xml")
    if len(members) > _MOST_MEMBERS or unpacked > _MOST_UNPACKED or text > _LARGEST_TEXT:
        notes.append(f"It unpacks to {unpacked / 1e6:,.0f} MB in {len(members):,} parts, and was not opened.")
        return
    import docx

    document = docx.Document(path)
    numbers = _Numbers(document)
    heading, count, tables = "", 0, 0
    for element in _blocks(document.element.body, 0):
        if element.tag == _W + "p":
            line, level = _paragraph(element, numbers)
            count += bool(line)
            if level and line:
                heading = line
            place = f"paragraph {count}" + (f', below "{heading[:40]}"' if heading and not level else "")
            for piece in line.split("\n"):
                yield (f"{'#' * min(level, 6)} {piece}" if level and piece.strip() else piece), place
            yield "", place
        else:
            tables += 1
            yield "", f"table {tables}"
            for i, cells in enumerate(_rows(element, numbers), 1):
                yield "| " + " | ".join(cells) + " |", f"table {tables}, row {i}"
            yield "", f"table {tables}"


def _blocks(parent: Any, depth: int) -> Iterator[Any]:
    """Paragraphs and tables in their order, those in content controls too."""
    for child in parent:
        if child.tag in (_W + "p", _W + "tbl"):
            yield child
        elif child.tag in (_W + "sdt", _W + "sdtContent", _W + "ins", _W + "smartTag") and depth < _DEEPEST:
            yield from _blocks(child, depth + 1)


def _rows(table: Any, numbers: _Numbers) -> Iterator[list[str]]:
    for row in table.iter(_W + "tr"):
        cells: list[str] = []
        for cell in row.iter(_W + "tc"):
            texts = [_paragraph(p, numbers)[0] for p in cell.iter(_W + "p")]
            cells.append(" ".join(t for t in texts if t).replace("|", "/").replace("\n", " "))
        yield cells


def _paragraph(element: Any, numbers: _Numbers) -> tuple[str, int]:
    """Its text with the number that Word gives it, and the level of a heading (0: none)."""
    text = "".join(_text(element, 0)).strip()
    properties = element.find(_W + "pPr")
    level = numbers.level(properties)
    number = numbers.next(properties) if text else ""
    return (f"{number} {text}" if number else text), level


def _text(element: Any, depth: int) -> Iterator[str]:
    """The text of a paragraph; raised text as "^{…}", a fraction as "(a) / (b)"."""
    if depth > _DEEPEST:
        return
    for child in element:
        tag = child.tag
        if not isinstance(tag, str) or tag in _SKIPPED:
            continue
        if tag in (_W + "t", _M + "t"):
            yield child.text or ""
        elif tag in (_W + "tab", _W + "ptab"):
            yield "\t"
        elif tag in (_W + "br", _W + "cr"):
            yield "\n"
        elif tag == _W + "noBreakHyphen":
            yield "-"
        elif tag == _W + "r":
            yield _run(child, depth)
        elif tag == _M + "f":
            yield f"{_bracketed(child, 'num', depth)} / {_bracketed(child, 'den', depth)}"
        elif tag in (_M + "sSup", _M + "sSub", _M + "sSubSup"):
            yield _part(child, "e", depth)
            if low := _part(child, "sub", depth):
                yield "_" + low
            if high := _part(child, "sup", depth):
                yield "^{" + high + "}"
        elif tag == _M + "d":
            yield "(" + "".join(_text(child, depth + 1)) + ")"
        elif tag == _M + "nary":
            yield "∑ " + _part(child, "e", depth)
        elif tag.endswith("}AlternateContent"):
            choice = next((c for c in child if isinstance(c.tag, str) and c.tag.endswith("}Choice")), None)
            if choice is not None:
                yield from _text(choice, depth + 1)
        else:
            yield from _text(child, depth + 1)


def _run(run: Any, depth: int) -> str:
    text = "".join(_text(run, depth + 1))
    properties = run.find(_W + "rPr")
    raised = None if properties is None else properties.find(_W + "vertAlign")
    kind = None if raised is None else raised.get(_W + "val")
    if text.strip() and kind == "superscript":
        return "^{" + text.strip() + "}"
    return "_" + text.strip() if text.strip() and kind == "subscript" else text


def _part(element: Any, name: str, depth: int) -> str:
    found = element.find(_M + name)
    return "" if found is None else "".join(_text(found, depth + 1)).strip()


def _bracketed(element: Any, name: str, depth: int) -> str:
    text = _part(element, name, depth)
    return f"({text})" if any(sign in text for sign in " +-−×·*/=\u2009") else text


class _Numbers:
    """The numbers that Word counts itself, which stand nowhere in the text: "(a)", "4.2", "iii."."""

    def __init__(self, document: Any) -> None:
        self._levels: dict[tuple[str, int], tuple[str, str]] = {}
        self._counts: dict[str, list[int]] = {}
        self._styles = {style.style_id: style for style in document.styles}
        try:
            self._learn(document.part.numbering_part.element)
        except (KeyError, NotImplementedError, AttributeError):
            return

    def _learn(self, numbering: Any) -> None:
        abstract = {a.get(_W + "abstractNumId"): a for a in numbering.iter(_W + "abstractNum")}
        for num in numbering.iter(_W + "num"):
            reference = num.find(_W + "abstractNumId")
            kind = abstract.get(None if reference is None else reference.get(_W + "val"))
            for level in kind.iter(_W + "lvl") if kind is not None else ():
                fmt, text = level.find(_W + "numFmt"), level.find(_W + "lvlText")
                if fmt is not None and text is not None:
                    place = (str(num.get(_W + "numId")), int(level.get(_W + "ilvl") or 0))
                    self._levels[place] = (str(fmt.get(_W + "val")), str(text.get(_W + "val")))

    def level(self, properties: Any) -> int:
        """Of a heading, 1 to 9; 0 for other text."""
        style = None if properties is None else properties.find(_W + "pStyle")
        found = self._styles.get(style.get(_W + "val")) if style is not None else None
        name = (found.name or "").lower() if found is not None else ""
        if name == "title":
            return 1
        digits = name.removeprefix("heading ")
        return int(digits) if name.startswith("heading ") and digits.isdigit() else 0

    def next(self, properties: Any) -> str:
        """The number of this paragraph, counted on; "" where it has none."""
        numbered = None if properties is None else properties.find(_W + "numPr")
        if numbered is None:
            return ""
        which, depth = numbered.find(_W + "numId"), numbered.find(_W + "ilvl")
        num = "" if which is None else str(which.get(_W + "val"))
        level = min(int(depth.get(_W + "val") or 0), 8) if depth is not None else 0
        fmt, text = self._levels.get((num, level), ("", ""))
        if fmt in ("", "bullet", "none"):
            return ""
        counts = self._counts.setdefault(num, [0] * 9)
        counts[level] += 1
        counts[level + 1 :] = [0] * (8 - level)
        for n in range(level + 1):
            shown = _counted(counts[n], self._levels.get((num, n), (fmt, ""))[0])
            text = text.replace(f"%{n + 1}", shown)
        return text


def _counted(count: int, fmt: str) -> str:
    if fmt in ("lowerLetter", "upperLetter") and 0 < count <= 26:
        return chr((96 if fmt == "lowerLetter" else 64) + count)
    if fmt in ("lowerRoman", "upperRoman") and 0 < count <= 10:
        return ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")[count - 1]
    return str(count)
