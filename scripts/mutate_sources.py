"""The mutants of a module of the reference: every change that cosmic-ray and mutmut make, as source text.

cosmic-ray exchanges operators, numbers, comparisons and decorators anywhere in a file; mutmut also drops arguments of
calls, puts None in their place and in that of what is assigned, and changes texts, inside functions. Both are asked
through their own lists of mutations, so that nothing is left out that they would try.
"""

from __future__ import annotations

import ast
import contextlib
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
REFERENCE = REPOSITORY / "reference" / "transformer"
EQUIVALENT = REFERENCE / "equivalent_mutants.toml"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed copy of a module."""

    module: str
    """Name of the file without .py, for example "attention"."""
    tool: str
    """"cosmic-ray" or "mutmut"."""
    scope: str
    """Function or class that holds the change, for example "MultiHeadAttention.__init__"; empty at the top level."""
    line: int
    """First changed line of the file, counted from 1."""
    before: str
    """The changed lines of the original, on one line, without the space around them."""
    after: str
    """What they are changed to."""
    source: str
    """The whole changed file."""

    def __str__(self) -> str:
        where = f"{self.module}.py:{self.line}" + (f" in {self.scope}" if self.scope else "")
        return f"{where}\n    - {self.before}\n    + {self.after}"


@dataclass(frozen=True, slots=True)
class Mutants:
    """The mutants of one module, each once."""

    module: str
    distinct: tuple[Mutant, ...]
    """In the order of the file."""
    not_python: int
    """Changes that no longer parse: cosmic-ray takes the * of `def f(*, a)` for a product."""
    annotations: int
    """Changes inside annotations alone, which `from __future__ import annotations` keeps from being evaluated."""


def mutants_of(module: str, every: int = 1) -> Mutants:
    """The mutants of reference/transformer/`module`.py: all, or every so many of them."""
    source = (REFERENCE / f"{module}.py").read_text(encoding="utf-8")
    seen = {_shape(source)}
    distinct: list[Mutant] = []
    not_python = annotations = 0
    changes = [("cosmic-ray", change) for change in _cosmic_ray(source)]
    changes += [("mutmut", change) for change in _mutmut(source)]
    for tool, change in changes[::every]:
        changed = change()
        try:
            shape = _shape(changed)
        except SyntaxError:
            not_python += 1
            continue
        if shape not in seen:
            seen.add(shape)
            distinct.append(_described(module, tool, source, changed))
        elif shape == _shape(source):
            annotations += 1
    return Mutants(module, tuple(sorted(distinct, key=lambda m: m.line)), not_python, annotations)


def _cosmic_ray(source: str) -> Iterator[Callable[[], str]]:
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.operators.provider import OperatorProvider

    provider = OperatorProvider()
    nodes = list(ast_nodes(get_ast(source)))
    for name in provider:
        kind = provider[name]
        if kind.arguments():
            continue  # replaces variables by random numbers, and only those that a configuration names
        places = sum(len(list(kind().mutation_positions(node))) for node in nodes)
        yield from (partial(mutate_code, source, kind(), occurrence) for occurrence in range(places))


def _mutmut(source: str) -> Iterator[Callable[[], str]]:
    from mutmut.mutation.file_mutation import Mutation, create_mutations

    with contextlib.chdir(REPOSITORY):  # mutmut reads [tool.mutmut] of the working folder
        tree, mutations, *_ = create_mutations("", source)

    def applied(mutation: Mutation) -> str:
        changed = tree.deep_replace(mutation.original_node, mutation.mutated_node)
        assert isinstance(changed, type(tree))
        return changed.code

    for mutation in mutations:
        if mutation.contained_by_top_level_function is not None:  # it runs no others
            yield partial(applied, mutation)


def _shape(source: str) -> str:
    """The syntax tree as text, without annotations where they are not evaluated."""
    tree = ast.parse(source)
    postponed = any(isinstance(n, ast.ImportFrom) and n.module == "__future__" for n in tree.body)
    for node in ast.walk(tree) if postponed else ():
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Name("annotation")
    return ast.dump(tree)


def _described(module: str, tool: str, source: str, changed: str) -> Mutant:
    old, new = source.splitlines(), changed.splitlines()
    start = next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    before, after = (" ".join(" ".join(part[start : len(part) - end]).split()) for part in (old, new))
    return Mutant(module, tool, _scope(source, start + 1), start + 1, before, after, changed)


def _scope(source: str, line: int) -> str:
    """The innermost functions and classes around a line, joined by dots."""
    names: list[str] = []
    body: Iterable[ast.AST] = ast.parse(source).body
    while inner := next((node for node in body if _holds(node, line)), None):
        names.append(inner.name)  # type: ignore[attr-defined]
        body = inner.body  # type: ignore[attr-defined]
    return ".".join(names)


def _holds(node: ast.AST, line: int) -> bool:
    if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return False
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return first <= line <= (node.end_lineno or first)


# ---------------------------------------------------------------- equivalent ones


@dataclass(frozen=True, slots=True)
class Equivalent:
    """Changes of one line that change nothing a check can see, and why; an entry of equivalent_mutants.toml."""

    module: str
    scope: str
    before: str
    after: tuple[str, ...]
    why: str

    def covers(self, mutant: Mutant) -> bool:
        """True where this entry is about `mutant`."""
        place = (mutant.module, mutant.scope, mutant.before)
        return place == (self.module, self.scope, self.before) and mutant.after in self.after


def unused(known: Iterable[Equivalent], found: Mutants) -> list[str]:
    """What the list has of this module and no tool makes any more: the line was changed, or never was like that."""
    return [
        f"{entry.module}, {entry.scope}: {after}"
        for entry in known
        if entry.module == found.module
        for after in entry.after
        if not any(entry.covers(mutant) and mutant.after == after for mutant in found.distinct)
    ]


def equivalents() -> tuple[Equivalent, ...]:
    """The entries of equivalent_mutants.toml."""
    document = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))
    return tuple(
        Equivalent(e["module"], e["scope"], e["before"], tuple(e["after"]), e["why"])
        for e in document.get("mutant", ())
    )
