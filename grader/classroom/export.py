"""From the gradebook to a file for the course's platform, and back again to see that it holds the same marks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from grader.classroom.policy import BEST, Policy, counted, final_mark
from grader.errors import GraderError, UsageError
from grader.exporters import Export, Line, Roster, find, roster_from
from grader.exporters.base import Exporter, Written, to_two_places
from grader.gradebook import Gradebook, Override, Standing, standing_of, standings
from grader.gradebook.final import final_report
from grader.model import Assignment, GradeReport
from grader.render.files import write_bytes_atomically
from grader.serialise import rounded

_TWO_PLACES = {"canvas", "moodle"}


class ExportDiffers(GraderError):
    """The file does not hold the marks of the gradebook."""


def lines_of(book: Gradebook, assignment: Assignment, policy: Policy) -> tuple[Line, ...]:
    """Every student's mark with the policy applied, by name."""
    lines = []
    for standing in standings_under(book, assignment, policy).values():
        final = final_mark(standing, policy)
        points = final.points if standing.final else None
        lines.append(Line(standing, points, standing.possible, final.notes))
    return tuple(sorted(lines, key=lambda line: (line.name.casefold(), line.student)))


def standings_under(book: Gradebook, assignment: Assignment, policy: Policy) -> dict[str, Standing]:
    """Where every student stands with the attempt that counts under the policy."""
    everyone = standings(book, assignment.id)
    if policy.attempts == BEST:
        return {student: _best(book, assignment, student, s, policy) for student, s in everyone.items()}
    return everyone


def _best(
    book: Gradebook, assignment: Assignment, student: str, current: Standing, policy: Policy
) -> Standing:
    result = counted(book.history(assignment.id, student), policy)
    if result is None or result.id == current.result.id:
        return current
    given: list[Override] = [o for (s, _), o in book.overrides(assignment.id).items() if s == student]
    return standing_of(result, given)


@dataclass(frozen=True, slots=True)
class Exported:
    """What is to be said of a file that was written."""

    left_out: Mapping[str, str]
    """By student key: why the student has no mark in it."""
    remarks: tuple[str, ...]
    """What whoever uploads it should know."""


def write_export(
    book: Gradebook,
    assignment: Assignment,
    name: str,
    out: Path,
    *,
    policy: Policy,
    roster: Path | None = None,
    column: str | None = None,
) -> Exported:
    """Write the export called `name` to the file `out`."""
    exporter, export = find(name), _export(book, assignment, policy, roster, column)
    written = exporter.write(export)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(out, written.content)
    except OSError as error:
        raise UsageError(
            f"The export cannot be written to {out}: {error}.", "Name another file with --out."
        ) from None
    held = _held(exporter, export, out)
    given = [line for line in export.lines if held.get(line.student) is not None]
    remarks = (*_of_fewer_points(assignment, given), *_of_other_points(name, written, given))
    return Exported(written.left_out, remarks)


def _of_fewer_points(assignment: Assignment, given: Sequence[Line]) -> Iterator[str]:
    """Said where marks are of fewer points than the assignment has."""
    whole = sum((check.points for check in assignment.checks), Decimal(0))
    fewer = [line.possible for line in given if line.possible < whole]
    if fewer:
        marks = "1 mark is" if len(fewer) == 1 else f"{len(fewer)} marks are"
        yield (
            f"{marks} of fewer points than the assignment's {rounded(whole)}, down to {rounded(min(fewer))}: "
            "not all of its checks are in them."
        )


def _of_other_points(name: str, written: Written, given: Sequence[Line]) -> Iterator[str]:
    """Said where the platform would show marks out of other points than they are of."""
    ours = sorted({line.possible for line in given})
    if written.out_of is not None and any(points != written.out_of for points in ours):
        here = " or ".join(str(rounded(points)) for points in ours)
        yield f"{name.title()} shows the marks out of {rounded(written.out_of)} points, and they are of {here}."


def check_export(
    book: Gradebook,
    assignment: Assignment,
    name: str,
    file: Path,
    *,
    policy: Policy,
    roster: Path | None = None,
    column: str | None = None,
) -> int:
    """Read `file` again and compare every mark with the gradebook; the number of marks that agree.

    Raises ExportDiffers, which names the students.
    """
    held = _held(find(name), _export(book, assignment, policy, roster, column), file)
    return sum(points is not None for points in held.values())


def _held(exporter: Exporter, export: Export, file: Path) -> Mapping[str, Decimal | None]:
    """The marks in `file`, by student key, which are those of `export`; raises ExportDiffers."""
    try:
        held = exporter.read(file.read_bytes(), export)
    except FileNotFoundError:
        raise UsageError(
            f"There is no {file}.", "Write it first: the same command without --check."
        ) from None
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise UsageError(f"{file} cannot be read as {exporter.name}: {error}.", "Export it again.") from None
    differing = _differences(export, held, two_places=exporter.name in _TWO_PLACES)
    if differing:
        shown = "; ".join(f"{student}: {why}" for student, why in list(differing.items())[:10])
        raise ExportDiffers(
            f"{file} does not hold the marks of the gradebook for {len(differing)} students. {shown}.",
            "Export it again, and keep hands off the file in between.",
        )
    return held


def _differences(export: Export, held: Mapping[str, Decimal | None], *, two_places: bool) -> dict[str, str]:
    differing = {}
    for line in export.lines:
        if line.student not in held:
            continue  # not known to the platform: said when it was written
        due = line.points
        if due is not None:
            due = to_two_places(due) if two_places else rounded(due)
        if held[line.student] != due:
            differing[line.student] = f"{held[line.student]} in the file, {due} in the gradebook"
    return differing


def _export(
    book: Gradebook, assignment: Assignment, policy: Policy, roster: Path | None, column: str | None
) -> Export:
    return Export(
        assignment=assignment,
        lines=lines_of(book, assignment, policy),
        report_of=_Reports(book, assignment),
        roster=None if roster is None else _read_roster(roster),
        column=column,
    )


def _read_roster(path: Path) -> Roster:
    try:
        return roster_from(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"The roster {str(path)!r} cannot be read: {error.strerror}.", "Give the platform's own export."
        ) from None


class _Reports:
    """The final report of a line: the gradebook's, with the marks of people and what the course did."""

    def __init__(self, book: Gradebook, assignment: Assignment) -> None:
        self._book, self._checks = book, len(assignment.checks)

    def __call__(self, line: Line) -> GradeReport:
        report = self._book.report(line.standing.result.id)
        return final_report(report, line.standing, self._checks, line.notes)
