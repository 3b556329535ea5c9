"""Where in a hand-in a name is defined, found by reading (the files are parsed, in the worker, not run)."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from .book import Book, Broken, read_notebook, read_script
from .cells import NotANotebook, looks_exported

_MARKERS = re.compile(rb"^(<{7} |={7}\r?$|>{7} )", re.MULTILINE)
_RELATIVE = re.compile(rb"\bfrom[\s\\]*\.")
"""Whatever holds a relative import matches, and some text that holds none: walking a whole tree takes longer."""
_STATEMENT = re.compile(r"\b(?:class|def)[\s\\]+(\w+)")
_CONFLICT = (b"<<<<<<< ", b">>>>>>> ")
_UNUSUAL = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\ufeff]|\r(?!\n)|\A(?:.*\n)?.*coding[:=]")
"""What a parser may take in another way than it looks: control characters, a declared encoding."""


@dataclass(frozen=True, slots=True)
class Place:
    """One definition."""

    file: str
    line: int
    weak: bool
    """An assignment, which does not compete with a class or function of that name in the same file."""
    node: ast.stmt | None = field(default=None, compare=False, repr=False)
    """What defines it; None inside of blocks."""
    cell: str = ""
    """Where it is a cell of a notebook, its label: "a3.ipynb, cell 5"."""

    @property
    def shape(self) -> str:
        """The syntax tree as text: two places of one shape define the same. Empty inside of blocks."""
        return ast.dump(self.node) if self.node is not None else ""

    @property
    def where(self) -> str:
        """For the student."""
        return f"{self.cell}, line {self.line}" if self.cell else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that cannot be read as Python."""

    file: str
    line: int
    sentence: str
    code: str = ""


@dataclass(slots=True)
class Index:
    """All top-level names of a hand-in."""

    places: dict[str, list[Place]] = field(default_factory=dict)
    problems: list[tuple[Problem, bytes]] = field(default_factory=list)
    relative: set[str] = field(default_factory=set)
    """Files that use relative imports, so that they have to be imported as part of a package."""
    books: dict[str, Book] = field(default_factory=dict)
    """Notebooks, and .py files exported from one, by path: these are not imported."""
    written: dict[str, bytes] = field(default_factory=dict)
    """Files that cells of a notebook write with %%writefile, and that were not handed in, by path."""

    def problem_hiding(self, name: str) -> Problem | None:
        """The unreadable file whose bytes contain `name`, if there is one."""
        for problem, content in self.problems:
            if name.encode() in content.replace(b"\0", b""):
                return problem
        return None


def _looked_at(files: Mapping[str, bytes]) -> list[str]:
    """All paths but those in hidden folders and caches."""
    return [
        p for p in sorted(files) if not any(n.startswith(".") or n == "__pycache__" for n in p.split("/"))
    ]


def plain_file(files: Mapping[str, bytes], name: str) -> str | None:
    """The one file that names `name`, where it has one class or def of it and that is at the top level; else None.

    Told without a parser, which takes several times as long, for the hand-ins that are like that: most. The file may
    still be broken, or the statement stand in a longer text, so whoever imports it has to look whether the name is
    there. What is None may well be defined.
    """
    found: str | None = None
    for path in _looked_at(files):
        if path.endswith(".ipynb"):
            return None
        if not path.endswith(".py"):
            continue
        text = _plain_text(files[path])
        if text is None:
            return None
        if "%%" in text or "get_ipython" in text:  # a notebook that was exported may write files
            return None
        if name not in text:
            continue
        statements = [one for one in _STATEMENT.finditer(text) if one[1] == name]
        if found is not None or len(statements) != 1 or _RELATIVE.search(files[path]) or looks_exported(text):
            return None
        at = statements[0].start()
        if at and text[at - 1] != "\n":
            return None
        found = path
    return found


def _plain_text(content: bytes) -> str | None:
    """A source as Python reads its names; None where it may read it in another way."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if _UNUSUAL.search(text):
        return None
    text = text.replace("\r\n", "\n")
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def index(files: Mapping[str, bytes]) -> Index:
    """Scans every .py and .ipynb file but those in hidden folders and caches."""
    found = Index()
    seen = _looked_at(files)
    for path in seen:
        if path.endswith((".py", ".ipynb")):
            _take_book(path, files[path], found)
    found.written = {path: text for path, text in found.written.items() if path not in files}
    scripts = {path: files[path] for path in seen if path.endswith(".py")} | found.written
    for path, content in sorted(scripts.items()):
        if path in found.books:
            continue
        parsed = _parse(path, content)
        if isinstance(parsed, Problem):
            found.problems.append((parsed, content))
            continue
        for name, places in _definitions(path, parsed.body).items():
            found.places.setdefault(name, []).extend(places)
        if _RELATIVE.search(content) and _imports_relatively(parsed):
            found.relative.add(path)
    return found


def _imports_relatively(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


# ---------------------------------------------------------------- notebooks


def _take_book(path: str, content: bytes, found: Index) -> None:
    """Take up a notebook, or a .py file that was one; any other .py file is left to be imported."""
    if path.endswith(".ipynb"):
        try:
            book = read_notebook(path, content)
        except NotANotebook as error:
            found.problems.append((Problem(path, 1, f"{path} cannot be read: {error}"), content))
            return
    else:
        text = _exported(path, content)
        if text is None:
            return
        book = read_script(path, text)
    found.books[path] = book
    for broken in book.broken:
        problem = _cell_problem(broken)
        found.problems.append((problem, broken.source.encode("utf-8", "replace")))
    for name, place in _of_book(book).items():
        found.places.setdefault(name, []).append(place)
    for name, text in book.written.items():
        parts = [part for part in name.split("/") if part != "."]
        if name.endswith(".py") and all(part.strip(". ") and "\0" not in part for part in parts):
            found.written["/".join([*path.split("/")[:-1], *parts])] = text.encode("utf-8", "replace")


def _exported(path: str, content: bytes) -> str | None:
    """The text of a .py file that was a notebook; None for any other."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding).replace("\r\n", "\n")
    except (SyntaxError, ValueError, LookupError):  # what is wrong is told where the file is parsed
        return None
    return text if "\0" not in text and looks_exported(text) else None


