"""`grade check`: the public checks, once or on every save."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.exitcode import ExitCode
from grader.languages import ENGLISH, Language, language
from grader.languages import chosen as spoken

if TYPE_CHECKING:
    from rich.console import Console

    from grader.selfcheck.kit import Kit, PublicCheck
    from grader.selfcheck.result import Result
    from grader.selfcheck.runs import Runs


_LOOKS: dict[str, Any] = {"debounce": 100, "step": 20, "rust_timeout": 500, "yield_on_timeout": True}
"""Milliseconds. A save is told at once; one that is not told, as on a network drive, is seen half a second later."""


@click.command("check", short_help="Run the public checks on your own work.")
@click.argument("names", nargs=-1, metavar="[PART|CHECK]...")
@click.option(
    "--in",
    "folder",
    type=click.Path(path_type=Path, readable=False),
    metavar="DIR",
    help="The folder with your work. [that of the kit which was unpacked here]",
)
@click.option("--watch", is_flag=True, help="Check again whenever a file is saved, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON, for a program.")
@click.option("--lang", metavar="LANG", help="Language of the results: en, zh. [GRADE_LANG, else en]")
@click.option("--debug", is_flag=True, hidden=True)
@click.pass_context
def check(
    context: click.Context,
    names: tuple[str, ...],
    folder: Path | None,
    watch: bool,
    as_json: bool,
    lang: str | None,
    debug: bool,
) -> None:
    """Run the public checks on your own work: all, or those of a part.

    \b
    grade check            all public checks
    grade check 2c         those of part 2c
    grade check --watch    again on every save

    Your code runs as it is, on your own machine. Exit code 0: these public checks passed; 1: some did not; 4: some
    could not be run.
    """
    from rich.console import Console

    from grader.selfcheck.kit import find_kit
    from grader.selfcheck.runs import Runs
    from grader.selfcheck.show import print_results, print_tally

    kit = find_kit(folder)
    words = language(spoken(lang), kit.root)
    chosen = kit.select(names)
    console = Console(highlight=False)
    if kit.fallback:
        said = words(
            "There is no student kit in {place} or above it: these are the public checks of {title}, which came with "
            "the grader.",
            place=str(kit.work),
            title=words(kit.title),
        )
        click.echo(said, err=True)
    with Runs(kit, kit.preload(chosen)) as runs:
        if watch:
            from watchfiles import watch as saves

            from grader.selfcheck.changed import watched

            def worth(change: Any, path: str) -> bool:
                return watched(path)

            with contextlib.suppress(KeyboardInterrupt):
                watching(kit, chosen, runs, console, saves(kit.work, watch_filter=worth, **_LOOKS), words)
            return
        results = runs.run(chosen)
    if as_json:
        document = {"assignment": kit.id, "public_only": True, "checks": [r.document() for r in results]}
        click.echo(json.dumps(document, indent=1))
    else:
        print_results(console, results, notes=bool(names), words=words)
        print_tally(console, results, words)
    context.exit(code_of(results))


def watching(
    kit: Kit,
    chosen: Sequence[PublicCheck],
    runs: Runs,
    console: Console,
    saves: Iterable[Any],
    words: Language = ENGLISH,
) -> None:
    """Run all once, and after each of `saves` those that it concerns."""
    from grader.selfcheck.changed import concerned, stamps
    from grader.selfcheck.show import print_results, print_tally

    last: dict[str, Result] = {}
    before = stamps(kit.work)
    due: Sequence[PublicCheck] = chosen
    console.print(words("Watching {work}. Ctrl-C ends it.", work=kit.work) + "\n", markup=False)
    remaining = iter(saves)
    while True:
        if due:
            results = runs.run(due)
            console.rule(", ".join(dict.fromkeys(check.part for check in due)))
            print_results(console, results, before=last, words=words)
            last |= {result.id: result for result in results}
            print_tally(console, [last[check.id] for check in chosen if check.id in last], words)
        if next(remaining, None) is None:
            return
        after = stamps(kit.work)
        due, before = concerned(chosen, last, before, after), after


def code_of(results: Sequence[Result]) -> ExitCode:
    """The exit code of a run."""
    from grader.model import Status
    from grader.selfcheck.show import tally

    if any(result.status is Status.GRADER_ERROR for result in results):
        return ExitCode.GRADER_ERROR
    return ExitCode.ALL_PASSED if tally(results).passed == tally(results).total else ExitCode.POINTS_LOST
