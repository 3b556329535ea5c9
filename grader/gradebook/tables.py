"""Tables of the gradebook. Rows are added and never changed or removed, but for the end of a run.

run       one command that graded: who started it, with which grader and assignment
result    one hand-in, graded or failed; a failure never hides an earlier result
mark      one check of a result: what tables and statistics need without opening the report
override  a mark given by a person, or one taken back

Points are exact decimals in text. Times are UTC, ISO 8601.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

LAYOUT = 1
"""Version of these tables; a gradebook of another one is refused with the reason."""

metadata = MetaData()

layout = Table("layout", metadata, Column("version", Integer, primary_key=True))

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started", Text, nullable=False),
    Column("ended", Text),
    Column("author", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("grader_version", Text, nullable=False),
    Column("assignment_id", Text, nullable=False),
    Column("assignment_version", Text, nullable=False),
    Column("assignment_sha256", Text, nullable=False),
)

result = Table(
    "result",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey("run.id"), nullable=False),
    Column("assignment_id", Text, nullable=False),
    Column("student", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("submitted_at", Text),
    Column("members", Text, nullable=False),  # JSON list of names
    Column("source", Text, nullable=False),
    Column("submission_sha256", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("failure", Text),  # a sentence; then there is no report
    Column("report", LargeBinary),  # the report's document, JSON, zlib
    Column("earned", Text),
    Column("possible", Text),
    Column("complete", Boolean),
    Column("duration_s", Float, nullable=False),
    UniqueConstraint("assignment_id", "student", "fingerprint", name="one_result_a_fingerprint"),
    Index("result_of_student", "assignment_id", "student", "attempt", "id"),
)

mark = Table(
    "mark",
    metadata,
    Column("result_id", ForeignKey("result.id"), primary_key=True),
    Column("check_id", Text, primary_key=True),
    Column("key", Text, nullable=False),  # what the check consisted of: see classroom.keys
    Column("status", Text, nullable=False),
    Column("earned", Text, nullable=False),
    Column("possible", Text, nullable=False),
    Column("diagnosis", Text),
    Column("diagnosis_title", Text),
    Column("duration_s", Float, nullable=False),
)

override = Table(
    "override",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment_id", Text, nullable=False),
    Column("student", Text, nullable=False),
    Column("check_id", Text, nullable=False),
    Column("submission_sha256", Text, nullable=False),
    Column("points", Text),  # None: the earlier one is taken back
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("created", Text, nullable=False),
    Index("override_of_student", "assignment_id", "student"),
)
