"""The gradebook in a database: SQLite in a file, or a server such as PostgreSQL by its address.

Every write is one transaction: after a power cut at any moment there is all of a result or nothing of it. Two graders
may write at once; a result that is there already is not recorded a second time.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    Select,
    and_,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from grader.errors import GraderError, UsageError
from grader.gradebook import tables
from grader.gradebook.records import Entry, Graded, Mark, Override, Result, Run
from grader.gradebook.rows import MARK_COLUMNS, entry_values, mark_of, override_of, result_of
from grader.json_text import json_text
from grader.model import GradeReport
from grader.serialise import from_document
from grader.text import storable

_BUSY_S = 60
"""Seconds to wait for another grader that is writing."""
_AT_ONCE = 500
"""Ids in one question to the database, and rows of one answer in memory."""
_LEVEL = 2
"""Of zlib's nine: a tenth more bytes than by default, in less than half the time."""


class GradebookError(GraderError):
    """The gradebook cannot be read or written."""


class Gradebook:
    """Open with `Gradebook.open`; a context manager. Not to be shared between processes: each opens its own."""

    def __init__(self, engine: Engine, shown: str) -> None:
        self._engine = engine
        self._shown = shown

    @classmethod
    def open(cls, address: str | Path, *, create: bool = True) -> Self:
        """The gradebook in the file or at the database address given ("postgresql+psycopg://host/name").

        Raises UsageError where there is none and `create` is False, GradebookError where it cannot be used.
        """
        text = str(address)
        if "://" not in text:
            path = Path(text)
            if not create and not path.is_file():
                raise UsageError(
                    f"There is no gradebook at {text!r}.", "Grade a class first, or name another with --book."
                )
            if create:
                path.parent.mkdir(parents=True, exist_ok=True)
            text = f"sqlite:///{path.resolve()}"
        try:
            engine = create_engine(text, connect_args={"timeout": _BUSY_S} if "sqlite" in text[:6] else {})
        except (SQLAlchemyError, ImportError) as error:
            raise GradebookError(
                f"The gradebook {_without_password(text)!r} cannot be opened: {error}.",
                "Write a file's path, or an address such as postgresql+psycopg://host/database.",
            ) from None
        if engine.dialect.name == "sqlite":
            _careful_sqlite(engine)
        book = cls(engine, _without_password(str(address)))
        try:
            book._prepare()
        except BaseException:
            book.close()
            raise
        return book

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # ------------------------------------------------------------ runs

    def begin_run(self, run: Run) -> int:
        """Record that grading begins; the number of the run."""
        with self._writing() as connection:
            values = {name: getattr(run, name) for name in Run.__slots__}
            key = connection.execute(insert(tables.run).values(started=_now(), **values)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def end_run(self, number: int) -> None:
        """Record that it went through to its end."""
        with self._writing() as connection:
            connection.execute(update(tables.run).where(tables.run.c.id == number).values(ended=_now()))

    def unfinished_seed(self, assignment_id: str, source: str) -> int | None:
        """The seed of the last run over `source` where that did not get to its end: going on uses the same inputs."""
        last = (
            select(tables.run.c.seed, tables.run.c.ended)
            .where(tables.run.c.assignment_id == assignment_id, tables.run.c.source == source)
            .order_by(tables.run.c.id.desc())
            .limit(1)
        )
        with self._reading() as connection:
            row = connection.execute(last).first()
        return None if row is None or row.ended is not None else int(row.seed)

    def runs(self, assignment_id: str | None = None) -> list[dict[str, Any]]:
        """All runs, the first first, each with the number of results it recorded."""
        recorded = func.count(tables.result.c.id).label("results")
        chosen = (
            select(tables.run, recorded)
            .outerjoin(tables.result, tables.result.c.run_id == tables.run.c.id)
            .group_by(tables.run.c.id)
            .order_by(tables.run.c.id)
        )
        if assignment_id is not None:
            chosen = chosen.where(tables.run.c.assignment_id == assignment_id)
        with self._reading() as connection:
            return [dict(row._mapping) for row in connection.execute(chosen)]

    # ------------------------------------------------------------ results

    def record(self, run: int, graded: Graded) -> bool:
        """Record one graded hand-in; False where the same has been recorded already, by whomever."""
        report = graded.report
        values = entry_values(graded.entry) | {
            "run_id": run,
            "assignment_id": report.assignment_id,
            "fingerprint": graded.fingerprint,
            "created": _now(),
            "report": zlib.compress(json_text(report).encode(), _LEVEL),
            "earned": str(report.score.earned),
            "possible": str(report.score.possible),
            "complete": report.complete,
            "duration_s": report.duration_s,
        }
        marks = [
            {
                "check_id": check.id,
                "key": graded.keys[check.id],
                "status": check.status.value,
                "earned": str(check.points.earned),
                "possible": str(check.points.possible),
                "diagnosis": None if check.diagnosis is None else check.diagnosis.id,
                "diagnosis_title": None if check.diagnosis is None else storable(check.diagnosis.title),
                "duration_s": check.duration_s,
            }
            for check in report.checks
        ]
        return self._add_result(values, marks)

    def record_failure(
        self, run: int, assignment_id: str, entry: Entry, reason: str, duration_s: float = 0.0
    ) -> None:
        """Record that a hand-in could not be graded, and why. An earlier result of it stays the one that counts."""
        values = entry_values(entry) | {
            "run_id": run,
            "assignment_id": assignment_id,
            "fingerprint": f"failed in run {run}",
            "created": _now(),
            "failure": reason,
            "duration_s": duration_s,
        }
        self._add_result(values, [])

    def _add_result(self, values: dict[str, Any], marks: list[dict[str, Any]]) -> bool:
        try:
            with self._writing() as connection:
                key = connection.execute(insert(tables.result), values).inserted_primary_key
                assert key is not None
                if marks:
                    connection.execute(insert(tables.mark), [{"result_id": key[0], **m} for m in marks])
        except IntegrityError:
            return False
        return True

    def current(self, assignment_id: str, *, until_run: int | None = None) -> dict[str, Result]:
        """The result that counts for each student: of the latest attempt, the latest; with its marks.

        A failure counts only where there is no result of that attempt. `until_run`: as it was after that run.
        """
        which = tables.result.c.assignment_id == assignment_id
        if until_run is not None:
            which = and_(which, tables.result.c.run_id <= until_run)
        ranked = (
            select(
                tables.result.c.id,
                func.row_number()
                .over(
                    partition_by=tables.result.c.student,
                    order_by=[
                        tables.result.c.attempt.desc(),
                        tables.result.c.failure.is_(None).desc(),
                        tables.result.c.id.desc(),
                    ],
                )
                .label("place"),
            )
            .where(which)
            .subquery()
        )
        first = select(ranked.c.id).where(ranked.c.place == 1)
        results = self._results(tables.result.c.id.in_(first), tables.mark.c.result_id.in_(first))
        return {result.entry.student: result for result in results}

    def history(self, assignment_id: str, student: str) -> list[Result]:
        """Everything recorded of a student, the oldest first, failures included."""
        mine = and_(tables.result.c.assignment_id == assignment_id, tables.result.c.student == student)
        ids = select(tables.result.c.id).where(mine)
        return self._results(mine, tables.mark.c.result_id.in_(ids))

    def of_run(self, run: int) -> list[Result]:
        """What a run recorded, in the order in which it did."""
        ids = select(tables.result.c.id).where(tables.result.c.run_id == run)
        return self._results(tables.result.c.run_id == run, tables.mark.c.result_id.in_(ids))

    def _results(self, which: Any, whose_marks: Any) -> list[Result]:
        columns = [column for column in tables.result.c if column.name != "report"]
        with self._reading() as connection:
            marks: dict[int, dict[str, Mark]] = {}
            # In the order of recording, which is that of the assignment.
            for some in connection.execute(select(*MARK_COLUMNS).where(whose_marks)).partitions(_AT_ONCE):
                for result_id, *values in some:
                    mark = mark_of(*values)
                    marks.setdefault(result_id, {})[mark.check_id] = mark
            rows = connection.execute(select(*columns).where(which).order_by(tables.result.c.id))
            return [result_of(row, marks.get(row.id, {})) for row in rows]

    def report(self, result_id: int) -> GradeReport:
        """The report of a result, as it was exported: hidden values left out, points exact."""
        wanted = select(tables.result.c.report).where(tables.result.c.id == result_id)
        return next(report for _, report in self._reports(wanted.add_columns(tables.result.c.id)))

    def reports(self, result_ids: Sequence[int]) -> Iterator[tuple[int, GradeReport]]:
        """(id, report) of each, a few in memory at a time."""
        for start in range(0, len(result_ids), _AT_ONCE):
            ids = result_ids[start : start + _AT_ONCE]
            yield from self._reports(
                select(tables.result.c.report, tables.result.c.id).where(tables.result.c.id.in_(ids))
            )

    def _reports(self, wanted: Select[Any]) -> Iterator[tuple[int, GradeReport]]:
        with self._reading() as connection:
            for row in connection.execute(wanted):
                if row.report is None:
                    raise GradebookError(f"Result {row.id} was a failure: it has no report.")
                yield row.id, from_document(json.loads(zlib.decompress(row.report)))

    # ------------------------------------------------------------ marks given by a person

    def give(self, assignment_id: str, override: Override) -> int:
        """Record a mark that a person gave; it counts until another is given or it is taken back. Its number."""
        return self._add_override(assignment_id, override, str(override.points))

    def take_back(self, assignment_id: str, override: Override) -> int:
        """Record that a mark given by a person is taken back: the grader's own counts again."""
        return self._add_override(assignment_id, override, None)

    def _add_override(self, assignment_id: str, override: Override, points: str | None) -> int:
        values = {
            name: getattr(override, name)
            for name in ("student", "check_id", "submission_sha256", "reason", "author")
        }
        with self._writing() as connection:
            key = connection.execute(
                insert(tables.override).values(
                    assignment_id=assignment_id, points=points, created=_now(), **values
                )
            ).inserted_primary_key
        assert key is not None
        return int(key[0])

    def overrides(self, assignment_id: str) -> dict[tuple[str, str], Override]:
        """The marks given by a person that count, by student and check id."""
        found: dict[tuple[str, str], Override] = {}
        for row in self._override_rows(assignment_id):
            place = (row.student, row.check_id)
            if row.points is None:
                found.pop(place, None)
            else:
                found[place] = override_of(row)
        return found

    def override_history(self, assignment_id: str) -> list[dict[str, Any]]:
        """Every mark given and taken back, in order; points None where it was taken back."""
        return [dict(row._mapping) for row in self._override_rows(assignment_id)]

    def _override_rows(self, assignment_id: str) -> Sequence[Row[Any]]:
        all_of = select(tables.override).where(tables.override.c.assignment_id == assignment_id)
        with self._reading() as connection:
            return connection.execute(all_of.order_by(tables.override.c.id)).all()

    # ------------------------------------------------------------ inside

    def _prepare(self) -> None:
        """Make the tables where there are none; refuse those of another layout."""
        try:
            self._make_tables()
        except (GradebookError, IntegrityError):  # on a server, another may have made them at the same moment
            self._make_tables()

    def _make_tables(self) -> None:
        with self._writing() as connection:
            if inspect(connection).has_table("layout"):
                version = connection.execute(select(tables.layout.c.version)).scalar()
                if version != tables.LAYOUT:
                    raise GradebookError(
                        f"The gradebook {self._shown!r} has layout {version}; this grader reads {tables.LAYOUT}.",
                        "Use the grader that made it, or name another file with --book.",
                    )
                return
            tables.metadata.create_all(connection)
            connection.execute(insert(tables.layout).values(version=tables.LAYOUT))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._errors_said(), self._engine.connect() as connection:
            yield connection.execution_options(reading=True)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._errors_said(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _errors_said(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise GradebookError(
                f"The gradebook {self._shown!r} cannot be used: {error.orig}.",
                "Nothing that it holds is lost. Look at free disk space and at who may write there, then repeat.",
            ) from None


def _careful_sqlite(engine: Engine) -> None:
    """Write ahead, sync at each commit, and take the lock when a transaction begins rather than in its middle."""

    @event.listens_for(engine, "connect")
    def settings(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins transactions, not the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _without_password(address: str) -> str:
    head, at, tail = address.rpartition("@")
    user, colon, _ = head.rpartition(":")
    return f"{user}{colon}***{at}{tail}" if at and colon and "://" in user else address
