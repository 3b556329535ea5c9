"""A test's statements as the body of a check: student functions are called through `student`, in the worker.

Where that would change what the test says, or would let a student's text act in the judge, the reasons are given
instead, and the test stays what it was: text.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from grader.importing.source import Source

_ACTS = {"eval", "exec", "compile", "__import__", "open", "globals", "locals", "vars", "input", "get_ipython"}
_MODULES = {
    "os",
    "subprocess",
    "shutil",
    "pickle",
    "inspect",
    "io",
    "contextlib",
    "sys",
    "importlib",
    "unittest",
}


@dataclass
class Turned:
    """What became of a test."""

    code: str
    """The body, without indentation; the text as it was where there are reasons."""
    functions: list[str] = field(default_factory=list)
    """Student functions that it calls."""
    variables: list[str] = field(default_factory=list)
    """Variables of the student's notebook that it reads."""
    arguments: dict[str, int] = field(default_factory=dict)
    """The most positional arguments that each was called with."""
    imports: list[str] = field(default_factory=list)
    """Import statements that it needs."""
    given: list[str] = field(default_factory=list)
    """Functions of the notebook's author that it uses, as text."""
    reasons: list[str] = field(default_factory=list)
    """Why a person has to write it; empty where it was turned."""
    notes: list[str] = field(default_factory=list)
    """What changed."""


def turn(code: str, known: Source, setup: str = "") -> Turned:
    """Turn one test of `known`; `setup` is put before it."""
    text = f"{setup}\n{code}".strip("\n") if setup else code.strip("\n")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return Turned(text, reasons=[f"it is not Python (line {error.lineno}: {error.msg})"])
    if not tree.body:
        return Turned(text, reasons=["it is empty"])
    names = _Names(tree)
    found = Turned(text)
    for name in sorted(names.free):
        _sort(name, names, known, found)
    found.reasons += dict.fromkeys(_changed_meaning(tree, set(found.functions)))
    if found.reasons:
        return found
    tuples = _TuplesAsLists({*found.functions, *found.variables} | names.holding(set(found.functions)))
    body = [tuples.visit(statement) for statement in tree.body]
    if tuples.changed:
        found.code = "\n".join(ast.unparse(statement) for statement in body)
        found.notes.append("tuples are compared as lists, which is how they arrive")
    for outer, inner in sorted(_nested(tree, set(found.functions))):
        found.notes.append(
            f"{outer} is called on what {inner} gave; if it is not students' work, copy it into test_imported.py"
        )
    if any(isinstance(n, ast.Attribute) and n.attr in ("seed", "manual_seed") for n in ast.walk(tree)):
        found.notes.append("it sets a seed, which does not reach the student's code: Call(…, seed=…) does")
    return found


def _sort(name: str, names: _Names, known: Source, found: Turned) -> None:
    """Put one free name where it belongs."""
    if name in known.imports:
        module = known.imports[name].split()[1].partition(".")[0]
        if module in _MODULES:
            found.reasons.append(f"it uses {module}")
        elif find_spec(module) is None:
            found.reasons.append(f"it uses {module}, which is not installed here")
        found.imports.append(known.imports[name])
    elif name in _ACTS:
        found.reasons.append(f"it calls {name}()")
    elif any(f"def {name}(" in helper for helper in known.helpers):
        return
    elif name in known.given:
        _give(name, known, found)
    elif known.others.get(name) == "class":
        found.reasons.append(f"{name} is a class: ask with Call(…, keep=…) for an object")
    elif known.others.get(name) == "given":
        found.reasons.append(
            f"{name} is given in the notebook: write it into the check, where nobody changes it"
        )
    elif name in known.others:
        found.variables.append(name)
        found.notes.append(f"{name} is read from the student's notebook, whose cells are run in order")
    elif name in known.functions or (not known.whole and name not in vars(builtins)):
        if name in names.only_called:
            found.functions.append(name)
            found.arguments[name] = names.only_called[name]
        else:
            found.reasons.append(
                f"{name} is used other than by a call: as a variable, or a function as a value"
            )
    elif name not in vars(builtins):
        found.reasons.append(f"{name} is defined nowhere")


