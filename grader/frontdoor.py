"""What all commands of `grade` share: `grade PATH` without a command's name, and one way to show an error."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from grader.errors import GraderError, UnknownName, UsageError
from grader.exitcode import ExitCode
from grader.languages import ENGLISH, Language, chosen, language

SEED_LIMIT = 2**31


class Program(click.Group):
    """Shows every error alike, and ends the process with the exit code that a command returns."""

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run a command; without one, show the help."""
        given = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        with errors_shown(debug="--debug" in given, lang=asked_language(given)):
            code = super().main(args=given or ["--help"], **extra)
        sys.exit(code or (ExitCode.ALL_PASSED if given else ExitCode.USAGE))


class PathOrCommand(Program):
    """`grade PATH` is `grade run PATH`; a folder that is named like a command is given as ./NAME."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            _refuse_mistyped_command(args[0], [n for n, c in self.commands.items() if not c.hidden])
            args = ["run", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options of `run` may come first: `grade --public PATH`."""
        own = {"--help", "-h", "--version"}
        if args and args[0].startswith("-") and args[0] not in own:
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and where none fits, the path of a hand-in."""
        found = super().shell_complete(ctx, incomplete)
        return found or [CompletionItem(incomplete, type="file")]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of `grade PATH` belong on the first page, although they are those of a hidden command."""
        own = {name for param in self.get_params(ctx) for name in param.opts}
        records = [
            record
            for param in self.commands["run"].get_params(ctx)
            if isinstance(param, click.Option)
            and not own & set(param.opts)
            and (record := param.get_help_record(ctx)) is not None
        ]
        with formatter.section("Options of grade PATH"):
            formatter.write_dl(records)
        super().format_options(ctx, formatter)


class OneOf(click.ParamType):  # type: ignore[type-arg]  # generic in recent versions of click only
    """One of some names; an unknown one is answered with the nearest."""

    def __init__(self, kind: str, known: Sequence[str]) -> None:
        self.name = kind
        self._known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Raises UnknownName."""
        if value not in self._known:
            raise UnknownName(self.name, str(value), self._known)
        return str(value)


class Seed(click.ParamType):  # type: ignore[type-arg]
    """A whole number from 0 to 2^31 - 1."""

    name = "seed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Raises UsageError."""
        text = str(value)
        if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < SEED_LIMIT):
            raise UsageError(f"{text!r} is no seed.", f"Give a whole number from 0 to {SEED_LIMIT - 1}.")
        return int(text)


def _refuse_mistyped_command(word: str, commands: Sequence[str]) -> None:
    """`grade lst` is more likely a command than a folder that does not exist."""
    near = get_close_matches(word, commands, n=1, cutoff=0.75)
    if near and not Path(word).exists():
        raise UsageError(
            f"There is neither a folder nor a command {word!r}.", f"Did you mean `grade {near[0]}`?"
        )


def asked_language(arguments: Sequence[str]) -> str | None:
    """The language after --lang, for errors that are met before or while the command line is read."""
    for word, following in zip(arguments, [*arguments, ""][1:], strict=True):
        if word == "--lang" or word.startswith("--lang="):
            return word.partition("=")[2] or following
    return None


def _speak(lang: str | None) -> Language:
    try:
        return language(chosen(lang))
    except UnknownName:
        return ENGLISH


@contextmanager
def errors_shown(debug: bool, lang: str | None = None) -> Iterator[None]:
    """A message, a next step and an exit code for whatever is raised; a traceback only with --debug."""

    def _show(message: str, next_step: str) -> None:
        _print_error(_speak(lang), message, next_step)

    try:
        yield
    except (KeyboardInterrupt, click.Abort):
        click.echo(_speak(lang)("Stopped. No report was written."), err=True)
        sys.exit(ExitCode.INTERRUPTED)
    except click.ClickException as error:
        _show(error.format_message(), "`grade --help` lists commands and options.")
        sys.exit(ExitCode.USAGE)
    except GraderError as error:
        if debug:
            traceback.print_exc()
        _show(error.message, error.next_step)
        sys.exit(ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.GRADER_ERROR)
    except Exception as error:
        if debug:
            traceback.print_exc()
        _show(
            f"the grader itself failed ({type(error).__name__}: {error}).",
            "Run it again with --debug and send us what it prints.",
        )
        sys.exit(ExitCode.GRADER_ERROR)


def _print_error(words: Language, message: str, next_step: str) -> None:
    mark = words("error:")
    click.echo(f"{click.style(mark, fg='red', bold=True)} {words.say(message)}", err=True)
    if next_step:
        click.echo(f"       {words.say(next_step)}", err=True)
