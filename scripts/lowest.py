"""The lower bounds of pyproject.toml as constraints for pip: every `name>=1.2` as `name==1.2`.

    python scripts/lowest.py [--except torch] > lowest.txt

scripts/test-lowest installs them in a virtual environment of its own and runs tests there.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
DEVELOPMENT = {"dev", "docs", "mutation"}
_BOUND = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?\s*>=\s*([0-9][0-9.]*)")


def bounds() -> Iterator[tuple[str, str]]:
    """Name and lowest version of each requirement of the program and of the extras that its users install."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    extras = (found for name, found in project["optional-dependencies"].items() if name not in DEVELOPMENT)
    for requirement in (*project["dependencies"], *chain.from_iterable(extras)):
        match = _BOUND.match(requirement)
        if match is None and not requirement.startswith(project["name"]):
            raise SystemExit(f"{requirement!r} has no lower bound: write NAME>=VERSION")
        if match is not None:
            yield match[1], match[2]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--except", dest="left", action="append", default=[], help="leave this package free")
    left = parser.parse_args().left
    for name, version in sorted(set(bounds())):
        if name not in left:
            print(f"{name}=={version}")


if __name__ == "__main__":
    main()