def _give(name: str, known: Source, found: Turned) -> None:
    """The author's own function goes into the check file: in the worker, student code could change its answer."""
    text = known.given[name]
    if text in found.given:
        return
    found.given.append(text)
    names = _Names(ast.parse(text))
    for used in sorted(names.free - {name}):
        if used in known.functions or (used in known.others and used not in known.imports):
            found.reasons.append(f"{name}, which the notebook gives, uses {used}")
        else:
            _sort(used, names, known, found)


class _Names:
    """Which names the statements use."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        bound |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        bound |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                bound |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        loads = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
        self.free = {n.id for n in loads} - bound
        called = {id(call.func) for call in calls}
        values = {n.id for n in loads if id(n) not in called}
        self.only_called: dict[str, int] = {}
        """Name -> the most positional arguments."""
        for call in calls:
            assert isinstance(call.func, ast.Name)
            name = call.func.id
            if name not in values:
                self.only_called[name] = max(self.only_called.get(name, 0), len(call.args))

    def holding(self, functions: set[str]) -> set[str]:
        """Variables that were given what one of `functions` returned."""
        return {
            target.id
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Assign) and _calls(node.value, functions)
            for target in node.targets
            if isinstance(target, ast.Name)
        }


def _calls(node: ast.AST, functions: set[str]) -> bool:
    return any(
        isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in functions
        for n in ast.walk(node)
    )


def _nested(tree: ast.Module, functions: set[str]) -> set[tuple[str, str]]:
    """(outer, inner) where a student function is called on the result of another."""
    return {
        (outer.func.id, inner.func.id)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.Call) and isinstance(outer.func, ast.Name) and outer.func.id in functions
        for argument in outer.args
        for inner in ast.walk(argument)
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in functions
        if inner.func.id != outer.func.id
    }


def _changed_meaning(tree: ast.Module, functions: set[str]) -> Iterator[str]:
    """What would not say the same when student functions are called in another process."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) or _is_raises(node):
            yield "it expects an exception: student.replies() tells what was raised"
        elif isinstance(node, ast.Set) or _is_call_of(node, {"set", "frozenset"}):
            yield "it uses a set, which does not travel: let students return a list, or sort"
        elif _is_call_of(node, {"isinstance", "type"}) and _mentions(node, {"tuple", "set", "ndarray"}):
            yield "it asks for a type that does not travel: tuples arrive as lists, arrays as tensors"
        elif (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and _is_call_of(node.value, functions)
        ):
            yield "it calls for an effect: arguments are copies there, and what is printed is no value"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            modules = {a.name for a in node.names} if isinstance(node, ast.Import) else {node.module or ""}
            for module in sorted({m.partition(".")[0] for m in modules} & _MODULES):
                yield f"it uses {module}"
        elif isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global):
            yield "it uses statements that only a notebook runs"


def _is_call_of(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def _is_raises(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute | ast.Name) and (
        getattr(node, "attr", "") or getattr(node, "id", "")
    ) in {"raises", "assertRaises", "assert_raises"}


def _mentions(node: ast.AST, names: set[str]) -> bool:
    return any((getattr(n, "id", "") or getattr(n, "attr", "")) in names for n in ast.walk(node))


class _TuplesAsLists(ast.NodeTransformer):
    """In a comparison with what student code returned, tuples become lists; those of shapes stay."""

    def __init__(self, holders: set[str]) -> None:
        self._holders = holders
        self.changed = False

    def visit_Compare(self, node: ast.Compare) -> Any:
        sides = [node.left, *node.comparators]
        if not any(self._returned(side) for side in sides):
            return self.generic_visit(node)
        node.left, *node.comparators = [side if self._returned(side) else self._lists(side) for side in sides]
        return node

    def _returned(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call):
            return isinstance(node.func, ast.Name) and node.func.id in self._holders
        if isinstance(node, ast.Subscript):
            return self._returned(node.value)
        return isinstance(node, ast.Name) and node.id in self._holders

    def _lists(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Tuple):
            self.changed = True
            return ast.List([self._lists(item) for item in node.elts], ast.Load())
        if isinstance(node, ast.List):
            node.elts = [self._lists(item) for item in node.elts]
        return node
