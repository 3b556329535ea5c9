"""Written reports on the trusted side: has PDF and Word files opened in sealed workers, and reads what they say.

Parsing such a file is running somebody's data through a large library: it is done where student code is run, by a
worker that holds that one file and has no network, little memory and little time. What comes back is text.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from grader.errors import GraderError, UsageError
from grader.intake import Found, read_answers
from grader.model import ArtifactKind, Assignment, Submission, SubmittedFile
from grader.worker import (
    Call,
    Limits,
    Returned,
    WorkerFailure,
    WorkerOutOfMemory,
    WorkerTimedOut,
    Zygote,
    ZygoteSpec,
)
from grader.worker.host import Level
from grader.worker.spec import MIB
from grader.written import Document

if TYPE_CHECKING:
    from grader.intake.prose.questions import Questions

_READ_AS_REPORTS = (ArtifactKind.REPORT, ArtifactKind.NOTEBOOK)
LIMITS = Limits(
    memory_bytes=768 * MIB,
    cpu_s=60,
    tmp_bytes=48 * MIB,
    file_bytes=32 * MIB,
    processes=16,
    reply_bytes=MIB,
)
TIMEOUT_S = 40.0
"""Wall-clock seconds for one document."""
_INSIDE = Path(__file__).parent / "worker" / "inside"
_LIBRARIES = {".pdf": ("pdfminer", "pdf", "PDF"), ".docx": ("docx", "docx", "Word")}
"""By ending: the library that reads it, the extra that brings the library, and what the files are called."""
_NAME = "document"


class ReportReader:
    """Reads the written reports of hand-ins; a context manager, whose workers come from one warm process."""

    def __init__(self, assignment: Assignment, isolation: Level | Callable[[], Level] = "auto") -> None:
        """isolation: as for student code; a function is asked when the first document comes."""
        self._assignment = assignment
        self._isolation = isolation
        self._zygote: Zygote | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the warm process, if there is one."""
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    def read(self, submission: Submission) -> Submission:
        """The same hand-in with what its reports say.

        Raises UsageError where a library is not installed and the hand-in has no answers but those in the document,
        IsolationUnavailable where this machine cannot seal, GraderError where the reading itself fails by our fault.
        """
        if not any(file.kind in _READ_AS_REPORTS for file in submission.files) or self._questions is None:
            return submission
        from grader.intake.prose.reader import read_written  # a while, for a hand-in that has any

        documents, notes = self._documents(submission)
        try:
            written = read_written(self._questions, submission, documents)
        except GraderError:
            raise
        except Exception as error:  # our own mistake must not look like missing answers
            raise GraderError(
                f"The written report of {submission.name!r} could not be read ({type(error).__name__}: {error}).",
                "This is the grader's fault, not the student's; put the answers into answers.toml meanwhile.",
            ) from error
        return replace(submission, written=replace(written, notes=(*notes, *written.notes)))

    @cached_property
    def _questions(self) -> Questions | None:
        from grader.intake.prose.questions import read_questions

        return read_questions(self._assignment)

    # ------------------------------------------------------------ documents

    def _documents(self, submission: Submission) -> tuple[list[Document], list[str]]:
        """The text of each PDF and Word file, and a sentence on each that could not be opened."""
        from grader.intake.prose.reader import needs_extraction

        documents: list[Document] = []
        notes: list[str] = []
        for file in submission.files:
            if not needs_extraction(file):
                continue
            missing = _not_installed(file)
            if missing is None:
                documents.append(self._text(file))
            elif read_answers(submission).status is Found.FOUND:
                notes.append(f"{file.path}: {missing.message} It was left out.")
            else:
                raise missing
        return documents, notes

    def _text(self, file: SubmittedFile) -> Document:
        """What one worker reads in one file; what becomes of the worker is a sentence."""
        name = _NAME + _ending(file)
        with self._warm().worker([(name, file.content)], name=file.path) as worker:
            try:
                (reply,) = worker.run([Call("harness:read", (name,))], timeout_s=TIMEOUT_S)
            except WorkerTimedOut:
                return Document(file.path, notes=(f"It could not be read within {TIMEOUT_S:g} s.",))
            except WorkerOutOfMemory:
                return Document(file.path, notes=("It needs more memory than one document may.",))
            except WorkerFailure:
                return Document(file.path, notes=("Whatever is in it ended the process that opened it.",))
        if not isinstance(reply, Returned):
            return Document(file.path, notes=(f"It could not be read ({reply.type_name or reply.kind}).",))
        return _received(file.path, reply.value)

    def _warm(self) -> Zygote:
        if self._zygote is None:
            installed = [ending for ending in _LIBRARIES if importlib.util.find_spec(_LIBRARIES[ending][0])]
            spec = ZygoteSpec(
                harness=_INSIDE / "documents.py",
                modules={"glyphs": _INSIDE / "glyphs.py"} if ".pdf" in installed else {},
                preload=("docx",) if ".docx" in installed else (),
                limits=LIMITS,
            )
            level = self._isolation() if callable(self._isolation) else self._isolation
            self._zygote = Zygote(spec, isolation=level)
            self._zygote.start()
        return self._zygote


def _ending(file: SubmittedFile) -> str:
    return file.path[file.path.rfind(".") :].lower()


def _not_installed(file: SubmittedFile) -> UsageError | None:
    """The error for a document that nothing here can read."""
    library, extra, called = _LIBRARIES[_ending(file)]
    if importlib.util.find_spec(library):
        return None
    return UsageError(
        f"{file.path}: no library that reads {called} files is installed.",
        f"pip install 'transformer-grader[{extra}]'",
    )


def _received(path: str, value: Any) -> Document:
    """Text and places as they came; anything else that a taken-over worker might send is refused."""
    value = value if isinstance(value, dict) else {}
    lines, notes = value.get("lines"), value.get("notes")
    if not isinstance(lines, list) or not isinstance(notes, list):
        return Document(path, notes=("It could not be read: what came back is no text.",))
    passages = tuple((str(line[0]), str(line[1])[:120]) for line in lines if _is_passage(line))
    return Document(path, passages, tuple(note for note in notes[:5] if isinstance(note, str)))


def _is_passage(line: Any) -> bool:
    return isinstance(line, Sequence) and len(line) == 2 and all(isinstance(part, str) for part in line)
