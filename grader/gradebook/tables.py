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
    String,
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
    Column("started", String(32), nullable=False),
    Column("ended", String(32)),
    Column("author", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("grader_version", String(64), nullable=False),
    Column("assignment_id", String(200), nullable=False),
    Column("assignment_version", String(64), nullable=False),
    Column("assignment_sha256", String(64), nullable=False),
)

result = Table(
    "result",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey("run.id"), nullable=False),
    Column("assignment_id", String(200), nullable=False),
    Column("student", String(200), nullable=False),
    Column("name", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("submitted_at", String(64)),
    Column("members", Text, nullable=False),  # JSON list of names
    Column("source", Text, nullable=False),
    Column("submission_sha256", String(64), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("created", String(32), nullable=False),
    Column("failure", Text),  # a sentence; then there is no report
    Column("report", LargeBinary),  # the report's document, JSON, zlib
    Column("earned", String(64)),
    Column("possible", String(64)),
    Column("complete", Boolean),
    Column("duration_s", Float, nullable=False),
    UniqueConstraint("assignment_id", "student", "fingerprint", name="one_result_a_fingerprint"),
    Index("result_of_student", "assignment_id", "student", "attempt", "id"),
)

mark = Table(
    "mark",
    metadata,
    Column("result_id", ForeignKey("result.id"), primary_key=True),
    Column("check_id", String(200), primary_key=True),
    Column("key", String(64), nullable=False),  # what the check consisted of: see classroom.keys
    Column("status", String(20), nullable=False),
    Column("earned", String(64), nullable=False),
    Column("possible", String(64), nullable=False),
    Column("diagnosis", String(400)),
    Column("diagnosis_title", Text),
    Column("duration_s", Float, nullable=False),
)

override = Table(
    "override",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment_id", String(200), nullable=False),
    Column("student", String(200), nullable=False),
    Column("check_id", String(200), nullable=False),
    Column("submission_sha256", String(64), nullable=False),
    Column("points", String(64)),  # None: the earlier one is taken back
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("created", String(32), nullable=False),
    Index("override_of_student", "assignment_id", "student"),
)
