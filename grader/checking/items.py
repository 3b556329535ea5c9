"""The checks in a session of pytest: files that were named, and functions with a `check` mark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.model import Assignment

_CHECK = pytest.StashKey[str | None]()


class CheckFiles(pytest.Directory):
    """The files named on the command line that lie in one folder, or below it."""

    def collect(self) -> Iterator[pytest.Collector]:
        """A collector for each file, and for each folder on the way to others, in the order of their names."""
        below = [Path(name) for name in self.config.args if self.path in Path(name).parents]
        for name in sorted({path.relative_to(self.path).parts[0] for path in below}):
            path = self.path / name
            if path in below:
                yield from self.ihook.pytest_collect_file(file_path=path, parent=self)
            else:
                yield self.ihook.pytest_collect_directory(path=path, parent=self)


def mark_check(item: pytest.Item) -> str | None:
    """The id in the `check` mark, or None for a test that is no check; kept with the item, for `check_id`."""
    mark = item.get_closest_marker("check")
    item.stash[_CHECK] = identifier = str(mark.args[0]) if mark and mark.args else None
    return identifier


def check_id(item: pytest.Item) -> str | None:
    """As `mark_check` found it."""
    return item.stash[_CHECK]


def raised_in_check_file(excinfo: pytest.ExceptionInfo[BaseException], assignment: Assignment) -> bool:
    """True where the assertion stands in the assignment's own check, not in a library below it."""
    return bool(excinfo.traceback) and assignment.root in Path(excinfo.traceback[-1].path).parents
