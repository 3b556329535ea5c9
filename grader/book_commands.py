"""Commands that show what the gradebook holds: `grade book`, `diff`. Imports nothing heavy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from grader.command_options import ASSIGNMENT, BOOK, DEBUG
from grader.console import table_console
from grader.errors import UsageError
from grader.frontdoor import OneOf
from grader.text import one_line

if TYPE_CHECKING:
    from grader.classroom.difference import Change
    from grader.gradebook import Standing


@click.command("book")
@click.argument("student", required=False)
@BOOK
@click.option("--runs", is_flag=True, help="The runs, not the students.")
@click.option("--open", "only_open", is_flag=True, help="Only students with a mark for a person to give.")
@click.option("--failed", "only_failed", is_flag=True, help="Only hand-ins that could not be graded.")
@click.option(
    "--format",
    "form",
    type=OneOf("format", ("table", "csv", "json")),
    default="table",
    metavar="table|csv|json",
    help="How to print it; csv and json for programs.",
)
@ASSIGNMENT
@DEBUG
def show_book(
    student: str | None,
    book: str,
    runs: bool,
    only_open: bool,
    only_failed: bool,
    form: str,
    assignment: str,
    debug: bool,
) -> None:
    """Show the gradebook: everyone, or all that is known of STUDENT."""
    from grader.assignment import find_assignment
    from grader.gradebook import opened_for, standings

    found = find_assignment(assignment)
    with opened_for(book, found) as opened:
        if runs:
            shown = opened.runs(found.id)
            _show(form, shown if form == "json" else [_run_row(run) for run in shown])
            return
        everyone = standings(opened, found.id)
        if student is not None:
            _known(student, everyone)
            _show(form, [_result_row(result) for result in opened.history(found.id, student)])
            given = [row for row in opened.override_history(found.id) if row["student"] == student]
            if given and form == "table":
                click.echo("\nMarks given by people")
                _show(form, given)
            return
    chosen = [
        standing
        for standing in sorted(everyone.values(), key=lambda one: one.entry.student.casefold())
        if (not only_open or standing.open_reviews)
        and (not only_failed or standing.result.failure is not None)
    ]
    _show(form, [_standing_row(standing) for standing in chosen])


@click.command("diff", short_help="Whose mark changed between two runs, and why.")
@click.argument("old", type=int, required=False)
@click.argument("new", type=int, required=False)
@BOOK
@ASSIGNMENT
@DEBUG
def diff(old: int | None, new: int | None, book: str, assignment: str, debug: bool) -> None:
    """Whose mark changed between run OLD and run NEW, by how much, and why. Without numbers: the last two runs."""
    from grader.assignment import find_assignment
    from grader.classroom.difference import changes
    from grader.gradebook import opened_for

    found = find_assignment(assignment)
    with opened_for(book, found) as opened:
        numbers = [run["id"] for run in opened.runs(found.id)]
        if len(numbers) < 2:
            raise UsageError(
                f"The gradebook {book!r} holds one run of {found.title!r}.",
                "There have to be two to compare.",
            )
        first, second = old or numbers[-2], new or numbers[-1]
        for number in (first, second):
            if number not in numbers:
                known = ", ".join(map(str, numbers))
                raise UsageError(
                    f"There is no run {number}; there are {known}.", "`grade book --runs` shows them."
                )
        found_changes = changes(
            opened.current(found.id, until_run=first), opened.current(found.id, until_run=second)
        )
    _print_changes(found_changes, first, second)


def _print_changes(found: Iterable[Change], first: int, second: int) -> None:
    console, count = table_console(), 0
    for change in found:
        count += 1
        before, after = _points(change.before), _points(change.after)
        console.print(f"{one_line(change.name)}: {before} → {after}  ({change.difference:+})", markup=False)
        for check in change.checks:
            was = "–" if check.before is None else check.before.status.value
            is_now = "–" if check.after is None else check.after.status.value
            said = f"    {check.check_id}  {check.difference:+}  {was} → {is_now}: {check.why}"
            console.print(said, markup=False, highlight=False)
    console.print(f"{count} marks changed between run {first} and run {second}.", highlight=False)


def _known(student: str, everyone: Mapping[str, Standing]) -> None:
    if student not in everyone:
        from grader.errors import UnknownName

        raise UnknownName("student", student, sorted(everyone))


def _run_row(run: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "run": run["id"],
        "started": run["started"][:16],
        "state": "finished" if run["ended"] else "stopped",
        "results": run["results"],
        "author": run["author"],
        "grader": run["grader_version"],
        "assignment": run["assignment_version"],
        "source": run["source"],
    }


def _standing_row(standing: Standing) -> dict[str, Any]:
    failure = standing.result.failure
    return {
        "student": standing.entry.student,
        "name": standing.entry.name,
        "earned": "" if failure else _points(standing.earned),
        "possible": "" if failure else _points(standing.possible),
        "to review": len(standing.open_reviews),
        "attempt": standing.entry.attempt,
        "late": "late" if standing.entry.late else "",
        "failure": failure or "",
    }


def _result_row(result: Any) -> dict[str, Any]:
    return {
        "result": result.id,
        "run": result.run,
        "created": result.created,
        "attempt": result.entry.attempt,
        "hand-in": result.entry.submission_sha256[:12],
        "earned": "" if result.failure else _points(result.earned),
        "possible": "" if result.failure else _points(result.possible),
        "failure": result.failure or "",
    }


def _show(form: str, rows: list[dict[str, Any]]) -> None:
    """As a table for people, or as CSV or JSON for programs."""
    if form == "json":
        click.echo(json.dumps(rows, indent=1, default=str))
        return
    columns = list(rows[0]) if rows else []
    if form == "csv":
        import csv
        import sys

        from grader.classbook.page import plain_cell

        writer = csv.writer(sys.stdout, lineterminator="\r\n")
        writer.writerow(columns)
        writer.writerows([plain_cell(str("" if v is None else v)) for v in row.values()] for row in rows)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, header_style="italic", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(one_line(str("" if value is None else value))) for value in row.values()))
    table_console().print(table if rows else "Nothing.", highlight=False)


def _points(points: Any) -> str:
    from grader.serialise import rounded

    return "–" if points is None else str(rounded(points))
