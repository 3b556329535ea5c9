"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path

import click

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
PATH = click.Path(path_type=Path, readable=False)
COURSE = click.option(
    "--course", type=PATH, metavar="FILE", help="course.toml: late days, extensions, attempts, cap."
)
