"""A notebook as the judge reads it: its cells as text, and what they had printed when it was saved. Nothing is run.

What a cell printed is the student's claim, never a proof: a notebook can be edited, and cells run in any order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grader.intake.found import Problem
from grader.intake.safe_json import parse_texts
from grader.intake.text import read_text
from grader.model import ArtifactKind, Submission, SubmittedFile
from grader.worker.inside.cells import Cell, NotANotebook, cells_of, text_of

_LIMIT = 100_000_000
"""Bytes; what intake reads of a file is less, and pictures make notebooks large."""
_DEPTH = 200
_OUTPUT = 200_000
"""Characters of one cell's outputs that are kept: a training loop may have printed a line a step."""
_COLOUR = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_WEB_PAGE = re.compile(r"\s*<(?:!doctype|html)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Claim:
    """A text of a notebook and where it stands: a text cell, or what a cell had printed."""

    text: str
    place: str
    """For example "a3.ipynb, cell 5" for a text cell, "a3.ipynb, output of cell 5"."""
    printed: bool
    """True for an output, False for what the student wrote."""


@dataclass(frozen=True, slots=True)
class Notebook:
    """One notebook; cells are counted from 1, text cells included."""

    path: str
    cells: tuple[Cell, ...] = ()
    problem: Problem | None = None
    """Why it cannot be read."""
    language: str = "python"
    """As its metadata say."""

    @property
    def code(self) -> Iterator[Cell]:
        """The cells with code."""
        return (cell for cell in self.cells if cell.kind == "code" and cell.source.strip())

    def claims(self) -> tuple[Claim, ...]:
        """What it says, in its order: text cells, and the saved outputs of code cells."""
        found = []
        for cell in self.cells:
            text = outputs_of(cell.raw) if cell.kind == "code" else cell.source
            if text.strip():
                printed = cell.kind == "code"
                place = f"{'output of ' if printed else ''}cell {cell.number}"
                found.append(Claim(text, f"{self.path}, {place}", printed))
        return tuple(found)


def read_notebook(file: SubmittedFile) -> Notebook:
    """Never raises: what is wrong with the file is its problem."""
    decoded = read_text(file, _LIMIT)
    if decoded.text is None:
        return Notebook(file.path, problem=decoded.problem)
    if not decoded.text.strip():
        return _broken(file, "is empty.", "Save it once more and hand it in again.")
    if _WEB_PAGE.match(decoded.text):
        return _broken(
            file, "is a web page, not a notebook.", "Download the notebook itself (File, Download)."
        )
    if "<<<<<<< " in decoded.text and ">>>>>>> " in decoded.text:
        step = "Keep one of the two versions: `git checkout --ours` or `--theirs`."
        if parse_texts(decoded.text, file.path, _DEPTH).problem:
            return _broken(file, "holds merge-conflict markers, so it is no notebook any more.", step)
    parsed = parse_texts(decoded.text, file.path, _DEPTH)
    if parsed.problem:
        step = "It was cut short or edited by hand: save it once more from where it was written."
        return Notebook(file.path, problem=Problem(parsed.problem.message, step, parsed.problem.location))
    try:
        cells = tuple(cells_of(parsed.value))
    except NotANotebook as error:
        return _broken(
            file, f"cannot be read: {error}", "Hand in the .ipynb file that Jupyter or Colab saves."
        )
    return Notebook(file.path, cells, language=_language(parsed.value))


def notebooks_of(submission: Submission) -> tuple[Notebook, ...]:
    """All notebooks of a hand-in, in the order of their paths."""
    return tuple(read_notebook(file) for file in submission.files if file.kind is ArtifactKind.NOTEBOOK)


def notebook_claims(submission: Submission) -> tuple[Claim, ...]:
    """What all notebooks of a hand-in say and had printed: the student's claims, with their places."""
    return tuple(claim for notebook in notebooks_of(submission) for claim in notebook.claims())


def outputs_of(cell: Mapping[str, Any]) -> str:
    """What a code cell had printed, returned and raised, as plain text."""
    outputs = cell.get("outputs")
    texts = [
        _output(output)
        for output in (outputs if isinstance(outputs, list) else ())
        if isinstance(output, Mapping)
    ]
    whole = "\n".join(text.rstrip("\n") for text in texts if text.strip())
    return whole if len(whole) <= _OUTPUT else f"{whole[: _OUTPUT // 2]}\n…\n{whole[-_OUTPUT // 2 :]}"


def _output(output: Mapping[str, Any]) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        text = text_of(output.get("text"))
    elif kind in ("error", "pyerr"):
        text = f"{text_of(output.get('ename'))}: {text_of(output.get('evalue'))}"
    else:
        data = output.get("data")
        mime = data.get("text/plain") if isinstance(data, Mapping) else output.get("text")
        text = text_of(mime)
    lines = _COLOUR.sub("", text.replace("\r\n", "\n")).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)  # a bar overwrites itself


def _language(document: Mapping[str, Any]) -> str:
    metadata = document.get("metadata")
    found: Any = "python"
    for key in ("kernelspec", "language_info"):
        group = metadata.get(key) if isinstance(metadata, Mapping) else None
        if isinstance(group, Mapping):
            found = group.get("language") or group.get("name") or found
    return str(found).lower()


def _broken(file: SubmittedFile, what: str, step: str) -> Notebook:
    return Notebook(file.path, problem=Problem(f"{file.path} {what}", step, file.path))
