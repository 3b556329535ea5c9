"""Commands for a class that has been graded: `grade class`, `review`, `book`, `diff`. Imports nothing heavy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.errors import UsageError
from grader.frontdoor import OneOf

if TYPE_CHECKING:
    from rich.console import Console

    from grader.classroom.difference import Change
    from grader.gradebook import Standing

DEFAULT_BOOK = "reports/gradebook.sqlite"
BOOK = click.option(
    "--book",
    metavar="FILE|ADDRESS",
    default=DEFAULT_BOOK,
    show_default=True,
    help="The gradebook: a file, or the address of a database.",
)
ASSIGNMENT = click.option(
    "--assignment",
    default="transformer",
    metavar="ID|DIR",
    help="Other than the coursework.",
)
DEBUG = click.option("--debug", is_flag=True, hidden=True)
_PATH = click.Path(path_type=Path, readable=False)
COURSE = click.option(
    "--course", type=_PATH, metavar="FILE", help="course.toml: late days, extensions, attempts, cap."
)


@click.command("class")
@BOOK
@click.option(
    "--reports", type=_PATH, metavar="DIR", help="Where the reports are, to link to. [beside the gradebook]"
)
@click.option(
    "--out",
    type=_PATH,
    metavar="DIR",
    help="Folder for class.html, class.csv and class.json. [beside the gradebook]",
)
@COURSE
@ASSIGNMENT
@DEBUG
def class_book(
    book: str, reports: Path | None, out: Path | None, course: Path | None, assignment: str, debug: bool
) -> None:
    """Write the class book: distribution, checks, mistakes, students."""
    from grader.assignment import find_assignment
    from grader.classbook.page import as_csv, as_json, html_page
    from grader.classbook.statistics import class_statistics
    from grader.classroom.export import standings_under
    from grader.classroom.policy import Policy, final_mark, read_policy
    from grader.gradebook import opened_for
    from grader.render.files import write_atomically

    found = find_assignment(assignment)
    beside = Path("reports") if "://" in book else Path(book).parent
    folder, linked = out or beside, reports or beside
    policy = Policy() if course is None else read_policy(course)
    with opened_for(book, found) as opened:
        everyone = standings_under(opened, found, policy)
    marks = None if course is None else {s: final_mark(standing, policy) for s, standing in everyone.items()}
    if not everyone:
        raise UsageError(
            f"The gradebook {book!r} holds no result of {found.title!r}.", "Grade a class first."
        )
    statistics = class_statistics(everyone.values(), found.checks)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / "class.html"
        write_atomically(page, "".join(html_page(found, statistics, everyone, linked, page, marks)))
        write_atomically(folder / "class.csv", as_csv(everyone, [check.id for check in found.checks], marks))
        write_atomically(folder / "class.json", as_json(found, statistics, everyone, marks))
    except OSError as error:
        raise UsageError(
            f"The class book cannot be written: {error}.", "Name another folder with --out."
        ) from None
    click.echo(f"{statistics.students} students, {statistics.open_reviews} marks for a person to give")
    for name in ("class.html", "class.csv", "class.json"):
        click.echo(folder / name)


@click.command("review")
@BOOK
@click.option("--blind", is_flag=True, help="Hide names, and the order that would give them away.")
@click.option("--author", metavar="NAME", help="Who marks; kept with each mark. [your user name]")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, metavar="N", help="On 127.0.0.1. [a free one]"
)
@ASSIGNMENT
@DEBUG
def review(book: str, blind: bool, author: str | None, port: int, assignment: str, debug: bool) -> None:
    """Mark in the browser what the grader leaves to a person."""
    from grader.assignment import find_assignment
    from grader.classroom.command import user_name
    from grader.gradebook import opened_for
    from grader.review.queue import Queue

    try:
        from grader.review.serve import serve
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The review needs the package {error.name!r}.",
            "Install it with:  pip install 'transformer-grader[review]'",
        ) from None
    found = find_assignment(assignment)
    with opened_for(book, found) as opened:
        queue = Queue(opened, found, author=author or user_name(), blind=blind)
        if not queue.items:
            click.echo("Nothing waits for a person.")
            return

        def tell(address: str) -> None:
            click.echo(
                f"{len(queue.items)} answers to mark. Open this address; it works once:\n\n    {address}\n"
            )
            click.echo("Ctrl-C ends the review; every mark is kept as soon as it is given.")

        serve(queue, port=port, tell=tell)


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


@click.command("export")
@click.argument("form", metavar="FORMAT", required=False)
@BOOK
@click.option(
    "--roster", type=_PATH, metavar="FILE", help="The table that the platform exported, to be filled in."
)
@click.option("--column", metavar="NAME", help="Column of the roster that takes the marks.")
@COURSE
@click.option("--out", type=_PATH, metavar="FILE", help="Where to. [FORMAT beside the gradebook]")
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing: compare the file with the gradebook."
)
@ASSIGNMENT
@DEBUG
def export(
    form: str | None,
    book: str,
    roster: Path | None,
    column: str | None,
    course: Path | None,
    out: Path | None,
    only_check: bool,
    assignment: str,
    debug: bool,
) -> None:
    """Write the marks as FORMAT; without one, say which there are. What was written is read again and compared."""
    from grader.assignment import find_assignment
    from grader.classroom.export import check_export, write_export
    from grader.classroom.policy import Policy, read_policy
    from grader.exporters import exporters, find
    from grader.gradebook import opened_for

    if form is None:
        for exporter in exporters().values():
            click.echo(f"{exporter.name:11} {exporter.title}")
        return
    exporter, found = find(form), find_assignment(assignment)
    beside = Path("reports") if "://" in book else Path(book).parent
    file = out or beside / f"{form}{exporter.suffix}"
    policy = Policy() if course is None else read_policy(course)
    with opened_for(book, found) as opened:
        if only_check:
            same = check_export(opened, found, form, file, policy=policy, roster=roster, column=column)
            click.echo(f"{file} holds the gradebook's marks of {same} students.")
            return
        written = write_export(opened, found, form, file, policy=policy, roster=roster, column=column)
    for student, why in written.left_out.items():
        click.echo(f"no mark for {_line(student)}: {_line(why)}", err=True)
    for remark in written.remarks:
        click.echo(_line(remark), err=True)
    click.echo(file)


@click.command("similar")
@click.argument("path", type=_PATH)
@click.option(
    "--least",
    type=click.FloatRange(0.05, 1.0),
    default=0.6,
    show_default=True,
    help="Share of one's own code that the other has to have.",
)
@click.option(
    "--out",
    type=_PATH,
    metavar="FILE",
    default=Path("reports/similar.html"),
    show_default=True,
    help="Where the page goes.",
)
@ASSIGNMENT
@DEBUG
def similar(path: Path, least: float, out: Path, assignment: str, debug: bool) -> None:
    """Which hand-ins of the class at PATH share code, side by side. It informs a person and changes no mark."""
    from grader.assignment import find_assignment
    from grader.intake import read_class
    from grader.render.files import write_atomically
    from grader.starter import starter_texts

    try:
        from grader.similar.pairs import find_pairs
    except ModuleNotFoundError as error:
        raise UsageError(
            f"Comparing code needs the package {error.name!r}.",
            "Install it with:  pip install 'transformer-grader[similar]'",
        ) from None
    from grader.similar.gather import codes_of
    from grader.similar.page import html_page

    found, class_ = find_assignment(assignment), read_class(path)
    codes, unread = codes_of(class_)
    for name, why in unread.items():
        click.echo(f"not compared: {_line(name)}: {_line(why)}", err=True)
    if len(codes) < 2:
        said = f"There are {len(codes)} hand-ins with code in {str(path)!r}."
        raise UsageError(said, "Name the folder of the class.")
    pairs = find_pairs(codes, starter_texts(assignment), least=least)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out, "".join(html_page(found.title, pairs, len(codes), least)))
    except OSError as error:
        raise UsageError(f"The page cannot be written: {error}.", "Name another file with --out.") from None
    for pair in pairs[:20]:
        click.echo(
            f"{pair.shares[0]:4.0%} {pair.shares[1]:4.0%}  {_line(pair.one.name)}  {_line(pair.other.name)}"
        )
    number = f"{len(pairs)} pair{'' if len(pairs) == 1 else 's'}"
    click.echo(f"{number} among {len(codes)} hand-ins: {out}")


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
    console, count = _console(), 0
    for change in found:
        count += 1
        before, after = _points(change.before), _points(change.after)
        console.print(f"{_line(change.name)}: {before} → {after}  ({change.difference:+})", markup=False)
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
        table.add_row(*(Text(_line(str("" if value is None else value))) for value in row.values()))
    _console().print(table if rows else "Nothing.", highlight=False)


def _points(points: Any) -> str:
    from grader.serialise import rounded

    return "–" if points is None else str(rounded(points))


def _line(text: str) -> str:
    from grader.text import one_line

    return one_line(text)


def _console() -> Console:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:  # a file or a program: nothing is cut
        console.width = 400
    return console
