"""What went wrong in the hand-in, as the plain fields of a `Raised`: the student's frames only, never ours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any

MESSAGE = 2_000
_FRAMES = 20


class StudentProblem(Exception):
    """A call that did not return a usable value; carries the fields of the judge's `Raised`."""

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        type_name: str = "",
        frames: list[list[Any]] | None = None,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.type_name = type_name
        self.frames = frames or []
        self.suggestion = suggestion

    def fields(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "kind": self.kind,
            "type_name": self.type_name[:200],
            "message": self.message[:MESSAGE],
            "frames": self.frames,
            "suggestion": self.suggestion,
        }


def text_of(error: BaseException) -> str:
    """The exception's text; student code may have made even that raise."""
    try:
        text = str.__str__(str(error))
    except BaseException:
        return "(its message cannot be shown)"
    return text[:MESSAGE]


def frames_of(error: BaseException, folder: str, sources: Mapping[str, str]) -> list[list[Any]]:
    """[file, line, function, code] of the frames in the hand-in's folder, innermost last, at most 20."""
    found: list[list[Any]] = []
    if isinstance(error, SyntaxError) and error.filename:
        inner = _relative(error.filename, folder)
        if inner is not None:
            found.append([inner, error.lineno or 1, "<module>", (error.text or "").strip()[:200]])
    return (_walk(error.__traceback__, folder, sources) + found)[-_FRAMES:]


def _walk(trace: TracebackType | None, folder: str, sources: Mapping[str, str]) -> list[list[Any]]:
    found: list[list[Any]] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        file = _relative(code.co_filename, folder)
        if file is not None:
            found.append(
                [file, trace.tb_lineno or 1, code.co_name[:200], _source_line(sources, file, trace.tb_lineno)]
            )
            del found[: -2 * _FRAMES]
        trace = trace.tb_next
    return found


def _relative(filename: str, folder: str) -> str | None:
    if not filename.startswith(folder + os.sep):
        return None
    return filename[len(folder) + 1 :].replace(os.sep, "/")


def _source_line(sources: Mapping[str, str], file: str, line: int | None) -> str:
    lines = sources.get(file, "").splitlines()
    return lines[line - 1].strip()[:200] if line and 0 < line <= len(lines) else ""
