"""Sentences and phrases in sources: of code read off its syntax tree, with {names} where values stand in an f-string.

Which of them a student can read is told by where they stand: what is compared, searched for, raised as an error of the
grader's own, or says what someone believes, is left out.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from jinja2 import Environment, nodes

PHRASE, SENTENCE = 2, 4
"""Words that a text has at the least; in the bank of misconceptions shorter ones are names of variants."""
NOT_SHOWN_KEYWORDS = frozenset(
    {"belief", "why", "help", "short_help", "metavar", "old", "new", "default", "pattern", "edits"}
)
NOT_SHOWN_CALLS = frozenset(
    {
        "compile", "Edit", "_edit", "RuntimeError", "ValueError", "TypeError", "AssertionError", "KeyError",
        "getLogger", "option", "argument", "AssignmentError", "Protocol", "Stop", "TypeVar", "cast", "version_option",
        "replace", "split", "partition", "startswith", "endswith", "encode", "fullmatch", "match", "search", "sub",
    }
)  # fmt: skip


def messages_of_template(text: str) -> Iterator[str]:
    """Every `_("…")` of a template."""
    for call in Environment().parse(text).find_all(nodes.Call):
        if (
            isinstance(call.node, nodes.Name)
            and call.node.name == "_"
            and isinstance(call.args[0], nodes.Const)
        ):
            yield call.args[0].value


def messages_of_assignment(path: Path) -> Iterator[str]:
    """The titles and questions of an assignment."""
    declared = tomllib.loads(path.read_text(encoding="utf-8"))
    yield declared["title"]
    for part in declared["part"]:
        yield part["title"]
        yield part["asks"]
    for check in declared["check"]:
        yield check["title"]


def titles_of(code: str) -> Iterator[str]:
    """What the tests in a module check, as their docstrings say."""
    for node in ast.parse(code).body:
        if (
            isinstance(node, ast.FunctionDef)
            and node.name.startswith("test_")
            and (said := ast.get_docstring(node))
        ):
            yield said.split("\n")[0]


def messages_of(code: str, least: int = PHRASE) -> Iterator[str]:
    """Every sentence and phrase in a module: at least two words, or one on a line `# message`."""
    tree = ast.parse(code)
    lines = code.splitlines()
    yield from _Reader(lines, least).read(tree)


HIDDEN_ARGUMENTS = {
    "Mistake": (2,),
    "_entry": (2,),
    "Prose": (2,),
    "Concept": (1,),
    "Quantity": (3,),
    "get": (0,),
}
"""Positional arguments that no student sees: beliefs, model answers, search words, derivations."""
NOT_SHOWN_NAMES = frozenset({"_BELIEFS", "_EPILOG", "style"})


def _constants(call: ast.Call) -> Iterator[str]:
    """What is said by its own text, one word included: of words() the message, of a plot all but its kind."""
    shown: list[ast.expr] = call.args[:1]
    if _called(call) == "Plot":
        shown = call.args[1:] + [keyword.value for keyword in call.keywords if keyword.arg != "kind"]
        shown += [key for node in shown if isinstance(node, ast.Dict) for key in node.keys if key is not None]
    for node in shown:
        for child in (node.body, node.orelse) if isinstance(node, ast.IfExp) else (node,):
            text = template(child)
            if text:
                yield text


class _Reader:
    def __init__(self, lines: list[str], least: int) -> None:
        self._lines = lines
        self._least = least

    def read(self, node: ast.AST) -> Iterator[str]:
        if _is_docstring(node) or _not_shown(node):
            return
        text = template(node)
        if (
            isinstance(node, ast.Call)
            and _called(node) in ("words", "Plot", "Concept", "UnknownName", "OneOf")
            and node.args + node.keywords
        ):
            yield from _constants(node)
        elif text is not None:
            text = merged(text)
            if self._is_message(text, node):
                yield text
            for value in _values(node):
                yield from self.read(value)
            return
        hidden: list[ast.expr] = []
        if isinstance(node, ast.Call):
            hidden = [node.args[i] for i in HIDDEN_ARGUMENTS.get(_called(node), ()) if i < len(node.args)]
        for child in ast.iter_child_nodes(node):
            if child not in hidden and not isinstance(node, ast.Subscript):
                yield from self.read(child)

    def _is_message(self, text: str, node: ast.AST) -> bool:
        said = _literal(text)
        words = [w for w in said.replace("(", " ").replace("'", " ").split() if sum(map(str.isalpha, w)) >= 2]
        marked = "# message" in self._lines[node.lineno - 1]  # type: ignore[attr-defined]
        if marked:
            return True
        if _is_code(text):
            return False
        if len(words) == 1 and self._least == PHRASE:
            return " " in said and "{" in text
        return len(words) >= self._least and " " in said


def _is_code(text: str) -> bool:
    """Edits of the model solution, LaTeX, SVG, options."""
    if text.lstrip().startswith(("<", "--", "(?:", "import ", "from ", "pip ", "torch.")):
        return True
    if " = " in text and "(" in text:
        return True
    try:
        tree = ast.parse(text.strip().replace("{", "_").replace("}", "_"))
    except (SyntaxError, ValueError):
        return False
    return any(
        isinstance(node, ast.Call | ast.Subscript | ast.Assign | ast.Return) for node in ast.walk(tree)
    )


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _not_shown(node: ast.AST) -> bool:
    if isinstance(node, ast.keyword):
        return node.arg in NOT_SHOWN_KEYWORDS
    if isinstance(node, ast.Call):
        return _called(node) in NOT_SHOWN_CALLS
    if isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        return isinstance(target, ast.Name) and target.id in NOT_SHOWN_NAMES
    return isinstance(node, ast.Compare | ast.Assert)


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def template(node: ast.AST) -> str | None:
    """The message of a string, an f-string or a sum of them, with {names} for its values; None for anything else."""
    pieces = _pieces(node)
    if pieces is None:
        return None
    used: dict[str, int] = {}
    out = ""
    for piece in pieces:
        if isinstance(piece, str):
            out += piece
        else:
            name = _name(piece)
            used[name] = used.get(name, 0) + 1
            out += "{" + name + (str(used[name]) if used[name] > 1 else "") + "}"
    return out


def merged(text: str) -> str:
    """Values with nothing between them are one value, for nobody can tell from a sentence where one of them ends.

    Whole sentences that are values, in front of the message, are sentences of their own.
    """
    return re.sub(r"(\{\w+\})( ?\{\w+\})+", r"\1", re.sub(r"^(\{\w+\} )+(?=[A-Z])", "", text))


def _pieces(node: ast.AST) -> list[str | ast.expr] | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value if _is_format(node.value) else node.value.replace("{", "{{").replace("}", "}}")]
    if isinstance(node, ast.JoinedStr):
        pieces: list[str | ast.expr] = []
        for part in node.values:
            pieces += _pieces(part) or [part.value]  # type: ignore[attr-defined]
        return pieces
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _pieces(node.left), _pieces(node.right)
        if left is None and right is None:
            return None
        return (left or [node.left]) + (right or [node.right])
    return None


def _is_format(text: str) -> bool:
    """True for a text that is filled in later, by str.format or by a language."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        return False
    return bool(names) and all(name.isidentifier() for name in names)