def _of_book(book: Book) -> dict[str, Place]:
    """One place a name: in a notebook, what stands last counts."""
    found: dict[str, Place] = {}
    for statement in book.statements:
        for name, place in _of_statement(book.path, statement.node).items():
            if name not in found or found[name].weak or not place.weak:
                cell = statement.label if statement.label != book.path else ""
                found[name] = replace(place, cell=cell)
    return found


def _cell_problem(broken: Broken) -> Problem:
    error = broken.error
    if all(marker in broken.source for marker in ("<<<<<<< ", ">>>>>>> ")):
        sentence = f"{broken.label} holds a merge-conflict marker: keep one of the two versions."
        return Problem(broken.label, 1, sentence)
    if not isinstance(error, SyntaxError):
        sentence = f"{broken.label} cannot be parsed: {type(error).__name__}: {str(error)[:200]}"
        return Problem(broken.label, 1, sentence)
    line = error.lineno or 1
    sentence = f"{broken.label}, line {line}: {type(error).__name__}: {error.msg}"
    return Problem(broken.label, line, sentence, (error.text or "").strip()[:200])


# ---------------------------------------------------------------- files


def _parse(path: str, content: bytes) -> ast.Module | Problem:
    wrong = _encoding_problem(path, content)
    if wrong is not None and b"\0" not in content:  # in a comment, some versions of Python let it pass
        return wrong
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content, filename=path)
    except SyntaxError as error:
        return _syntax_problem(path, content, error)
    except (ValueError, RecursionError, MemoryError) as error:
        return _other_problem(path, content, error)


def _syntax_problem(path: str, content: bytes, error: SyntaxError) -> Problem:
    special = _special_problem(path, content)
    if special is not None:
        return special
    line, column = error.lineno or 1, error.offset or 1
    kind = type(error).__name__
    code = (error.text or "").rstrip("\n")
    return Problem(
        path, line, f"{path}, line {line}, column {column}: {kind}: {error.msg}", code.strip()[:200]
    )


def _other_problem(path: str, content: bytes, error: Exception) -> Problem:
    special = _special_problem(path, content)
    if special is not None:
        return special
    return Problem(path, 1, f"{path} cannot be parsed: {type(error).__name__}: {str(error)[:200]}")


def _special_problem(path: str, content: bytes) -> Problem | None:
    """Reasons that Python's own message describes badly."""
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        hint = (
            " (it looks like UTF-16: save it as UTF-8)" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        )
        return Problem(path, line, f"{path}, line {line} holds a NUL byte, so it is not a Python file{hint}.")
    if all(marker in content for marker in _CONFLICT):
        match = _MARKERS.search(content)
        if match is not None:
            line = content[: match.start()].count(b"\n") + 1
            sentence = (
                f"{path}, line {line} holds a merge-conflict marker: keep one of the two versions "
                "and delete the lines that start with <<<<<<<, ======= and >>>>>>>."
            )
            return Problem(path, line, sentence, _line(content, line))
    return None


def _encoding_problem(path: str, content: bytes) -> Problem | None:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except (SyntaxError, LookupError):
        encoding = "utf-8"
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        byte = content[error.start]
        return Problem(
            path, line, f"{path}, line {line} is not UTF-8 text (byte 0x{byte:02x}): save the file as UTF-8."
        )
    return None


def _line(content: bytes, number: int) -> str:
    lines = content.splitlines()
    return lines[number - 1].decode("utf-8", "replace")[:200] if number <= len(lines) else ""


# ---------------------------------------------------------------- definitions of one file


def _definitions(path: str, body: list[ast.stmt]) -> dict[str, list[Place]]:
    """Name -> its places in this file. Alternatives (if/else, try/except) count once: only one of them runs."""
    found: dict[str, list[Place]] = {}
    for statement in body:
        for name, place in _of_statement(path, statement).items():
            found.setdefault(name, []).append(place)
    return {name: _compete(places) for name, places in found.items()}


def _compete(places: list[Place]) -> list[Place]:
    """Assignments yield to a class or function; several assignments are one place, the last."""
    strong = [p for p in places if not p.weak]
    return strong or places[-1:]


def _of_statement(path: str, statement: ast.stmt) -> dict[str, Place]:
    """What one top-level statement binds, blocks included."""
    if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {statement.name: Place(path, statement.lineno, weak=False, node=statement)}
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return {name: Place(path, statement.lineno, weak=True, node=statement) for name in _names(targets)}
    found: dict[str, Place] = {}
    for block in _blocks(statement):
        for inner in block:
            for name, place in _of_statement(path, inner).items():
                if name not in found or found[name].weak:
                    found[name] = replace(place, node=None)
    return found


def _names(targets: Iterable[ast.expr]) -> Iterator[str]:
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id
        elif isinstance(target, ast.Tuple | ast.List):
            yield from _names(target.elts)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    if isinstance(statement, ast.If | ast.For | ast.While | ast.AsyncFor):
        yield statement.body
        yield statement.orelse
    elif isinstance(statement, ast.With | ast.AsyncWith):
        yield statement.body
    elif isinstance(statement, ast.Try | ast.TryStar):
        yield statement.body
        yield from (handler.body for handler in statement.handlers)
        yield statement.orelse
        yield statement.finalbody
