"""Rows of the gradebook's tables, and what they stand for."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import lru_cache
from sys import intern
from typing import Any

from sqlalchemy import Row

from grader.gradebook import tables
from grader.gradebook.records import Entry, Mark, Override, Result
from grader.model import Status


def entry_values(entry: Entry) -> dict[str, Any]:
    """The columns of a result that say whose hand-in it is."""
    return {name: getattr(entry, name) for name in Entry.__slots__} | {
        "members": json.dumps(entry.members, ensure_ascii=False)
    }


def result_of(row: Row[Any], marks: dict[str, Mark]) -> Result:
    """Of a row of the table of results, with the marks by check id."""
    values = {name: getattr(row, name) for name in Entry.__slots__}
    return Result(
        id=row.id,
        run=row.run_id,
        entry=Entry(**values | {"members": tuple(json.loads(row.members))}),
        created=row.created,
        earned=Decimal(row.earned or 0),
        possible=Decimal(row.possible or 0),
        complete=bool(row.complete),
        duration_s=row.duration_s,
        failure=row.failure,
        marks=marks,
    )


MARK_COLUMNS = [
    tables.mark.c[name]
    for name in (
        "result_id", "check_id", "status", "earned", "possible", "diagnosis", "key", "duration_s", "diagnosis_title",
    )
]  # fmt: skip


def mark_of(
    check_id: str, status: str, earned: str, possible: str, diagnosis: str | None, key: str, *rest: Any
) -> Mark:
    """Of `MARK_COLUMNS` after the first. There are as many as students times checks, with few different texts in them:
    each is kept once."""
    points = _decimal(earned), _decimal(possible)
    return Mark(intern(check_id), _status(status), *points, diagnosis, intern(key), *rest)


_status = lru_cache(Status)
_decimal = lru_cache(maxsize=1024)(Decimal)  # a class has few different marks, many times each


def override_of(row: Row[Any]) -> Override:
    """Of a row of the table of overrides in which points were given."""
    return Override(
        student=row.student,
        check_id=row.check_id,
        submission_sha256=row.submission_sha256,
        points=Decimal(row.points),
        reason=row.reason,
        author=row.author,
        created=row.created,
        id=row.id,
    )
