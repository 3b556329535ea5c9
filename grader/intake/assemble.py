"""The files that were gathered -> :class:`~grader.model.Submission`: each is read once, code and answers first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from grader.errors import SubmissionNotFound
from grader.intake.found import megabytes, shorten
from grader.intake.gather import Gathered, Located
from grader.intake.notebook import read_notebook
from grader.intake.stores import FileProblem, read_at_most
from grader.intake.walk import IntakeLimits
from grader.intake.weights import READ_LATER, WEIGHTS, too_large_weights
from grader.model import ArtifactKind, Submission, SubmittedFile

_REPORTS = (".pdf", ".docx", ".md", ".markdown", ".tex", ".txt", ".rst", ".html", ".htm")
_KINDS = {
    ".py": ArtifactKind.MODULE,
    ".ipynb": ArtifactKind.NOTEBOOK,
    ".json": ArtifactKind.METRICS,
    **dict.fromkeys(_REPORTS, ArtifactKind.REPORT),
    **dict.fromkeys(WEIGHTS, ArtifactKind.WEIGHTS),
}
_FIRST = frozenset(
    (
        ArtifactKind.MODULE,
        ArtifactKind.NOTEBOOK,
        ArtifactKind.ANSWERS,
        ArtifactKind.METRICS,
        ArtifactKind.REPORT,
    )
)
_EMPTY = "The hand-in holds no file to grade: everything is missing. `grade init DIR` writes a starter."
_LEAVE_OUT = "Hand in code, answers and figures, not data or models."


def kind_of(path: str) -> ArtifactKind:
    """What a file is taken for, by its name."""
    name = path.rsplit("/", 1)[-1].lower()
    if name == "answers.toml":
        return ArtifactKind.ANSWERS
    return _KINDS.get(PurePosixPath(name).suffix, ArtifactKind.OTHER)


def assemble(name: str, root: Path, gathered: Gathered, limits: IntakeLimits) -> Submission:
    """Read every file once, up to the limits. Nothing is executed, and no file is written.

    Raises SubmissionNotFound where there is nothing but an archive that cannot be opened.
    """
    if gathered.closed and not gathered.files:
        located, why = gathered.closed[0]
        raise SubmissionNotFound(
            f"{located.path} cannot be opened. {why}", "There is nothing else in the hand-in."
        )
    files, unread = _read_all(gathered.files.values(), limits)
    for located, why in gathered.closed:
        files.append(SubmittedFile(located.path, b"", ArtifactKind.OTHER, why))
        unread.append(f"{located.path}: {why}")
    files.sort(key=lambda file: file.path)
    unread += [note for file in files if (note := _unreadable_notebook(file))]
    notes = capped([*gathered.notes, *sorted(unread)])
    if not files:
        notes.append(_EMPTY)
    return Submission(name=name, root=root, sha256=_hash(files), files=tuple(files), notes=tuple(notes))


def _unreadable_notebook(file: SubmittedFile) -> str | None:
    """A sentence on a notebook of which no cell can be read; that its size was refused is told elsewhere."""
    if file.kind is not ArtifactKind.NOTEBOOK or file.problem:
        return None
    notebook = read_notebook(file)
    if notebook.problem:
        return f"{file.path}: it {str(notebook.problem).removeprefix(f'{file.path} ')}"
    if "python" not in notebook.language:
        return f"{file.path}: it is a notebook in {shorten(notebook.language, 20)}, and Python is due."
    return None


def _read_all(found: Iterable[Located], limits: IntakeLimits) -> tuple[list[SubmittedFile], list[str]]:
    """Read code, answers, figures and texts first: a heap of other files must not use up the total."""
    files: list[SubmittedFile] = []
    unread: list[str] = []
    left = limits.total_bytes
    for located in sorted(found, key=_importance):
        kind, entry = kind_of(located.path), located.entry
        size = entry.size if kind is ArtifactKind.WEIGHTS else 0
        if kind is ArtifactKind.WEIGHTS and limits.file_bytes < size <= limits.weights_bytes:
            files.append(SubmittedFile(located.path, b"", kind, READ_LATER, size, located.stored))
            continue
        content, problem = _read_one(located, kind, min(limits.file_bytes, left), limits)
        left -= len(content)
        files.append(SubmittedFile(located.path, content, kind, problem, size))
        if problem:
            unread.append(f"{located.path}: {problem}")
    return files, unread


def _importance(located: Located) -> tuple[bool, int, str]:
    return kind_of(located.path) not in _FIRST, located.path.count("/"), located.path


def _read_one(
    located: Located, kind: ArtifactKind, cap: int, limits: IntakeLimits
) -> tuple[bytes, str | None]:
    """The bytes of one file, or a sentence why not. No more than `cap` bytes are ever held."""
    size = located.entry.size
    if size > limits.weights_bytes and kind is ArtifactKind.WEIGHTS:
        return b"", too_large_weights(size, limits.weights_bytes)
    if size > limits.file_bytes:
        return b"", _too_large(f"is {megabytes(size)}", limits)
    if size > cap:
        return b"", _over_total(limits)
    try:
        content = read_at_most(located.store, located.entry, cap)
    except FileProblem as problem:
        return b"", str(problem)
    if content is None:
        grew = _too_large("grew while it was read", limits)
        return b"", _over_total(limits) if cap < limits.file_bytes else grew
    return content, None


def capped(notes: list[str], most: int = 25) -> list[str]:
    """A report has to stay readable: a folder of a thousand links is told once it is clear what is wrong."""
    return (
        notes if len(notes) <= most else [*notes[:most], f"{len(notes) - most} more remarks were left out."]
    )


def _hash(files: Sequence[SubmittedFile]) -> str:
    """SHA-256 over sorted paths and contents, each with its length, so that no two hand-ins run into one."""
    digest = hashlib.sha256()
    for file in files:
        path = file.path.encode()
        digest.update(f"{len(path)} ".encode() + path)
        size = f" {file.size} unread " if file.size else " unread "
        digest.update(size.encode() if file.problem else f" {len(file.content)} ".encode())
        digest.update(file.content)
    return digest.hexdigest()


def _too_large(what: str, limits: IntakeLimits) -> str:
    return f"It {what}, and at most {megabytes(limits.file_bytes)} a file are read, so it was left unread. {_LEAVE_OUT}"


def _over_total(limits: IntakeLimits) -> str:
    return (
        f"The hand-in is larger than {megabytes(limits.total_bytes)} in all, so this file was left unread. "
        f"{_LEAVE_OUT}"
    )
