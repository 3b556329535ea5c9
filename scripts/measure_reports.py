"""Measure the reader of written reports on the examples: what it finds, finds wrong, and leaves to a person.

    scripts/measure_reports [NAME …]
    scripts/measure_reports --without [NAME …]     # the line of one answer taken out of a report, each in turn

Each file of examples/written is read as `grade` reads it: documents in a sealed worker, answers by the words that
assignment.toml declares. What is found is held against scripts/written/truth.toml, which says what a person reads in
the report: a number counts as found where it is one of the forms that stand there, whether the student is right or not.
Exit code 1: something was found wrong. With --without the reports are those that are text, and counted is what is read,
as a sure answer, from the lines that are left: it should be nothing, or the same answer from another line.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from grader.assignment import load_assignment
from grader.documents import ReportReader
from grader.intake import read_submission
from grader.intake.prose.amounts import same
from grader.intake.prose.questions import AnswerWords, Questions, read_questions
from grader.intake.prose.reader import lines_of, read_lines
from grader.numbers import ParsedNumber, parse_number
from grader.written import Written

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "examples" / "written"
TRUTH = ROOT / "scripts" / "written" / "truth.toml"
FOUND, WRONG, REVIEW, MISSED = "found", "wrong", "to a person", "missed"


GROUPS = {
    "reader tuned on these": "",
    "kept aside, seen since": "kept_aside",
    "again, seen since": "kept_aside_again",
    "unseen": "unseen",
}
"""Which reports the reader was made on, by the key that truth.toml gives them."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer of one report."""

    report: str
    key: str
    outcome: str
    said: str
    """What the report says, and what was read, where these differ."""


def truths() -> dict[str, dict[str, Any]]:
    """What each report states, by its name."""
    return tomllib.loads(TRUTH.read_text("utf-8"))


def group_of(stated: Mapping[str, Any]) -> str:
    """The title of the group that a report belongs to."""
    return next(title for title, key in reversed(GROUPS.items()) if not key or stated.get(key))


def judge(name: str, stated: Mapping[str, Any], written: Written, questions: Questions) -> Iterator[Judged]:
    """Every answer that the report states, and every one that it does not state and was found."""
    asked = {answer.key: answer for answer in questions.answers if answer.kind != "text"}
    open_ = set(stated.get("review", ()))
    for key, answer in asked.items():
        forms = stated.get(key, [])
        found = written.answers.get(key)
        forms = forms if isinstance(forms, list) else [forms]
        if found is None:
            if forms:
                yield Judged(name, key, REVIEW if key in open_ else MISSED, forms[0])
        elif not found.sure:
            yield Judged(name, key, REVIEW, f"{forms} as {[reading.value for reading in found.readings]}")
        else:
            value = found.readings[0].value
            right = key not in open_ and any(_is(value, form, answer) for form in forms)
            yield Judged(name, key, FOUND if right else WRONG, "" if right else f"{forms} as {value}")
    for run in questions.runs:
        yield from _run(name, run.part, stated.get(run.part, ""), written, run.results)
    for labels in questions.labels:
        due = str(stated.get(labels.part, ""))
        got = written.labels.get(labels.results)
        if due or got:
            right = got is not None and got.readings[0].value.replace("\n", ", ") == due
            outcome = MISSED if got is None else REVIEW if not got.sure else FOUND if right else WRONG
            yield Judged(name, labels.part, outcome, "" if outcome == FOUND else f"{due} as {got}")


def _is(value: str, form: str, answer: AnswerWords) -> bool:
    """Whether what was read is a form that stands in the report."""
    if answer.kind == "shape":
        return value == form
    one, other = parse_number(value, answer.unit), parse_number(form, answer.unit)
    return isinstance(one, ParsedNumber) and isinstance(other, ParsedNumber) and same(one, other)


