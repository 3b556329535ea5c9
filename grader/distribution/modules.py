"""Which modules of this package some of them need: those they import, and so on, read off their text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

from grader.paths import PACKAGE


def needed(roots: Iterable[str], lazily: Iterable[str] = ()) -> dict[str, Path]:
    """Module -> file of `roots` and of all that they import at their top level, packages above them included.

    lazily: modules (and all below them) whose imports inside of functions count as well.
    """
    found: dict[str, Path] = {}
    lazy = tuple(lazily)
    left = list(roots)
    while left:
        name = left.pop()
        file = _file(name)
        if name in found or file is None:
            continue
        found[name] = file
        if "." in name:
            left.append(name.rpartition(".")[0])
        inside = any(name == one or name.startswith(f"{one}.") for one in lazy)
        left += _imports(file, name, inside)
    return dict(sorted(found.items()))


def below(package: str) -> list[str]:
    """Every module of a package of ours: `below("grader.selfcheck")`."""
    folder = PACKAGE.parent.joinpath(*package.split("."))
    return [package, *(f"{package}.{file.stem}" for file in folder.glob("*.py") if file.stem != "__init__")]


def _file(name: str) -> Path | None:
    place = PACKAGE.parent.joinpath(*name.split("."))
    return next((f for f in (place / "__init__.py", place.with_suffix(".py")) if f.is_file()), None)


def _imports(file: Path, name: str, inside: bool) -> Iterator[str]:
    """Names below `grader` that a file imports; of `from grader.intake import x`, both the package and grader.intake.x,
    which need not be a module."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    tree = ast.parse(file.read_bytes(), str(file))
    for node in ast.walk(tree) if inside else _top_level(tree.body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("grader"))
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            if origin.startswith("grader"):
                yield origin
                for alias in node.names:
                    yield _imported_when_asked_for(origin).get(alias.name, f"{origin}.{alias.name}")


@cache
def _imported_when_asked_for(package: str) -> dict[str, str]:
    """Name -> module of what a package has by `grader.lazily`, which it shows to a type checker as plain imports."""
    file = _file(package)
    if file is None:
        return {}
    blocks = (node for node in ast.parse(file.read_bytes()).body if _is_for_types(node))
    imports = (node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom))
    return {alias.name: node.module for node in imports if node.module for alias in node.names}


def _is_for_types(node: ast.stmt) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run on import: blocks too, but for what only a type checker reads."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and not _is_for_types(node):
            yield from _top_level([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from _top_level([*node.body, *node.orelse, *node.finalbody])
            for handler in node.handlers:
                yield from _top_level(handler.body)
        elif isinstance(node, ast.With):
            yield from _top_level(node.body)
