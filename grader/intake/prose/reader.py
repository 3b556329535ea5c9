"""The whole way from the files of a hand-in to what its reports say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grader.intake.prose.claims import read_claims
from grader.intake.prose.latex import latex_lines
from grader.intake.prose.lines import Line, bounded
from grader.intake.prose.loose import loose_lines
from grader.intake.prose.markdown import markdown_lines
from grader.intake.prose.match import Match, match
from grader.intake.prose.outline import Outline
from grader.intake.prose.questions import Questions
from grader.intake.prose.statements import Statement, Table, read_statements
from grader.written import Reading, Written, WrittenAnswer

_READERS = {".md": markdown_lines, ".markdown": markdown_lines, ".tex": latex_lines}


def lines_of(path: str, text: str) -> list[Line]:
    """The lines of one report that is a text file."""
    ending = path[path.rfind(".") :].lower()
    reader = _READERS.get(ending, loose_lines)
    return reader([(line, f"{path}, line {i}") for i, line in enumerate(bounded(text), 1)])


def read_reports(questions: Questions, reports: Iterable[Sequence[Line]]) -> Written:
    """What the reports say, one after the other."""
    outline = Outline(questions.parts, questions.titles)
    said: list[Statement | Table] = []
    for lines in reports:
        said += read_statements(lines, outline)
    claims = read_claims(said, outline)
    matches = match(questions, outline, claims)
    return Written(answers={key: _answer(m) for key, m in matches.items() if m.candidates})


def _answer(found: Match) -> WrittenAnswer:
    readings = tuple(Reading(c.best.value, c.best.form.place, c.best.form.sentence) for c in found.candidates)
    if not found.sure and len(readings) == 1:
        return WrittenAnswer(readings, (found.why,), sure=False)
    return WrittenAnswer(readings, (found.why,) if found.why else (), sure=found.sure)
