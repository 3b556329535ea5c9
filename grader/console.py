"""What commands share: where they print, and how they end early. Imports nothing heavy before it is needed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def console(stderr: bool = False) -> Console:
    """Of the output, or of what is said beside it; numbers in it are not coloured."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def table_console() -> Console:
    """Of the output, for tables: where a file or a program reads it, so wide that nothing is cut."""
    from rich.console import Console

    made = Console(highlight=False, soft_wrap=True)
    if not made.is_terminal:
        made.width = 400
    return made


@contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """A SIGTERM, as of `timeout 60 grade PATH`, ends the worker and removes its files as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
