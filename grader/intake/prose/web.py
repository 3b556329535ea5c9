"""A web page, as online text of a course site is saved -> lines of text with "# " and "| " for headings and rows.

The standard library's parser reads it; nothing is loaded and nothing is run.
"""

from __future__ import annotations

from html.parser import HTMLParser

_BLOCKS = {
    "p",
    "div",
    "li",
    "br",
    "tr",
    "table",
    "ul",
    "ol",
    "section",
    "article",
    "pre",
    "blockquote",
    "dt",
    "dd",
}
_SKIPPED = {"script", "style", "head", "template", "noscript"}


def web_lines(text: str) -> list[tuple[str, int]]:
    """(line, line of the file)."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    parser.end_line()
    return parser.lines


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[tuple[str, int]] = []
        self._text: list[str] = []
        self._cells: list[str] | None = None
        self._heading = 0
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skipped += 1
        elif tag == "tr":
            self.end_line()
            self._cells = []
        elif tag in ("sup", "sub"):
            self._text.append("^{" if tag == "sup" else "_")
        elif tag in _BLOCKS and self._cells is None:
            self.end_line()
        elif len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.end_line()
            self._heading = int(tag[1])

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skipped = max(0, self._skipped - 1)
        elif tag in ("td", "th") and self._cells is not None:
            self._cells.append(self._taken().replace("|", "/"))
        elif tag == "tr" and self._cells is not None:
            cells, self._cells = self._cells, None
            self._text = []
            self.lines.append(("| " + " | ".join(cells) + " |", self.getpos()[0]))
        elif tag == "sup":
            self._text.append("}")
        elif tag == "table" or (len(tag) == 2 and tag[0] == "h" and tag[1].isdigit()):
            self.end_line()
            self.lines.append(("", self.getpos()[0]))
        elif tag in _BLOCKS and self._cells is None:
            self.end_line()

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._text.append(data)

    def end_line(self) -> None:
        """What has been read is a line of its own."""
        text = self._taken()
        if text:
            self.lines.append(("#" * self._heading + " " * bool(self._heading) + text, self.getpos()[0]))
            self.lines.append(("", self.getpos()[0]))
        self._heading = 0

    def _taken(self) -> str:
        text, self._text = " ".join("".join(self._text).split()), []
        return text
