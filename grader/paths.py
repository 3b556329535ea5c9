"""Where the files that are not Python modules of this package are found."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from grader.errors import GraderError

PACKAGE = Path(__file__).resolve().parent
EXPECTED = ("templates", "reference", "tests/transformer")


@cache
def data_root() -> Path:
    """The folder that holds `templates/`, `reference/` and `tests/transformer/`.

    In an installed wheel they travel inside the package, in `_bundled`; in a checkout (an editable install
    included) they lie at the top of the repository. Raises GraderError when they are in neither place.
    """
    return find_data_root(PACKAGE)


def find_data_root(package: Path) -> Path:
    """As data_root, for a package folder of the caller's choice; `_bundled` is preferred."""
    for root in (package / "_bundled", package.parent):
        if all((root / name).is_dir() for name in EXPECTED):
            return root
    raise GraderError(
        f"The grader's own files ({', '.join(EXPECTED)}) are neither in {package / '_bundled'} "
        f"nor in {package.parent}.",
        "The installation is incomplete: install the grader again.",
    )
