"""What verify found: claims with their figures, and the problems of those that do not hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.model import Assignment
from grader.verify.settings import Settings


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is weak, and what to do about it."""

    about: str
    """Id of the check, misconception or variant."""
    sentence: str
    next_step: str
    trace: str = ""
    """Traceback of a check's own error, which --debug shows."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement about the assignment."""

    id: str
    """Stable: "reference", "starter", "misconceptions", ..."""
    statement: str
    """What holds where there is no problem."""
    figures: str
    """What was counted or measured."""
    problems: tuple[Problem, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing was found against it."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Measured:
    """A difference, and where it was met."""

    value: float
    where: str
    """For example "variant attention/einsum, seed 2"."""


@dataclass(frozen=True, slots=True)
class Margin:
    """The tolerance of one check between the noise of right answers and the nearest wrong one."""

    check: str
    unit: str
    """Unit of the three values; empty for plain numbers."""
    tolerance: float
    """Largest difference that is allowed."""
    noise: Measured | None
    """Largest difference of a right answer; None where none was measured."""
    nearest: Measured | None
    """Smallest difference of a wrong one that is outside the tolerance."""
    exact: bool
    """True for a number on paper: the noise is then a rounding, known exactly, and has to lie inside, no more."""

    @property
    def above_noise(self) -> float | None:
        """How many times the noise the tolerance is; None where there is no noise."""
        return self.tolerance / self.noise.value if self.noise and self.noise.value else None

    @property
    def below_nearest(self) -> float | None:
        """How many times the tolerance the nearest wrong answer is; None where there is none."""
        return self.nearest.value / self.tolerance if self.nearest else None


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check in figures."""

    id: str
    points: Decimal
    runs: int
    """Runs of the model solution."""
    full: int
    """Those with full points."""
    starter: Decimal | None
    """Points of the empty starter; None where it was not handed in."""
    caught: tuple[str, ...]
    """Ids of the misconceptions that name it and lose points in it in every run."""


@dataclass(frozen=True, slots=True)
class MisconceptionRow:
    """One misconception in figures."""

    id: str
    title: str
    runs: int
    """Seeds that it was handed in with."""
    cost: tuple[str, ...]
    """Ids of the checks that took points in at least one run."""
    named: tuple[str, ...]
    """Ids of the diagnoses that were given, its own included."""


@dataclass(frozen=True, slots=True)
class Proof:
    """All of it."""

    assignment: Assignment
    settings: Settings
    parts: tuple[str, ...]
    """As selected on the command line; empty for all."""
    claims: tuple[Claim, ...]
    margins: tuple[Margin, ...]
    checks: tuple[CheckRow, ...]
    misconceptions: tuple[MisconceptionRow, ...]
    remarks: tuple[str, ...]
    """What was not asked, one sentence each."""
    gradings: int
    """Hand-ins graded, counting each group of checks."""
    jobs: int
    duration_s: float
    cpu_s: float
    """CPU seconds, user and system, of this process and all that it started: the same on a busy machine."""

    @property
    def holds(self) -> bool:
        """Whether every claim does."""
        return all(claim.holds for claim in self.claims)

    @property
    def problems(self) -> Sequence[tuple[Claim, Problem]]:
        """Every problem with its claim."""
        return [(claim, problem) for claim in self.claims for problem in claim.problems]
