"""What a file to be imported asks and tests, whatever its format."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

HALF = Fraction(1, 2)


@dataclass
class Test:
    """One test of a question."""

    name: str
    code: str
    """Python statements; a failed assert or anything raised fails it."""
    points: Fraction = Fraction(1)
    hidden: bool = False
    message: str = ""
    """What the author tells a student who fails it."""
    reasons: list[str] = field(default_factory=list)
    """Why it cannot be turned into a check mechanically, known from its format already."""
    setup: str = ""
    """Statements of another test that it builds upon."""


@dataclass
class Question:
    """What becomes a part."""

    name: str
    title: str
    asks: str
    tests: list[Test] = field(default_factory=list)
    by_person: Fraction | None = None
    """Points that a person gives; None where tests do."""


@dataclass
class Source:
    """One file."""

    name: str
    format: str
    questions: list[Question] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=dict)
    """Functions that students write, with their `def` line's arguments."""
    given: dict[str, str] = field(default_factory=dict)
    """Functions that students find in the notebook and tests use, as text: the check file gets its own."""
    others: dict[str, str] = field(default_factory=dict)
    """Other names that the notebook defines: "class", "variable", or "given" for one that students do not write."""
    imports: dict[str, str] = field(default_factory=dict)
    """Name -> the import that brings it."""
    helpers: list[str] = field(default_factory=list)
    """Definitions of a test file's own, as they stand."""
    whole: bool = False
    """True where the file holds what students write: a name that it does not define is a mistake then."""
    solution: dict[str, str] = field(default_factory=dict)
    """Files of the model solution."""
    starter: dict[str, str] = field(default_factory=dict)
    """Files of the starter kit."""
    notes: list[str] = field(default_factory=list)
    """What a person should look at."""


def slug(name: str) -> str:
    """A name as the word of a check's id."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "test"


def readable(name: str) -> str:
    """A name as a title: "test_low_primes" is "Low primes"."""
    words = re.sub(r"[_\-\s]+", " ", name).strip()
    words = re.sub(r"^(test|cell) (?=\w)", "", words)
    return words[:1].upper() + words[1:] or "Test"


def imports_in(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(name, import statement) of each name that is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                as_ = f" as {alias.asname}" if alias.asname else ""
                yield alias.asname or alias.name.partition(".")[0], f"import {alias.name}{as_}"
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                as_ = f" as {alias.asname}" if alias.asname else ""
                yield alias.asname or alias.name, f"from {node.module} import {alias.name}{as_}"


def shared_points(given: Mapping[str, Fraction | None], whole: Fraction | None) -> dict[str, Fraction]:
    """Points of the tests of one question, by otter-grader's rules: those given, the rest in equal shares."""
    open_ = [name for name, points in given.items() if points is None]
    fixed = sum((points for points in given.values() if points is not None), Fraction(0))
    if len(open_) == len(given) or (whole is None and not fixed):
        rest = Fraction(1) if whole is None else whole
        return {
            name: rest / max(len(open_), 1) if points is None else points for name, points in given.items()
        }
    share = Fraction(0) if whole is None or not open_ else max(whole - fixed, Fraction(0)) / len(open_)
    return {name: share if points is None else points for name, points in given.items()}
