"""otter-grader's test files: the OK format (`test = {…}` with doctests) and functions marked `@test_case`.

Formats: https://otter-grader.readthedocs.io, "Python Test Files". The files are parsed and never executed.
"""

from __future__ import annotations

import ast
import doctest
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from grader.errors import UsageError
from grader.importing.source import Question, Source, Test, imports_in, readable, shared_points

_NOT_LITERAL = "Only literals can be read without running the file: write them out, then import again."


def read_otter(name: str, text: str, stem: str) -> Source:
    """A test file, of either format. Raises UsageError where it is neither."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise UsageError(f"{name}, line {error.lineno}: {error.msg}.", "Give a Python file.") from None
    found = Source(name, "otter-grader")
    found.imports.update(
        (n, statement) for n, statement in imports_in(tree) if not statement.split()[1].startswith("otter")
    )
    values = dict(_assigned(tree))
    if "test" in values:
        found.questions = [ok_question(_literal(values["test"], name), stem)]
        return found
    cases = [(node, call) for node in tree.body if isinstance(node, ast.FunctionDef) for call in _case(node)]
    if not cases:
        raise UsageError(
            f"{name} holds neither `test = {{…}}` nor a function marked @test_case.",
            "Give a notebook, or a test file of otter-grader.",
        )
    marked = {node.name for node, _ in cases}
    found.helpers = [
        ast.get_source_segment(text, node) or ast.unparse(node)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name not in marked
    ]
    question = str(_literal(values["name"], name)) if "name" in values else stem
    whole = _points(_literal(values["points"], name)) if "points" in values else None
    found.questions = [_exception_question(question, whole, cases, text, name)]
    return found


def ok_question(test: Any, stem: str) -> Question:
    """The dict of the OK format. Raises UsageError where it is none."""
    try:
        cases = [case for suite in test["suites"] for case in suite["cases"]]
        codes = [str(case["code"]) for case in cases]
    except (KeyError, TypeError) as error:
        raise UsageError(f"The test {stem!r} is not in the OK format ({error!r}).", "") from None
    name = str(test.get("name") or stem)
    given = test.get("points")
    each = given if isinstance(given, list) and len(given) == len(cases) else [None] * len(cases)
    points = {str(i): _points(case.get("points", each[i])) for i, case in enumerate(cases)}
    shares = shared_points(points, None if isinstance(given, list) else _points(given))
    question = Question(name, readable(name), readable(name))
    for i, (case, code) in enumerate(zip(cases, codes, strict=True)):
        statements, reasons = from_doctest(code)
        question.tests.append(
            Test(
                str(case.get("name") or f"case {i + 1}"),
                statements,
                shares[str(i)],
                bool(case.get("hidden", False)),
                str(case.get("failure_message") or ""),
                reasons,
            )
        )
    return question


def from_doctest(code: str) -> tuple[str, list[str]]:
    """Statements with asserts that say what the doctest says, and the reasons where they cannot."""
    text = inspect.cleandoc(code) if not code.startswith(">>>") else code
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError as error:
        return code, [f"it is no doctest ({error})"]
    lines, reasons = [], []
    for example in examples:
        source, want = example.source.rstrip("\n"), example.want.strip()
        if example.exc_msg is not None:
            reasons.append("it expects an exception: student.replies() tells what was raised")
        elif example.options:
            reasons.append("it compares printed text loosely (a doctest option)")
        elif not want:
            lines.append(source)
        elif (said := _asserted(source, want)) is not None:
            lines.append(said)
        else:
            reasons.append("it compares printed text")
    return (text, list(dict.fromkeys(reasons))) if reasons else ("\n".join(lines), [])


def _asserted(source: str, want: str) -> str | None:
    """`x == 1` with the output True is `assert x == 1`; None where the output is no literal."""
    try:
        parsed = ast.parse(source.strip().rstrip(";"), mode="eval").body
        value = ast.literal_eval(want)
    except (SyntaxError, ValueError):
        return None
    expression = source.strip().rstrip(";")
    if value is True:
        return f"assert {expression}"
    if not isinstance(parsed, ast.Call | ast.Name | ast.Attribute | ast.Subscript):
        expression = f"({expression})"
    return f"assert not {expression}" if value is False else f"assert {expression} == {want}"


def _exception_question(
    question: str,
    whole: Fraction | None,
    cases: list[tuple[ast.FunctionDef, Mapping[str, Any]]],
    text: str,
    name: str,
) -> Question:
    shares = shared_points({node.name: _points(call.get("points")) for node, call in cases}, whole)
    tests = []
    for node, call in cases:
        body = _Environment().visit(ast.Module(list(node.body), []))
        documented = ast.get_docstring(node) is not None
        statements = body.body[1:] if documented else body.body
        arguments = [argument.arg for argument in node.args.args]
        tests.append(
            Test(
                str(call.get("name") or node.name),
                _source(statements, text),
                shares[node.name],
                bool(call.get("hidden", False)),
                str(call.get("failure_message") or ""),
                ["it takes the student's whole environment"]
                if _uses(statements, "env") and "env" in arguments
                else [],
            )
        )
    return Question(question, readable(question), readable(question), tests)


class _Environment(ast.NodeTransformer):
    """env["sieve"] is the student's sieve."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if (
            isinstance(node.value, ast.Name)
            and node.value.id == "env"
            and isinstance(node.slice, ast.Constant)
        ):
            return ast.copy_location(ast.Name(str(node.slice.value), node.ctx), node)
        return node


def _source(statements: list[ast.stmt], text: str) -> str:
    """The statements as they stand where nothing was put in, so that comments stay."""
    if not statements:
        return ""
    first, last = statements[0].lineno - 1, statements[-1].end_lineno
    while first > 0 and text.splitlines()[first - 1].lstrip().startswith("#"):
        first -= 1
    lines = text.splitlines()[first:last]
    as_they_stand = "\n".join(lines)
    if "env" in as_they_stand or lines[0][: statements[0].col_offset].strip():
        return "\n".join(ast.unparse(statement) for statement in statements)
    return textwrap.dedent(as_they_stand)


def _uses(statements: list[ast.stmt], name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for s in statements for n in ast.walk(s))


def _case(node: ast.FunctionDef) -> Iterator[Mapping[str, Any]]:
    """What the decorator test_case was given."""
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if (getattr(call, "id", "") or getattr(call, "attr", "")) != "test_case":
            continue
        keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
        yield {k.arg: _literal(k.value, node.name) for k in keywords if k.arg}


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))


def _literal(node: ast.expr, where: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise UsageError(
            f"{where}, line {node.lineno}: this is computed, not written.", _NOT_LITERAL
        ) from None


def _points(value: Any) -> Fraction | None:
    if value is None or isinstance(value, bool | list):
        return None
    return Fraction(str(value))
