"""A notebook as a list of statements, and which of them the definition of one name needs.

A notebook is no module: cells fail, train for hours, or were left half done. So it is never run from top to bottom.
A name's definition needs the statements that bind it, those that bind the names which these use, and so on; they are
run in the order of the notebook, and all others are left alone.
"""

from __future__ import annotations

import ast
import builtins
import dis
import json
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from .cells import NotANotebook, cells_of, script_cells
from .magics import neutralise, written_file

_LOADS = {
    "LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS", "LOAD_FROM_DICT_OR_DEREF", "LOAD_CLASSDEREF",
}  # fmt: skip
_STORES = {"STORE_NAME", "STORE_GLOBAL"}
_CHANGE = {
    "append", "extend", "insert", "update", "add", "setdefault", "remove", "discard", "pop", "clear", "sort",
    "reverse", "register",
}  # fmt: skip
"""Methods that change what they are called on; `model.train()` or `frame.head()` are not worth running."""
_PATH = "sys.path"
"""Stands for where modules are looked for, as if it were a name."""
_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "get_ipython", "display"}
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement at the top level of a cell."""

    label: str
    """Where it stands: "a3.ipynb, cell 5", or the path of an exported .py file."""
    node: ast.stmt
    binds: frozenset[str]
    """Names that it binds."""
    changes: frozenset[str]
    """Names whose value it changes without binding them."""
    needs: frozenset[str]
    """Global names that it uses, those that the bodies of its functions use included."""
    star: bool
    """True for `from x import *`, which may bind anything."""


@dataclass(frozen=True, slots=True)
class Broken:
    """One cell that is no Python."""

    label: str
    source: str
    error: Exception


@dataclass(slots=True)
class Book:
    """The statements of one notebook or exported file."""

    path: str
    statements: list[Statement] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    """Label -> text of the cell as handed in."""
    python: list[tuple[str, str]] = field(default_factory=list)
    """(label, Python with magics neutralised) of each code cell, in order."""
    written: dict[str, str] = field(default_factory=dict)
    """Files that cells write with %%writefile: name -> content."""

    def definition(self, name: str) -> Statement | None:
        """The last class or function of that name at the top level of a cell, else the last statement that binds it."""
        bound = [statement for statement in self.statements if name in statement.binds]
        strong = [statement for statement in bound if getattr(statement.node, "name", None) == name]
        return next(reversed(strong or bound), None)

    def needed_for(self, name: str) -> list[int]:
        """Places of the statements that the value of `name` needs, in order."""
        wanted, found = {name}, set[int]()
        known = {bound for statement in self.statements for bound in statement.binds}
        while True:
            unknown = bool(wanted - known - _BUILTINS)
            more = {
                at
                for at, statement in enumerate(self.statements)
                if at not in found
                and ((statement.binds | statement.changes) & wanted or (statement.star and unknown))
            }
            if not more:
                return sorted(found)
            found |= more
            wanted |= {need for at in more for need in self.statements[at].needs}


def read_notebook(path: str, content: bytes) -> Book:
    """The code cells of an .ipynb file; raises NotANotebook."""
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotANotebook("it is not UTF-8 text.") from None
    except (ValueError, RecursionError) as error:
        raise NotANotebook(f"it is not valid JSON ({str(error)[:200]}).") from None
    book = Book(path)
    for cell in cells_of(document):
        if cell.kind == "code" and cell.source.strip():
            written = written_file(cell.source)
            if written:
                name, body, appended = written
                book.written[name] = book.written.get(name, "") + body if appended else body
            _add(book, f"{path}, cell {cell.number}", cell.source, 1)
    return book


def read_script(path: str, text: str) -> Book:
    """An exported .py file; in one piece where it is Python, else cell by cell. Lines are those of the file."""
    book = Book(path, sources={path: text})
    if not _add(book, path, text, 1, keep_broken=False):
        for line, source in script_cells(text):
            _add(book, path, source, line)
    book.sources = {path: text}
    return book


def _add(book: Book, label: str, source: str, line: int, *, keep_broken: bool = True) -> bool:
    """Take up one cell that begins at `line`; False where it is no Python."""
    book.sources[label] = source
    python = neutralise(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse("\n" * (line - 1) + python, filename=label).body
            statements = [_statement(label, node) for node in _unwrapped(body)]
    except _UNREADABLE as error:
        if keep_broken:
            book.broken.append(Broken(label, source, error))
        return False
    book.statements += statements
    book.python.append((label, python))
    return True


def _unwrapped(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """nbconvert wraps a cell under %%time into one call; what is in it are statements like others."""
    for node in body:
        inner = _wrapped(node)
        if inner is None:
            yield node
            continue
        for statement in ast.parse(neutralise(inner)).body:
            for part in ast.walk(statement):
                if hasattr(part, "lineno"):
                    part.lineno = part.end_lineno = node.lineno  # type: ignore[attr-defined]
            yield statement


def _wrapped(node: ast.stmt) -> str | None:
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return None
    call = node.value
    texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    named = isinstance(call.func, ast.Attribute) and call.func.attr == "run_cell_magic"
    return f"%%{texts[0]}\n{texts[2]}" if named and len(texts) == 3 else None


def _statement(label: str, node: ast.stmt) -> Statement:
    code = compile(ast.Module([node], []), label, "exec", dont_inherit=True)
    star = isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    binds = _names(code, _STORES)
    needs = _loads(code) - set(_bound_before_use(node))
    if any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node)):
        needs.add(_PATH)
    return Statement(label, node, frozenset(binds), frozenset(_changed(node)), frozenset(needs), star)


def _names(code: CodeType, operations: set[str]) -> set[str]:
    return {str(i.argval) for i in dis.get_instructions(code) if i.opname in operations}


def _loads(code: CodeType, *, inner: bool = False) -> set[str]:
    """Global names that are read; those that a class body sets itself are its own."""
    found = _names(code, _LOADS) - (_names(code, {"STORE_NAME"}) if inner else set())
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _loads(constant, inner=True)
    return found


def _bound_before_use(node: ast.stmt) -> Iterator[str]:
    """The variables of a loop or of `with … as`."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.For | ast.AsyncFor):
        targets = [node.target]
    elif isinstance(node, ast.With | ast.AsyncWith):
        targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
    for target in targets:
        yield from (inner.id for inner in ast.walk(target) if isinstance(inner, ast.Name))


