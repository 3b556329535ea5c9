"""What the public checks of part 2 say to every right and every wrong variant: `python -m scripts.public_checks`.

Right code must not be called wrong. Which wrong code passes is what the hidden checks are for, and is listed.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
from pathlib import Path

from grader.model import Status
from grader.selfcheck.kit import read_kit
from grader.selfcheck.result import Result
from grader.selfcheck.runs import Runs

ROOT = Path(__file__).parents[1]
RIGHT = ROOT / "tests" / "transformer" / "variants" / "attention"
WRONG = ROOT / "tests" / "tool" / "variants" / "wrong"


def main() -> int:
    """1 where right code is called wrong."""
    with tempfile.TemporaryDirectory() as work:
        kit = dataclasses.replace(read_kit(ROOT / "tests" / "transformer" / "public", None), work=Path(work))
        checks = [check for check in kit.select(["2"]) if not check.id.endswith(".answers")]
        with Runs(kit) as runs:

            def failures(file: Path) -> list[Result]:
                shutil.copy(file, kit.work / "attention.py")
                return [r for r in runs.run(checks) if r.status not in (Status.PASSED, Status.NEEDS_REVIEW)]

            right = {file.name: failures(file) for file in sorted(RIGHT.glob("*.py"))}
            wrong = {file.name: failures(file) for file in sorted(WRONG.glob("*.py"))}
    blamed = {name: found for name, found in right.items() if found}
    for name, found in blamed.items():
        print(f"right, and called wrong: {name}: " + "; ".join(f"{r.id} {r.message}" for r in found))
    missed = [name for name, found in wrong.items() if not found]
    print(f"{len(right) - len(blamed)} of {len(right)} right files are not called wrong")
    print(f"{len(wrong) - len(missed)} of {len(wrong)} wrong files are caught; not {', '.join(missed)}")
    return 1 if blamed else 0


if __name__ == "__main__":
    sys.exit(main())
