"""The gradebook fixtures, for exports."""

from tests.tool.gradebook.conftest import book, run

__all__ = ["book", "run"]
