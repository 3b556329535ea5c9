"""Every type that crosses a stage: frozen dataclasses, a sentence under each field.

intake -> :class:`Submission` -> checks -> :class:`CheckResult` -> scoring -> :class:`GradeReport` -> renderings.
A stage imports the stages before it, never the ones after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from grader.written import Written

SCHEMA_VERSION = "1.1"
"""Version of the grade report document; see docs/report.md for what may change within a version."""


class Status(StrEnum):
    """What became of one check. There is no other value: never None, NaN or a bare 0."""

    PASSED = "passed"
    """Right, full points."""
    PARTIAL = "partial"
    """Right in part (follow-through, or some of several statements): some of the points."""
    FAILED = "failed"
    """Wrong: the message says what was asked, expected and obtained."""
    MISSING = "missing"
    """Nothing was handed in for this check: a file, a definition or an answer is not there."""
    BLOCKED = "blocked"
    """Could not be asked because another check, which the message names, did not pass."""
    TIMEOUT = "timeout"
    """The student's code did not answer within the limit."""
    OUT_OF_MEMORY = "out_of_memory"
    """The student's code asked for more memory than the limit."""
    CRASHED = "crashed"
    """The student's code ended its process (a signal, or an exit call)."""
    NEEDS_REVIEW = "needs_review"
    """A person has to mark this; the evidence holds what the grader collected."""
    GRADER_ERROR = "grader_error"
    """Our fault: costs the student nothing and sets an exit code of its own."""


class Visibility(StrEnum):
    """Whether a student may run a check and see its expected values."""

    PUBLIC = "public"
    HIDDEN = "hidden"


class ArtifactKind(StrEnum):
    """What one gradable thing of a hand-in is."""

    MODULE = "module"
    ANSWERS = "answers"
    METRICS = "metrics"
    NOTEBOOK = "notebook"
    REPORT = "report"
    """A text for a person: PDF, Word, Markdown, LaTeX, plain text, HTML."""
    WEIGHTS = "weights"
    """Of a trained model; a large file of this kind is opened where it is judged and never read whole."""
    OTHER = "other"


# ---------------------------------------------------------------- what is graded


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far an answer may be from the expected value, and why that far."""

    why: str
    """The reason for the size, shown to instructors and checked by reviewers."""
    relative: float = 0.0
    """Largest allowed |obtained - expected| / |expected|."""
    absolute: float = 0.0
    """Largest allowed |obtained - expected|, in the unit of the expected value."""


@dataclass(frozen=True, slots=True)
class Part:
    """One question of the assignment, as students see it numbered (2a ... 4e3)."""

    id: str
    """Stable id, for example "2c"."""
    title: str
    """A few words, for example "Multi-head attention against the handout"."""
    asks: str
    """What the handout asks for, one sentence."""
    worker: tuple[str, ...] = ()
    """Packages that the process for student code imports for it; empty where no student code runs."""


@dataclass(frozen=True, slots=True)
class Check:
    """One judged statement about a part."""

    id: str
    """Stable id: the part, a dot, a word; for example "2c.masked"."""
    part: str
    """Id of the part it belongs to."""
    title: str
    """The statement that is judged, in the student's words."""
    points: Decimal
    """Points for a pass."""
    visibility: Visibility = Visibility.PUBLIC
    """Hidden checks are off in `--public` runs and never show a reference value."""
    depends_on: tuple[str, ...] = ()
    """Checks that must not have failed for this one to be asked at all."""
    tolerance: Tolerance | None = None
    """Allowed difference, where the check compares numbers."""
    timeout_s: float = 20.0
    """Wall-clock limit in seconds for all calls that this check makes into student code."""
    review: bool = False
    """True where a person marks it (prose)."""
    answers: tuple[str, ...] = ()
    """Keys of answers.toml that it reads."""
    rubric: tuple[str, ...] = ()
    """What a person who marks it looks for, a sentence each; shown in the review."""
    number: Mapping[str, Any] | None = None
    """Declaration of a numeric answer (key, quantity, unit, follow_through); see docs/authoring.md."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is graded: parts, checks, points, limits, where its checks and its reference are."""

    id: str
    """Stable id, for example "transformer"."""
    version: str
    """Version of the assignment's content; a change of any mark needs a new one."""
    title: str
    """As printed on top of a report."""
    parts: tuple[Part, ...]
    """In the order of the handout."""
    checks: tuple[Check, ...]
    """In the order in which they run and are reported."""
    root: Path
    """Folder of assignment.toml, its test files and its worker-side files."""
    sha256: str
    """Hash over all files of the assignment and its reference."""
    allowed_packages: tuple[str, ...] = ()
    """Third-party packages that student code may import."""
    signatures: Mapping[str, str] = field(default_factory=dict)
    """Arguments of each definition as the handout gives them, shown where the student's do not fit."""
    worker_modules: Mapping[str, str] = field(default_factory=dict)
    """Files, relative to `root`, that harness.py imports by these names inside the worker; they hold no secret."""
    expected_files: tuple[str, ...] = ()
    """Files of figures that a whole hand-in has, as paths in it; `grade PATH --list` names those that are missing."""
    handout_cells: Mapping[str, str] = field(default_factory=dict)
    """The handout's own test cells: what each tests, and the file, relative to `root`, that has it as handed out."""
    written: Mapping[str, Any] = field(default_factory=dict)
    """By which words the answers are known in a written report; see docs/written-reports.md."""


