"""`python -m grader.distribution.results report.json results.json`: what an autograder on Gradescope ends with."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from grader.exporters.gradescope import results_json
from grader.serialise import from_document


def main(arguments: Sequence[str]) -> None:
    """Read a report, write its results.json."""
    source, target = map(Path, arguments)
    document = results_json(from_document(json.loads(source.read_text(encoding="utf-8"))))
    target.write_text(json.dumps(document, indent=1, allow_nan=False), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
