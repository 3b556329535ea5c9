"""An autograder for Gradescope: what its documentation calls autograder.zip.

    setup.sh          run once, as root, when the image is built
    run_autograder    run for each submission; reads submission/, writes results/results.json
    *.whl             the grader with the assignment, its reference and hidden checks: instructors only
    options.txt       options of `grade`, one a line

Gradescope unpacks it to /autograder/source and copies run_autograder to /autograder ("Autograder Specifications").
"""

from __future__ import annotations

from collections.abc import Sequence

from grader.assignment import select
from grader.distribution.archive import zipped
from grader.distribution.whole import whole_wheel
from grader.model import Assignment
from grader.paths import data_root

SCRIPTS = ("setup.sh", "run_autograder")


def autograder(assignment: Assignment, parts: Sequence[str] = ()) -> bytes:
    """The zip; `parts` limit what is graded. Raises UnknownName."""
    select(assignment, parts)
    wheel = whole_wheel(assignment)
    options = [f"--assignment={assignment.id}", *(f"--part={part}" for part in parts)]
    folder = data_root() / "templates" / "deploy" / "gradescope"
    files = {name: (folder / name).read_bytes() for name in SCRIPTS}
    files["options.txt"] = ("\n".join(options) + "\n").encode()
    files[wheel.file_name] = wheel.content()
    return zipped(files, executable=SCRIPTS)
