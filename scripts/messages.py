"""Collects what a student can read, for the catalogues of other languages: docs/languages.md.

    python -m scripts.messages            bring every catalogue up to date: new messages in, old ones out
    python -m scripts.messages --check    say what is missing, stale or filled in wrongly; exit code 1 for any
    python -m scripts.messages --new xx   start the catalogues of a language

Messages are read off the syntax trees of the sources, f-strings with their values as placeholders, because they are
written where they are meant: no source marks its sentences for translation.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter

import polib
from jinja2 import Environment, nodes

from grader.languages.pattern import pattern

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 110
PHRASE, SENTENCE = 2, 4
"""Words that a text has at the least; in the bank of misconceptions shorter ones are names of variants."""


@dataclass(frozen=True, slots=True)
class Source:
    """What one catalogue is collected from."""

    catalogues: str
    """Folder of the catalogues, one `xx.po` a language."""
    code: tuple[str, ...]
    """Python files, as globs."""
    templates: tuple[str, ...] = ()
    assignment: str = ""


SOURCES = (
    Source(
        "grader/languages",
        (
            "grader/checking/*.py",
            "grader/diagnosis.py",
            "grader/document*.py",
            "grader/entries.py",
            "grader/errors.py",
            "grader/frontdoor.py",
            "grader/cli.py",
            "grader/assignment.py",
            "grader/intake/*.py",
            "grader/languages/*.py",
            "grader/intake/archives/*.py",
            "grader/intake/prose/*.py",
            "grader/numbers/*.py",
            "grader/pipeline.py",
            "grader/render/*.py",
            "grader/text.py",
            "grader/worker/*.py",
            "grader/worker/inside/*.py",
        ),
        ("templates/report.html.j2", "templates/report.md.j2", "templates/partials/*.j2"),
    ),
    Source(
        "tests/transformer/languages",
        ("tests/transformer/*.py", "reference/transformer/*.py", "reference/transformer/misconceptions/*.py"),
        assignment="tests/transformer/assignment.toml",
    ),
)

NOT_SHOWN_FILES = (
    "report.py",
    "report_sections.py",
    "real_run.py",
    "history.py",
    "transformer/assets.py",
    "derivations.py",
    "news.py",
    "comparison.py",
    "panels.py",
    "transformer/evaluation.py",
    "prose/accuracies.py",
    "prose/figures.py",
    "prose/grammar.py",
    "prose/lines.py",
    "prose/questions.py",
    "prose/outline.py",
    "prose/amounts.py",
    "seccomp.py",
    "syscalls.py",
    "landlock.py",
    "kernel.py",
    "channel.py",
    "forking.py",
    "twin.py",
    "host.py",
    "zygote.py",
    "seal.py",
    "root.py",
    "connection.py",
    "spec.py",
    "probe.py",
    "pickled_weights.py",
    "worker/calls.py",
    "checking/warm.py",
    "checking/marks.py",
    "magics.py",
    "worker_finetuning.py",
    "grader/document.py",
)
"""Figures for instructors; words that are searched for in written reports; how the processes of the grader talk to each
other and seal themselves; what only authors of checks are told."""
NOT_SHOWN_KEYWORDS = frozenset(
    {"belief", "why", "help", "metavar", "old", "new", "default", "pattern", "edits"}
)
NOT_SHOWN_CALLS = frozenset(
    {
        "compile", "Edit", "_edit", "RuntimeError", "ValueError", "TypeError", "AssertionError", "KeyError",
        "getLogger", "option", "argument", "AssignmentError", "Protocol", "Stop", "TypeVar", "cast", "version_option",
        "replace", "split", "partition", "startswith", "endswith", "encode", "fullmatch", "match", "search", "sub",
    }
)  # fmt: skip


@dataclass(slots=True)
class Messages:
    """What was collected, in the order of the sources."""

    found: dict[str, list[str]] = field(default_factory=dict)
    """By message: the files that it stands in. Lines are left out: they would change with every edit."""

    def add(self, text: str, file: str) -> None:
        files = self.found.setdefault(text, [])
        if file not in files:
            files.append(file)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="only say what is wrong")
    parser.add_argument("--new", metavar="LANG", help="start the catalogues of a language")
    asked = parser.parse_args()
    problems = []
    for source in SOURCES:
        found = collect(source)
        folder = ROOT / source.catalogues
        if asked.new:
            folder.mkdir(exist_ok=True)
            _empty(asked.new).save(str(folder / f"{asked.new}.po"))
        for file in sorted(folder.glob("*.po")):
            catalogue = polib.pofile(str(file), encoding="utf-8", wrapwidth=WIDTH)
            if not asked.check:
                update(catalogue, found)
                catalogue.save(str(file))
            problems += [f"{file.relative_to(ROOT)}: {problem}" for problem in problems_of(catalogue, found)]
    print("\n".join(problems) or "Every message has its translation.")
    return 1 if problems else 0


def _empty(code: str) -> polib.POFile:
    catalogue = polib.POFile(wrapwidth=WIDTH)
    catalogue.metadata = {
        "Language": code,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
    }
    return catalogue


def update(catalogue: polib.POFile, found: Messages) -> None:
    """New messages come in without a translation, old ones go; the order is that of the sources."""
    known = {entry.msgid: entry for entry in catalogue}
    catalogue.clear()
    for message, files in found.found.items():
        entry = known.get(message) or polib.POEntry(msgid=message)
        entry.occurrences = [(file, "") for file in files]
        catalogue.append(entry)


def problems_of(catalogue: polib.POFile, found: Messages) -> list[str]:
    """What is missing, stale, or has other placeholders than its message; a sentence each."""
    problems = [f"stale: {entry.msgid!r}" for entry in catalogue if entry.msgid not in found.found]
    known = {entry.msgid: entry for entry in catalogue}
    for message in found.found:
        entry = known.get(message)
        if entry is None or not entry.translated():
            problems.append(f"not translated: {message!r}")
        elif (wrong := misfilled(message, entry.msgstr)) is not None:
            problems.append(f"{wrong}: {message!r}")
    return problems


def misfilled(message: str, translation: str) -> str | None:
    """Why a translation cannot be filled with the values of its message; None where it can."""
    try:
        there, here = pattern(message).names, pattern(translation).names
    except ValueError as error:
        return str(error)
    if sorted(there) != sorted(set(here)):
        return f"other placeholders ({', '.join(here) or 'none'})"
    return None


def collect(source: Source) -> Messages:
    found = Messages()
    for file in _files(source.code):
        if not str(file).endswith(NOT_SHOWN_FILES):
            least = SENTENCE if "misconceptions" in file.parts else PHRASE
            for text in messages_of(file.read_text(encoding="utf-8"), least):
                found.add(text, str(file.relative_to(ROOT)))
    for text in [
        text for text, files in found.found.items() if text.startswith("It is ") and PARSED in files
    ]:  # grader.numbers.judge names "It"
        found.add("{key} is " + text.removeprefix("It is "), "grader/numbers/judge.py")
    for file in _files(source.templates):
        for text in messages_of_template(file.read_text(encoding="utf-8")):
            found.add(text, str(file.relative_to(ROOT)))
    if source.assignment:
        for text in messages_of_assignment(ROOT / source.assignment):
            found.add(text, source.assignment)
    return found


def _files(globs: Iterable[str]) -> Iterator[Path]:
    for glob in globs:
        yield from sorted(ROOT.glob(glob))


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


def messages_of(code: str, least: int = PHRASE) -> Iterator[str]:
    """Every sentence and phrase in a module: at least two words, or one on a line `# message`."""
    tree = ast.parse(code)
    lines = code.splitlines()
    yield from _Reader(lines, least).read(tree)


PARSED = "grader/numbers/parse.py"
HIDDEN_ARGUMENTS = {
    "Mistake": (2,),
    "_entry": (2,),
    "Prose": (2,),
    "Concept": (1,),
    "Quantity": (3,),
    "get": (0,),
}
"""Positional arguments that no student sees: beliefs, model answers, search words, derivations."""
NOT_SHOWN_NAMES = frozenset({"_BELIEFS", "_EPILOG"})


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


if __name__ == "__main__":
    sys.exit(main())
