"""Commands for a class that has been graded: `grade class`, `review`, `export`, `similar`. Imports nothing heavy."""

from __future__ import annotations

from pathlib import Path

import click

from grader.command_options import ASSIGNMENT, BOOK, COURSE, DEBUG, PATH
from grader.errors import UsageError
from grader.text import one_line


@click.command("class")
@BOOK
@click.option(
    "--reports", type=PATH, metavar="DIR", help="Where the reports are, to link to. [beside the gradebook]"
)
@click.option(
    "--out",
    type=PATH,
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


@click.command("export")
@click.argument("form", metavar="FORMAT", required=False)
@BOOK
@click.option(
    "--roster", type=PATH, metavar="FILE", help="The table that the platform exported, to be filled in."
)
@click.option("--column", metavar="NAME", help="Column of the roster that takes the marks.")
@COURSE
@click.option("--out", type=PATH, metavar="FILE", help="Where to. [FORMAT beside the gradebook]")
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
        click.echo(f"no mark for {one_line(student)}: {one_line(why)}", err=True)
    for remark in written.remarks:
        click.echo(one_line(remark), err=True)
    click.echo(file)


@click.command("similar")
@click.argument("path", type=PATH)
@click.option(
    "--least",
    type=click.FloatRange(0.05, 1.0),
    default=0.6,
    show_default=True,
    help="Share of one's own code that the other has to have.",
)
@click.option(
    "--out",
    type=PATH,
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
        click.echo(f"not compared: {one_line(name)}: {one_line(why)}", err=True)
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
            f"{pair.shares[0]:4.0%} {pair.shares[1]:4.0%}  {one_line(pair.one.name)}  {one_line(pair.other.name)}"
        )
    number = f"{len(pairs)} pair{'' if len(pairs) == 1 else 's'}"
    click.echo(f"{number} among {len(codes)} hand-ins: {out}")
