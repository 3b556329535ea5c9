"""The code of every hand-in of a class, as text."""

from __future__ import annotations

from collections.abc import Iterable

from grader.errors import GraderError
from grader.intake import ClassHandIns
from grader.intake.notebook import read_notebook
from grader.model import ArtifactKind, Submission
from grader.similar.pairs import Code


def codes_of(class_: ClassHandIns) -> tuple[list[Code], dict[str, str]]:
    """The code of each hand-in that has any, and by name why others could not be read."""
    codes, unread = [], {}
    for hand_in in class_:
        try:
            text = "\n\n".join(_texts(hand_in.read()))
        except GraderError as error:
            unread[hand_in.name] = error.message
            continue
        if text.strip():
            codes.append(Code(hand_in.student, hand_in.name, text))
    return codes, unread


def _texts(submission: Submission) -> Iterable[str]:
    """Each file's code below its name: Python files, and the code cells of notebooks."""
    for file in submission.files:
        if file.kind is ArtifactKind.NOTEBOOK:
            yield f"# {file.path}"
            yield from (cell.source for cell in read_notebook(file).code)
        elif file.path.endswith(".py") and file.problem is None:
            yield f"# {file.path}\n{file.content.decode('utf-8', 'replace')}"
