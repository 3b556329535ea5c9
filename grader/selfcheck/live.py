"""`check("2c")` in a notebook: the public checks on what the running kernel defines, then on the files beside it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from grader.errors import GraderError
from grader.selfcheck.kit import find_kit
from grader.selfcheck.result import Result
from grader.selfcheck.show import Results


def check(*names: str, folder: str | os.PathLike[str] | None = None) -> Results:
    """Run the public checks called so: `check("2c")`, `check("2c.masked", "2d")`; without a name, all of them.

    What is defined in the notebook or the interactive session comes first; everything else is looked for in the files
    of `folder` (default: the current one). The checks run in this process, one after the other. Raises UnknownName for
    a name that does not exist, UsageError where there are no public checks.
    """
    from grader.selfcheck.runner import run

    place = Path(folder) if folder is not None else Path.cwd()
    kit = find_kit(place)
    chosen = kit.select(names)
    results: list[Result] = []

    def take(message: dict[str, object]) -> None:
        if "result" in message:
            results.append(Result.of(message["result"]))  # type: ignore[arg-type]

    run(kit, [one.id for one in chosen], take, live=vars(sys.modules["__main__"]))
    if len(results) < len(chosen):
        raise GraderError("Some checks could not be run.", "Try `pytest` in the folder that you unpacked.")
    by_id = {result.id: result for result in results}
    return Results([by_id[one.id] for one in chosen])
