"""A file of the hand-in by the name it should have; case and place may differ, and the student is told."""

from __future__ import annotations

from dataclasses import dataclass

from grader.errors import did_you_mean
from grader.intake.found import Problem
from grader.model import Submission, SubmittedFile


@dataclass(frozen=True, slots=True)
class FoundFile:
    """The file, or why there is none."""

    file: SubmittedFile | None = None
    problem: Problem | None = None
    """Set exactly where `file` is None."""
    ambiguous: bool = False
    """True where several files could be meant."""
    notes: tuple[str, ...] = ()


def find_file(submission: Submission, path: str) -> FoundFile:
    """The file at `path`, else one that differs in case only, else the only one of that name elsewhere."""
    for file in submission.files:
        if file.path == path:
            return FoundFile(file)
    folded = [f for f in submission.files if f.path.casefold() == path.casefold()]
    name = path.rsplit("/", 1)[-1]
    named = folded or [f for f in submission.files if f.path.rsplit("/", 1)[-1].casefold() == name.casefold()]
    if len(named) == 1:
        return FoundFile(named[0], notes=(f"{path} was read from {named[0].path}.",))
    if named:
        places = " and ".join(f.path for f in named[:4])
        message = f"There is no {path}, but there are {places}: it is not clear which one counts."
        return FoundFile(problem=Problem(message, f"Keep one of them, as {path}."), ambiguous=True)
    return FoundFile(problem=_missing(submission, path))


def _missing(submission: Submission, path: str) -> Problem:
    near = did_you_mean(path, [f.path for f in submission.files if f.path.endswith(path[path.rfind(".") :])])
    if near:
        return Problem(f"There is no {path} in the hand-in.", f"Is {near} meant? Then rename it to {path}.")
    return Problem(f"There is no {path} in the hand-in.", "`grade init DIR` writes an empty one to fill in.")
