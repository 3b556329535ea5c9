"""The bytes of one file -> text, or a problem that says what is wrong with its encoding."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from grader.intake.found import Problem
from grader.model import SubmittedFile

TEXT_LIMIT = 1_000_000
"""Answers and figures are a few kilobytes; a larger file is not what it should be."""
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAVE_AS_UTF8 = (
    "Save the file as UTF-8 and hand it in again (in VS Code: click the encoding at the bottom right)."
)


@dataclass(frozen=True, slots=True)
class Text:
    """The text of one file; exactly one of `text` and `problem` is set."""

    text: str | None = None
    """With "\\n" line ends, without a byte order mark."""
    problem: Problem | None = None
    notes: tuple[str, ...] = ()


def read_text(file: SubmittedFile, limit: int = TEXT_LIMIT) -> Text:
    """Decode one file: UTF-8 with or without a byte order mark, or UTF-16 with one."""
    if file.problem:
        return _problem(file, f"{file.path} was not read. {file.problem}", "")
    content = file.content
    if len(content) > limit:
        size = f"{len(content) / 1e6:.1f} MB"
        return _problem(
            file, f"{file.path} has {size}: it should be a short text file.", "Hand in the right file."
        )
    if content.startswith(_UTF16):
        return _utf16(file)
    if b"\0" in content:
        return _problem(file, f"{file.path} holds zero bytes: it is not a text in UTF-8.", _SAVE_AS_UTF8)
    try:
        return Text(_line_ends(content.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        likely = bytes([byte]).decode("cp1252", "replace")
        meant = (
            f", in Windows' own encoding {likely!r}" if likely.isprintable() and likely != "\ufffd" else ""
        )
        message = f"{file.path} is not UTF-8: line {line} holds the byte 0x{byte:02x}{meant}."
        return _problem(file, message, _SAVE_AS_UTF8, line)


def _utf16(file: SubmittedFile) -> Text:
    try:
        text = file.content.decode("utf-16")
    except UnicodeDecodeError:
        return _problem(file, f"{file.path} starts like UTF-16, but does not go on like it.", _SAVE_AS_UTF8)
    if "\0" in text:
        return _problem(file, f"{file.path} is saved as UTF-32: it is not a text in UTF-8.", _SAVE_AS_UTF8)
    return Text(
        _line_ends(text), notes=(f"{file.path} is saved as UTF-16; it was read, but UTF-8 is safer.",)
    )


def _line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _problem(file: SubmittedFile, message: str, next_step: str, line: int | None = None) -> Text:
    location = f"{file.path}, line {line}" if line else file.path
    return Text(problem=Problem(message, next_step, location))