def _values(node: ast.AST) -> list[ast.expr]:
    return [piece for piece in _pieces(node) or [] if not isinstance(piece, str)]


def _name(value: ast.expr) -> str:
    """A name for a value, from the expression that gives it."""
    if isinstance(value, ast.Name):
        return value.id.strip("_")
    if isinstance(value, ast.Attribute):
        return value.attr.strip("_")
    if isinstance(value, ast.Call):
        joined = isinstance(value.func, ast.Attribute) and value.func.attr in (
            "join",
            "replace",
            "strip",
            "get",
        )
        if (
            joined
            or _name(value.func) in ("len", "repr", "str", "sum", "int", "float", "map", "sorted", "one_line")
        ) and value.args:
            return _name(value.args[0])
        return _name(value.func)
    if isinstance(value, ast.Subscript | ast.Starred):
        return _name(value.value)
    if isinstance(value, ast.BinOp):
        return _name(value.left)
    if isinstance(value, ast.IfExp):
        return _name(value.body)
    if isinstance(value, ast.GeneratorExp | ast.ListComp):
        return _name(value.elt)
    return "value"


def _literal(text: str) -> str:
    out, depth = "", 0
    i = 0
    while i < len(text):
        if text[i : i + 2] in ("{{", "}}"):
            out += text[i]
            i += 2
            continue
        depth += (text[i] == "{") - (text[i] == "}")
        if not depth and text[i] != "}":
            out += text[i]
        i += 1
    return out
