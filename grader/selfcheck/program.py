"""The program `grade` of students: `grade check`, and nothing that needs what they do not have."""

from __future__ import annotations

import click

from grader import __version__
from grader.frontdoor import Program
from grader.selfcheck.command import check


@click.group("grade", cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="grade")
def program() -> None:
    """Check your coursework before you hand it in."""


program.add_command(check)
