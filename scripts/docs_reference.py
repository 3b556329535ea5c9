"""Reference pages made from the code, so that they cannot be stale: commands, exit codes, errors, keys, the report.

python scripts/docs_reference.py DIR      # writes them there; the site makes them when it is built
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

import grader  # noqa: E402
from grader import assignment as declarations  # noqa: E402
from grader import errors  # noqa: E402
from grader.classroom import policy  # noqa: E402
from grader.cli import main as program  # noqa: E402
from grader.exitcode import ExitCode  # noqa: E402


def pages() -> dict[str, str]:
    """Every page by its path in the site."""
    return {
        "api/commands.md": commands(),
        "api/exit-codes.md": exit_codes(),
        "api/errors.md": exceptions(),
        "api/keys.md": keys(),
        "api/report-json.md": report_json(),
    }


def commands() -> str:
    """Each command with its help and its options, as the program knows them."""
    lines = [
        "# Commands",
        "",
        "`grade PATH` grades; the other words are commands. `grade COMMAND --help` says the same.",
    ]
    context = click.Context(program, info_name="grade")
    for name in ("run", *program.list_commands(context)):
        command = program.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        lines += _command(f"grade {'PATH' if name == 'run' else name}", command, inner)
    return "\n".join(lines) + "\n"


def _command(shown: str, command: click.Command, context: click.Context) -> Iterator[str]:
    usage = command.collect_usage_pieces(context)
    usage = [piece for piece in usage if not (shown.endswith("PATH") and piece == "PATH")]
    help_ = _text(inspect.cleandoc(command.help or ""))
    yield from ("", f"## {shown}", "", f"`{shown} {' '.join(usage)}`", "", help_)
    rows = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    if rows:
        yield from ("", "| option | meaning |", "|---|---|", *(_option(option, context) for option in rows))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _command(
                f"{shown} {name}", below, click.Context(below, info_name=name, parent=context)
            )


def _text(help_: str) -> str:
    return help_.partition("\f")[0].replace("\b\n", "")


def _option(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    metavar = "" if option.is_flag else f" {option.make_metavar(context)}"
    names = names[:-1] + metavar + "`"
    return f"| {_cell(names)} | {_cell(option.help or '')} |"


def exit_codes() -> str:
    """The numbers, with the sentence that the code has for each."""
    rows = [f"| {ExitCode[name].value} | `{name}` | {_cell(said)} |" for name, said in _attributes(ExitCode)]
    return "\n".join(
        [
            "# Exit codes",
            "",
            inspect.getdoc(ExitCode) or "",
            "",
            "| code | name | meaning |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _attributes(cls: type) -> Iterator[tuple[str, str]]:
    """Names assigned in the body of a class, each with the string below it."""
    (tree,) = ast.parse(inspect.getsource(cls)).body
    assert isinstance(tree, ast.ClassDef)
    for node, below in zip(tree.body, [*tree.body[1:], ast.Pass()], strict=True):
        if (
            isinstance(node, ast.Assign)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            (name,) = (target.id for target in node.targets if isinstance(target, ast.Name))
            yield name, str(below.value.value)


def exceptions() -> str:
    """Every error that a user can be told, as a tree with what it means."""
    for module in pkgutil.walk_packages(grader.__path__, "grader."):
        if not module.name.endswith("__main__") and ".inside" not in module.name:
            importlib.import_module(module.name)
    lines = [
        "# Errors",
        "",
        "Each has a `message` and a `next_step`. `grade --debug` shows where it was raised.",
        "",
    ]
    return "\n".join([*lines, *_tree(errors.GraderError, 0), ""])


def _tree(cls: type, depth: int) -> Iterator[str]:
    yield f"{'    ' * depth}- `{cls.__module__}.{cls.__name__}`: {' '.join((inspect.getdoc(cls) or '').split())}"
    for below in sorted(cls.__subclasses__(), key=lambda c: (c.__module__, c.__name__)):
        if below.__module__.startswith("grader."):
            yield from _tree(below, depth + 1)


def keys() -> str:
    """Keys of assignment.toml with where they may stand; the keys of course.toml."""
    tables = {"top": declarations._TOP, "[[part]]": declarations._PART, "[[check]]": declarations._CHECK}
    rows = [f"| `{key}` | {where} |" for where, known in tables.items() for key in sorted(known)]
    course = inspect.getdoc(policy) or ""
    head = ["# Keys of the TOML files", "", "## assignment.toml", ""]
    more = [
        "",
        'What each means: [Writing checks](../authoring.md). Any other key is refused, with a "did you mean".',
        "",
    ]
    return "\n".join(
        [*head, "| key | table |", "|---|---|", *rows, *more, "## course.toml", "", _blocks(course), ""]
    )


def _blocks(text: str) -> str:
    """Indented blocks of a docstring as TOML."""
    return re.sub(
        r"((?:^    .*\n|^\n)+)",
        lambda m: f"\n```toml\n{inspect.cleandoc(m[1])}\n```\n\n" if m[1].strip() else m[1],
        text,
        flags=re.M,
    )


def report_json() -> str:
    """Every field of report.json from its JSON Schema."""
    schema = json.loads((REPOSITORY / "grader" / "report.schema.json").read_text("utf-8"))
    lines = [
        "# Fields of report.json",
        "",
        "From its JSON Schema; [The report](../report.md) explains them.",
        "",
    ]
    return "\n".join(
        [*lines, "| field | type | meaning |", "|---|---|---|", *_fields(schema, schema, ""), ""]
    )


def _fields(schema: Mapping[str, Any], root: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        found = _resolved(field, root)
        place = f"{path}.{name}".strip(".")
        yield f"| `{place}` | {_kind(found, root)} | {_cell(field.get('description', found.get('description', '')))} |"
        yield from _fields(found, root, place)
        if "items" in found:
            yield from _fields(_resolved(found["items"], root), root, f"{place}[]")


def _resolved(field: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in field:
        found: Mapping[str, Any] = root["$defs"][field["$ref"].rpartition("/")[2]]
        return found
    return field


def _kind(field: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    if "enum" in field:
        return " or ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "oneOf" in field or "anyOf" in field:
        either = field.get("oneOf") or field["anyOf"]
        return " or ".join(dict.fromkeys(_kind(_resolved(one, root), root) for one in either))
    kind = field.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    for path, text in pages().items():
        target = Path(sys.argv[1]) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        print(target)