def _run(name: str, part: str, stated: str, written: Written, results: str) -> Iterator[Judged]:
    """Six accuracies of a run of three epochs, one by one."""
    due = [pair.split("/") for pair in stated.split()]
    run = written.runs.get(results)
    if run is not None and run.unclear:
        yield from (Judged(name, f"{part} {i}", REVIEW, run.unclear) for i in range(2 * len(due) or 1))
        return
    epochs = list(run.epochs) if run else []
    if len(epochs) > len(due):
        yield Judged(name, part, WRONG, f"{len(due)} epochs as {len(epochs)}")
    for i, pair in enumerate(due):
        for kind, value in zip(("train_acc", "test_acc"), pair, strict=True):
            got = epochs[i].get(kind) if i < len(epochs) else None
            outcome = MISSED if got is None else FOUND if Decimal(got) == Decimal(value) else WRONG
            yield Judged(name, f"{part} epoch {i + 1} {kind}", outcome, f"{value} as {got}")


def measure(names: Sequence[str]) -> list[Judged]:
    """Read the reports and judge every answer."""
    assignment = load_assignment()
    questions = read_questions(assignment)
    assert questions is not None
    stated = truths()
    judged: list[Judged] = []
    with ReportReader(assignment) as reader:
        for path in sorted(REPORTS.iterdir()):
            if path.stem in stated and (not names or path.stem in names):
                written = reader.read(read_submission(path)).written
                assert written is not None
                judged += judge(path.name, stated[path.stem], written, questions)
    return judged


def without(names: Sequence[str]) -> Iterator[Judged]:
    """Every sure answer of the reports that are text, with its line taken out: what is read in its place."""
    questions = read_questions(load_assignment())
    assert questions is not None
    asked = {answer.key: answer for answer in questions.answers if answer.kind != "text"}
    stated = truths()
    for path in sorted(REPORTS.iterdir()):
        if path.suffix not in (".md", ".txt", ".tex", ".html") or (names and path.stem not in names):
            continue
        lines = path.read_text("utf-8").split("\n")
        for key, answer in read_lines(questions, lines_of(path.name, "\n".join(lines))).answers.items():
            at = re.search(r"line ([0-9]+)$", answer.readings[0].place)
            if key not in asked or not answer.sure or at is None:
                continue
            rest = [text if i != int(at[1]) else "" for i, text in enumerate(lines, 1)]
            left = read_lines(questions, lines_of(path.name, "\n".join(rest))).answers.get(key)
            forms = stated[path.stem].get(key, [])
            forms = forms if isinstance(forms, list) else [forms]
            if left is None or not left.sure:
                yield Judged(path.name, key, REVIEW if left else MISSED, "")
                continue
            value = left.readings[0].value
            right = any(_is(value, form, asked[key]) for form in forms)
            said = "" if right else f"{forms} as {value} in “{left.readings[0].sentence}”"
            yield Judged(path.name, key, FOUND if right else WRONG, said)


def line(title: str, judged: Sequence[Judged]) -> str:
    """One row of the table."""
    counts = Counter(one.outcome for one in judged)
    total = len(judged)
    shares = "  ".join(
        f"{counts[kind]:4d} {100 * counts[kind] / total:5.1f} %" for kind in (FOUND, WRONG, REVIEW, MISSED)
    )
    return f"{title:24s}{total:5d}  {shares}"


def main(names: Sequence[str]) -> int:
    """Print the table and whatever was not found; 1 where something was found wrong."""
    if "--without" in names:
        judged = list(without([name for name in names if not name.startswith("-")]))
        counts = Counter(one.outcome for one in judged)
        print(f"{len(judged)} answers taken out: {dict(counts)}")
        print("\n".join(f"{one.report} {one.key}: {one.said}" for one in judged if one.outcome == WRONG))
        return int(counts[WRONG] > 0)
    stated, judged = truths(), measure(names)
    print(
        f"{'report':24s}{'stated':>6s}  " + "".join(f"{kind:>12s}" for kind in (FOUND, WRONG, REVIEW, MISSED))
    )
    for report in dict.fromkeys(one.report for one in judged):
        print(line(report, [one for one in judged if one.report == report]))
    for title in GROUPS:
        own = [one for one in judged if group_of(stated[Path(one.report).stem]) == title]
        if own:
            print(line(title, own))
    print(line("all", judged))
    for one in judged:
        if one.outcome != FOUND:
            print(f"{one.outcome}: {one.report} {one.key}: {one.said}")
    return int(any(one.outcome == WRONG for one in judged))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
