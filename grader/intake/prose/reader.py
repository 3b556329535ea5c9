"""The whole way from the files of a hand-in to what its reports say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from grader.intake.notebook import notebook_claims
from grader.intake.prose.arithmetic import find_flags
from grader.intake.prose.claims import MOST_CLAIMS, Claim, Counter, in_text
from grader.intake.prose.latex import latex_lines
from grader.intake.prose.lines import Line, Shape, bounded, with_decimal_points
from grader.intake.prose.loose import loose_lines
from grader.intake.prose.markdown import markdown_lines
from grader.intake.prose.match import Match, match
from grader.intake.prose.outline import Outline
from grader.intake.prose.passages import read_labels, read_passage
from grader.intake.prose.questions import Questions
from grader.intake.prose.rows import in_table
from grader.intake.prose.runs import read_runs
from grader.intake.prose.statements import Statement, Table, read_statements
from grader.intake.prose.web import web_lines
from grader.intake.text import read_text
from grader.model import ArtifactKind, Submission, SubmittedFile
from grader.starter import starter_contents
from grader.written import Document, Reading, Written, WrittenAnswer

MOST_REPORTS = 40
"""Files of one hand-in that are read as reports."""
_LARGEST = 20_000_000
_DOCUMENTS = (".pdf", ".docx")
_NOT_REPORTS = re.compile(
    r"(?:.*/)?(?:requirements[\w.-]*|constraints|licen[sc]e|copying|changelog|vocab|merges)(?:\.\w+)?$",
    re.IGNORECASE,
)
_MOST_FLAGS = 12


def needs_extraction(file: SubmittedFile) -> bool:
    """Whether its text has to be drawn out of it by a library: a PDF or Word file."""
    return file.kind is ArtifactKind.REPORT and file.path.lower().endswith(_DOCUMENTS) and not file.problem


def read_written(questions: Questions, submission: Submission, documents: Sequence[Document] = ()) -> Written:
    """What the reports of a hand-in say: its text files, the text of its documents, the text cells of its notebooks.

    Nothing of a student's raises here.
    """
    reports, notes = _reports(submission, {document.path: document for document in documents})
    outline = Outline(questions.parts, questions.titles)
    said: list[Statement | Table] = []
    for lines in reports.values():
        said += read_statements(with_decimal_points(lines), outline)
    return _written(questions, outline, said, list(reports), notes)


def read_lines(questions: Questions, lines: Sequence[Line]) -> Written:
    """The same for the lines of one report."""
    outline = Outline(questions.parts, questions.titles)
    said = read_statements(with_decimal_points(list(lines)), outline)
    return _written(questions, outline, said, [], [])


def lines_of(path: str, text: str) -> list[Line]:
    """The lines of one report that is a text file."""
    ending = path[path.rfind(".") :].lower()
    if ending in (".html", ".htm"):
        pages = web_lines("\n".join(bounded(text)))
        return loose_lines([(line, f"{path}, line {number}") for line, number in pages])
    reader = {".md": markdown_lines, ".markdown": markdown_lines, ".tex": latex_lines}.get(
        ending, loose_lines
    )
    return reader([(line, f"{path}, line {i}") for i, line in enumerate(bounded(text), 1)])


# ---------------------------------------------------------------- files


def _reports(
    submission: Submission, documents: Mapping[str, Document]
) -> tuple[dict[str, list[Line]], list[str]]:
    """The lines of every report by its path, and a sentence on each that could not be read."""
    reports: dict[str, list[Line]] = {}
    notes: list[str] = []
    for file in submission.files:
        if file.kind is not ArtifactKind.REPORT or file.problem or _NOT_REPORTS.match(file.path):
            continue
        if file.content in starter_contents():
            continue  # our own words, handed back
        if len(reports) >= MOST_REPORTS:
            notes.append(f"Only {MOST_REPORTS} texts of the hand-in were read for answers.")
            break
        if file.path in documents:
            document = documents[file.path]
            notes += [f"{file.path}: {note}" for note in document.notes]
            places = [(text, f"{file.path}, {place}") for text, place in document.passages]
            reports[file.path] = loose_lines(places)
        elif not needs_extraction(file):
            decoded = read_text(file, _LARGEST)
            if decoded.text is None:
                notes.append(str(decoded.problem))
            else:
                reports[file.path] = lines_of(file.path, decoded.text)
    reports |= _notebooks(submission)
    return reports, notes


def _notebooks(submission: Submission) -> dict[str, list[Line]]:
    """Text cells and saved outputs, one notebook after the other: an output belongs to the text above it."""
    out: dict[str, list[Line]] = {}
    for claim in notebook_claims(submission):
        path = claim.place.rpartition(", ")[0]
        source = [(line, claim.place) for line in bounded(claim.text)]
        if claim.printed:
            lines = [
                Line(Shape.TEXT if text.strip() else Shape.GAP, text.strip(), place, fresh=True, printed=True)
                for text, place in source
            ]
        else:
            lines = markdown_lines(source)
        out.setdefault(path, []).extend([*lines, Line(Shape.GAP, "", claim.place)])
    return out


# ---------------------------------------------------------------- answers


def _written(
    questions: Questions,
    outline: Outline,
    said: Sequence[Statement | Table],
    paths: Sequence[str],
    notes: list[str],
) -> Written:
    claims = read_claims(said, outline)
    matches = match(questions, claims)
    answers = {key: _answer(found) for key, found in matches.items() if found.candidates}
    for answer in questions.answers:
        if answer.kind == "text" and (passage := read_passage(answer, said)):
            answers[answer.key] = passage
    runs, flags = read_runs(questions.runs, said)
    labels = {one.results: found for one in questions.labels if (found := read_labels(one, said))}
    by_claim = {id(c.claim): key for key, m in matches.items() if m.sure for c in m.candidates}
    for claim, flag in find_flags(claims):
        key = by_claim.get(id(claim))
        flags.append(flag)
        if key is not None:
            answers[key] = WrittenAnswer(
                answers[key].readings, (*answers[key].notes, flag), answers[key].sure
            )
    if paths and (answers or runs or labels):
        notes = [f"Answers were looked for in {', '.join(paths)}.", *notes]
    shown = tuple(dict.fromkeys(flags))[:_MOST_FLAGS]
    return Written(answers, runs, labels, tuple(paths), tuple(notes), shown)


def read_claims(said: Iterable[Statement | Table], outline: Outline) -> list[Claim]:
    """All claims, in their order."""
    counter = Counter()
    out: list[Claim] = []
    for item in said:
        if isinstance(item, Statement):
            out += in_text(item.text, item, counter)
        else:
            out += in_table(item, outline, counter)
        if len(out) >= MOST_CLAIMS:
            break
    return out[:MOST_CLAIMS]


def _answer(found: Match) -> WrittenAnswer:
    readings = tuple(Reading(c.best.value, c.best.form.place, c.best.form.sentence) for c in found.candidates)
    return WrittenAnswer(readings, (found.why,) if found.why else (), found.sure)
