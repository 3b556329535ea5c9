"""Collects what a student can read, for the catalogues of other languages: docs/languages.md.

    python -m scripts.messages            bring every catalogue up to date: new messages in, old ones out
    python -m scripts.messages --check    say what is missing, stale or filled in wrongly; exit code 1 for any
    python -m scripts.messages --new xx   start the catalogues of a language

Messages are read off the syntax trees of the sources, f-strings with their values as placeholders, because they are
written where they are meant: no source marks its sentences for translation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polib

from grader.languages.pattern import pattern
from scripts.sentences import (
    PHRASE,
    SENTENCE,
    messages_of,
    messages_of_assignment,
    messages_of_template,
    titles_of,
)

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 110
PARSED = "grader/numbers/parse.py"


@dataclass(frozen=True, slots=True)
class Source:
    """What one catalogue is collected from."""

    catalogues: str
    """Folder of the catalogues, one `xx.po` a language."""
    code: tuple[str, ...]
    """Python files, as globs."""
    templates: tuple[str, ...] = ()
    assignment: str = ""
    titles: bool = False
    """True where the first line of a test's docstring is the title of a check."""


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
            "grader/grade_command.py",
            "grader/assignment.py",
            "grader/intake/*.py",
            "grader/languages/*.py",
            "grader/intake/archives/*.py",
            "grader/intake/prose/*.py",
            "grader/numbers/*.py",
            "grader/pipeline.py",
            "grader/render/*.py",
            "grader/selfcheck/*.py",
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
    Source("tests/transformer/public/languages", ("tests/transformer/public/test_*.py",), titles=True),
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
    "checking/ahead.py",
    "checking/surroundings.py",
    "checking/warm.py",
    "checking/marks.py",
    "magics.py",
    "worker_finetuning.py",
    "grader/document.py",
    "render/cells.py",
)
"""Figures for instructors; words that are searched for in written reports; how the processes of the grader talk to each
other and seal themselves; what only authors of checks are told; markup."""


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
        if source.titles:
            for text in titles_of(file.read_text(encoding="utf-8")):
                found.add(text, str(file.relative_to(ROOT)))
    of_numbers = [text for text, files in found.found.items() if PARSED in files]
    for text in of_numbers:  # grader.numbers.judge puts a name in place of "It"
        if text.startswith("It is "):
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


if __name__ == "__main__":
    sys.exit(main())
