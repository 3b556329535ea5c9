"""Cells as notebooks have them -> plain Python with as many lines: magics and shell lines are neutralised, not run."""

from __future__ import annotations

import ast
import re
import warnings

_PYTHON_BODIES = {"time", "capture", "prun"}
"""Cell magics that run their cell as Python in the notebook's own names."""
_OTHER_BODIES = {
    "bash", "sh", "script", "system", "sx", "cmd", "powershell", "html", "HTML", "javascript", "js", "latex",
    "markdown", "svg", "SVG", "perl", "ruby", "python", "python2", "python3", "pypy", "timeit", "writefile",
    "file", "cython", "R", "sql", "bigquery", "shell", "debug",
}  # fmt: skip
"""Cell magics whose cell is another language, another program or thrown away."""
_WRITES = re.compile(r"%%(?:writefile|file)\s+(?P<append>-a\s+|--append\s+)?(?P<name>[^\s]+)\s*")
_CELL = re.compile(r"%%(?P<name>[A-Za-z_]\w*)")
_LINE = re.compile(r"(?P<indent>\s*)(?P<mark>%|!|\?)(?P<rest>.*)")
_ASSIGNED = re.compile(r"(?P<target>\s*[\w, .*()\[\]]+?)\s*=\s*(?P<mark>[!%])(?=[\w/.~!$({])")
_HELP = re.compile(r"\s*[%\w.*]+\?{1,2}\s*")
_INSTALL = re.compile(
    r"\s*(?:pip3?|conda|mamba|uv|apt|apt-get)\s+(?:install|uninstall|list|show|update|upgrade)\b"
)
_TIMED = re.compile(r"(?:time|prun)\s+(?P<statement>[^-\s].*)")
_RUN = re.compile(r"run\s+(?:-i\s+)?[\"']?(?:\./)?(?P<module>[A-Za-z_]\w*)\.py[\"']?\s*")
_NOTHING = "pass"


def neutralise(source: str) -> str:
    """`source` as Python, line for line. Text that is no Python for another reason stays as it is."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
    if indent:  # a cell pasted from the inside of a function
        lines = [line.removeprefix(indent) for line in lines]
    cell = _CELL.match(lines[first])
    if cell:
        lines[first] = ""
        if not _is_python_body(cell["name"], lines):
            return "\n".join("" for _ in lines)
    return "\n".join(_line_by_line(lines))


def written_file(source: str) -> tuple[str, str, bool] | None:
    """(name, content, appended?) of a cell that is saved as a file, `%%writefile attention.py`; else None."""
    head, _, body = source.lstrip().partition("\n")
    found = _WRITES.fullmatch(head.rstrip())
    if not found:
        return None
    body = body if body.endswith("\n") else f"{body}\n"
    return found["name"].strip("\"'"), body, found["append"] is not None


def _is_python_body(name: str, lines: list[str]) -> bool:
    if name in _PYTHON_BODIES or name in _OTHER_BODIES:
        return name in _PYTHON_BODIES
    try:  # a magic of a package: its cell may be Python or not
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse("\n".join(_line_by_line(lines)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _line_by_line(lines: list[str]) -> list[str]:
    """Replace what stands where a statement begins and is no Python; strings and open brackets are left alone."""
    made: list[str] = []
    state = _State()
    swallowing = False
    for line in lines:
        if swallowing:
            swallowing = line.rstrip().endswith("\\")
            made.append("")
            continue
        instead = _instead(line) if state.fresh else None
        if instead is None:
            state.read(line)
            made.append(line)
        else:
            swallowing = line.rstrip().endswith("\\")
            made.append(instead)
    return made


def _instead(line: str) -> str | None:
    """Python for one line that begins a statement; None where it is Python already."""
    found = _LINE.fullmatch(line)
    if found:
        indent, rest = found["indent"], found["rest"].strip()
        timed = _TIMED.fullmatch(rest) if found["mark"] == "%" else None
        if timed:
            return indent + timed["statement"]
        run = _RUN.fullmatch(rest) if found["mark"] == "%" else None
        if run and not indent:
            return f"from {run['module']} import *"
        return indent + _NOTHING
    assigned = _ASSIGNED.match(line)
    if assigned:
        return f"{assigned['target']} = {'[]' if assigned['mark'] == '!' else 'None'}"
    if _INSTALL.match(line) or _HELP.fullmatch(line):
        return line[: len(line) - len(line.lstrip())] + _NOTHING
    return None


class _State:
    """Whether the next line begins a statement, as far as quotes, brackets and backslashes tell."""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0
        self._continued = False

    @property
    def fresh(self) -> bool:
        return not self._quote and self._depth <= 0 and not self._continued

    def read(self, line: str) -> None:
        at = 0
        while at < len(line):
            if self._quote:
                at = self._in_string(line, at)
                continue
            char = line[at]
            if char == "#":
                break
            if char in "\"'":
                self._quote = char * 3 if line.startswith(char * 3, at) else char
                at += len(self._quote)
                continue
            self._depth += (char in "([{") - (char in ")]}")
            at += 1
        self._depth = max(self._depth, 0)
        self._continued = line.endswith("\\")
        if len(self._quote) == 1 and not self._continued:
            self._quote = ""

    def _in_string(self, line: str, at: int) -> int:
        """The place after the string that is open, or the end of the line."""
        while at < len(line):
            if line[at] == "\\":
                at += 2
            elif line.startswith(self._quote, at):
                at += len(self._quote)
                self._quote = ""
                return at
            else:
                at += 1
        return at