def _changed(node: ast.stmt) -> Iterator[str]:
    """Names whose value a statement changes without binding them: Net.forward = f, CONFIG["n"] = 2, names.append(x),
    setattr(Net, …), and what a decorator with the class as its argument adds to it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        for decorator in node.decorator_list:
            for arg in decorator.args if isinstance(decorator, ast.Call) else ():
                yield from _root(arg)
        return
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.Delete):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        if isinstance(call.func, ast.Attribute) and call.func.attr in _CHANGE:
            yield from _root(call.func)
        elif isinstance(call.func, ast.Name) and call.func.id in ("setattr", "delattr") and call.args:
            yield from _root(call.args[0])
    for target in targets:
        if isinstance(target, ast.Attribute | ast.Subscript):
            yield from _root(target)
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.stmt):  # of a loop, a condition, a `with`
            yield from _changed(inner)
        elif isinstance(inner, ast.ExceptHandler):
            for statement in inner.body:
                yield from _changed(statement)


def _root(node: ast.expr) -> Iterator[str]:
    """The name at the bottom of a.b[c].d; of what hangs on sys.path, that."""
    inner: Any = node
    while isinstance(inner, ast.Attribute | ast.Subscript | ast.Call):
        if (
            isinstance(inner, ast.Attribute)
            and inner.attr == "path"
            and getattr(inner.value, "id", "") == "sys"
        ):
            yield _PATH
            return
        inner = inner.func if isinstance(inner, ast.Call) else inner.value
    if isinstance(inner, ast.Name):
        yield inner.id
