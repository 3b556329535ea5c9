"""Grades Transformer coursework: the judge asks, a sealed worker answers, the report says why.

The flow of one submission is on one page in :mod:`grader.pipeline`; start there. `from grader import check` gives
students the public checks in a notebook.
"""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`check` is imported when it is asked for: importing `grader` costs nothing."""
    if name == "check":
        from grader.selfcheck.live import check

        return check
    raise AttributeError(f"module 'grader' has no attribute {name!r}")
