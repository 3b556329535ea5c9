"""The program `grade` of students: `grade check`, and nothing that needs what they do not have."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from grader import __version__
from grader.exitcode import ExitCode
from grader.frontdoor import asked_language, errors_shown
from grader.selfcheck.command import check


class _Program(click.Group):
    """Shows errors as the instructors' program does."""

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run a command and end the process with its exit code."""
        given = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        with errors_shown(debug="--debug" in given, lang=asked_language(given)):
            code = super().main(args=given or ["--help"], **extra)
        sys.exit(code or (ExitCode.ALL_PASSED if given else ExitCode.USAGE))


@click.group("grade", cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="grade")
def program() -> None:
    """Check your coursework before you hand it in."""


program.add_command(check)