# ---------------------------------------------------------------- what was handed in


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """One file of a hand-in, read once at intake."""

    path: str
    """POSIX path relative to the submission's folder."""
    content: bytes
    """The bytes as handed in; empty where `problem` is set."""
    kind: ArtifactKind
    """What the file is taken for."""
    problem: str | None = None
    """Why the content was not read (too large, unreadable, a link), as a sentence for the student."""
    size: int = 0
    """Bytes of a file of weights as listed, also where the content was not read; 0 for other files."""
    stored: tuple[str, ...] = ()
    """Of a file of weights that was not read: the folder or archive on disk that holds it, then its path in there, and
    so on through archives in archives; open_weights() finds it there."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What one student handed in. Reading it executed nothing."""

    name: str
    """Name of the folder, file or student, as given; untrusted text."""
    root: Path
    """The folder itself, or the archive that holds it; only intake reads from it."""
    sha256: str
    """Hash over the sorted paths and contents of all files."""
    files: tuple[SubmittedFile, ...]
    """Sorted by path."""
    notes: tuple[str, ...] = ()
    """What intake left out and why, one sentence each."""
    written: Written | None = None
    """What was read in its written reports; None where they were not looked at."""


# ---------------------------------------------------------------- what came out


@dataclass(frozen=True, slots=True)
class Plot:
    """One picture worth having in the report: data, drawn by the renderer."""

    kind: str
    """"heatmap" (matrices of one shape side by side) or "curves" (series over a common x)."""
    title: str
    """A sentence a reader understands without the rest."""
    x_label: str = ""
    """Label of the columns (heatmap) or of the x axis (curves)."""
    y_label: str = ""
    """Label of the rows (heatmap) or of the y axis (curves)."""
    series: Mapping[str, Any] = field(default_factory=dict)
    """heatmap: {panel title: rows of floats}; curves: {series title: list of y values, None for a gap}."""

    def __hash__(self) -> int:
        """Of the texts alone: the numbers are in lists, which have none."""
        return hash((self.kind, self.title, self.x_label, self.y_label))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was asked, what came back, and how far apart; strings are ready to show but not escaped."""

    asked: str = ""
    """The call or the question, for example "attn(x, x, x, mask) with x of shape (2, 5, 8)"."""
    expected: str | None = None
    """The reference's value; None for hidden checks and where there is none."""
    obtained: str | None = None
    """The student's value."""
    largest_difference: float | None = None
    """The largest absolute difference, in the unit of the values; None where it is not a comparison."""
    where: str | None = None
    """Index of the largest difference, or file and line of an exception."""
    location: str | None = None
    """Where the answer was read, for example "answers.toml, line 12"."""
    output: str | None = None
    """The last of what the student's code printed, cut to a few lines."""
    notes: tuple[str, ...] = ()
    """Remarks that change no mark: advice, rounding, follow-through used."""
    plots: tuple[Plot, ...] = ()
    """Pictures."""


@dataclass(frozen=True, slots=True)
class Points:
    """Exact points; they are rounded once, at export."""

    earned: Decimal
    possible: Decimal


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The known misconception that explains a wrong result; it never changes the mark."""

    id: str
    """Id in the assignment's bank; of a pair "one+other"."""
    title: str
    """What is wrong, as a sentence."""
    evidence: str
    """Why the grader says so, for example "equal to 3e-7 on 6 probes"."""
    hint: str
    """What to try; the answer is not given away."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check."""

    id: str
    part: str
    title: str
    visibility: Visibility
    status: Status
    points: Points
    message: str
    """One sentence: why this status."""
    hint: str
    """One sentence: what to try next; empty for a pass."""
    evidence: Evidence
    duration_s: float
    """Wall-clock seconds."""
    diagnosis: Diagnosis | None = None
    """The one misconception that explains it; None where none does, or more than one."""


@dataclass(frozen=True, slots=True)
class Score:
    """The total. Points under review are possible but not yet earned."""

    earned: Decimal
    possible: Decimal
    automatic_earned: Decimal
    """Of the checks that a machine marks."""
    automatic_possible: Decimal
    """Of the checks that a machine marks."""
    awaiting_review: Decimal
    """Points that a person has still to give or refuse."""
    excused: Decimal = Decimal(0)
    """Points of checks that failed by our fault (grader_error): neither earned nor lost."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """How far the student's code was sealed off."""

    level: str
    """"strict", "container" or "none"; "not_needed" where no student code was run."""
    guarantees: tuple[str, ...]
    """What this level stops, one sentence each."""
    caveats: tuple[str, ...] = ()
    """What it does not stop, one sentence each."""


@dataclass(frozen=True, slots=True)
class GradeReport:
    """One submission's outcome: written as report.json and rendered to HTML and Markdown."""

    submission_name: str
    submission_sha256: str
    assignment_id: str
    assignment_title: str
    assignment_version: str
    assignment_sha256: str
    parts: tuple[Part, ...]
    """The parts that were asked for, in the order of the handout."""
    checks: tuple[CheckResult, ...]
    """Every selected check exactly once, in the order of the assignment."""
    score: Score
    environment: Mapping[str, str]
    """Versions and machine facts that could matter: grader, python, torch, transformers, cpu."""
    isolation: Isolation
    seed: int
    """Give it to `grade --seed` to repeat the run."""
    public_only: bool
    """True where hidden checks were off; such a report is never a final mark."""
    complete: bool
    """True when every check of the assignment was run and no review is open."""
    notes: tuple[str, ...] = ()
    """Remarks of intake on the hand-in as a whole."""
    created: str = ""
    """UTC time, ISO 8601, seconds."""
    duration_s: float = 0.0
    schema_version: str = SCHEMA_VERSION
