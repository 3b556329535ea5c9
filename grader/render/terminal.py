"""The summary that `grade` prints: a line for what went well, a few for what did not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.languages import ENGLISH, Language
from grader.model import GradeReport, Status
from grader.render.compose import view_of
from grader.render.view import CheckView, PartView, ReportView
from grader.text import one_line

STYLES = {
    Status.PASSED: ("✓", "green"),
    Status.PARTIAL: ("◐", "yellow"),
    Status.FAILED: ("✗", "red"),
    Status.MISSING: ("○", "red"),
    Status.BLOCKED: ("⊘", "red"),
    Status.TIMEOUT: ("✗", "red"),
    Status.OUT_OF_MEMORY: ("✗", "red"),
    Status.CRASHED: ("✗", "red"),
    Status.NEEDS_REVIEW: ("?", "blue"),
    Status.GRADER_ERROR: ("!", "magenta"),
}
REASON_LIMIT = 160
"""Characters of a reason or a hint; the whole text is in the report."""
REPEATED_LIMIT = 80
"""Characters of a reason with its hint from which on a second part only refers to the first."""
NOTES_SHOWN = 3


def terminal_summary(
    report: GradeReport,
    console: Console,
    written: Mapping[str, Path] | None = None,
    words: Language = ENGLISH,
) -> None:
    """Print the table by part, the total and where to read more.

    `written` is what write_reports returned. Texts are printed as data: markup in them is not interpreted.
    """
    view = view_of(report, words)
    console.print(_table(view, words))
    console.print()
    console.print(_total(view, words))
    for note in view.notes[:NOTES_SHOWN]:
        console.print(Text(words("Note: {note}", note=_short(note)), style="dim"))
    if len(view.notes) > NOTES_SHOWN:
        more = len(view.notes) - NOTES_SHOWN
        console.print(Text(words("… and {more} more notes in the report", more=more), style="dim"))
    if written:
        page = written.get("html") or next(iter(written.values()))
        console.print(Text.assemble(words("Read more: "), (one_line(str(page), 400), "bold")), soft_wrap=True)


def _table(view: ReportView, words: Language) -> Table:
    table = Table(
        title=Text(f"{view.title} · {_short(view.student, 60)}"),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    table.add_column(words("Part"), no_wrap=True)
    table.add_column(words("Points"), justify="right", no_wrap=True)
    table.add_column(words("Why, and what to try next"), ratio=1, overflow="fold")
    told: dict[tuple[str, str], str] = {}
    for part in view.parts:
        _add_part(table, part, told, words)
    return table


def _add_part(table: Table, part: PartView, told: dict[tuple[str, str], str], words: Language) -> None:
    """One row for the part and its passed checks, one for every other check or group of checks with one fault.

    `told`: reason and hint -> the check that they were first shown for; another part only refers to it.
    """
    sign, style = STYLES[Status.PASSED] if part.checks and not part.opened else (" ", "")
    passed = words(" · {n} passed", n=len(part.passed)) if part.passed else ""
    table.add_row(
        Text.assemble((f"{sign} ", style), (part.id, "bold")),
        Text(f"{part.earned}/{part.possible}", style="bold"),
        Text.assemble((part.title, "" if style else "bold"), (passed, style or "dim")),
    )
    for group in part.groups:
        first, *others = group.checks
        sign, style = STYLES[first.status]
        more = f" +{len(others)}" if others else ""
        table.add_row(
            Text.assemble("  ", (f"{sign} ", style), first.id, (more, "dim")),
            Text(f"{group.earned}/{group.possible}"),
            _reason(first, style, [other.id.removeprefix(f"{part.id}.") for other in others], told, words),
        )


def _reason(
    check: CheckView, style: str, same: list[str], told: dict[tuple[str, str], str], words: Language
) -> Text:
    why = check.known.title if check.known else check.message
    label = words("{label}. ", label=check.label)  # message
    before = told.setdefault((why, check.hint), check.id)
    elsewhere = before.partition(".")[0] != check.id.partition(".")[0]
    if elsewhere and len(why) + len(check.hint) > REPEATED_LIMIT:
        return Text.assemble((label, style), words("As for {check}, above.", check=before))
    reason = Text.assemble((label, style), _short(why or check.title))
    if check.hint:
        reason.append("\n" + words("→ {hint}", hint=_short(check.hint)), style="italic")
    if same:
        reason.append("\n" + words("The same: {checks}", checks=", ".join(same)), style="dim")
    return reason


def _total(view: ReportView, words: Language) -> Text:
    score = view.score
    total = Text.assemble(
        (words("{earned} of {possible} points", earned=score.earned, possible=score.possible), "bold")
    )
    if score.awaiting or score.excused:
        earned, possible = score.automatic_earned, score.automatic_possible
        total.append(words(" · automatic {earned} of {possible}", earned=earned, possible=possible))
    if score.awaiting:
        total.append(words(" · {awaiting} for a person to give", awaiting=score.awaiting), style="blue")
    if score.excused:
        total.append(words(" · {excused} not counted, by our fault", excused=score.excused), style="magenta")
    if view.standing:
        total.append(f"\n{view.standing}", style="yellow")
    return total


def _short(text: str, limit: int = REASON_LIMIT) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
