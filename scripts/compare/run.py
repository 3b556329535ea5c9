"""The same question, the same hand-ins, four graders: who is taken in, and what one hand-in costs.

    python -m scripts.compare.run [--others VENV] [--runs 5]

The others are installed in a virtual environment of their own (VENV, build/compare where not given): otter-grader,
check50 and pytest, as pip finds them. Each is used as its documentation says for code that is graded by a script:
`otter run` on an autograder zip, `check50 --dev` with check50.py.import_, pytest on a file that imports the hand-in.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
PACKAGES = ("otter-grader", "check50", "pytest", "numpy", "ipykernel")
Grader = Callable[[Path], "bool | None"]
"""Whether a hand-in, a folder with softmax.py, gets all points; None where no verdict came."""


class Others:
    """The graders of one virtual environment, with a folder to work in."""

    def __init__(self, venv: Path, work: Path) -> None:
        self.bin = venv / "bin"
        if not (self.bin / "otter").exists():
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
            subprocess.run([str(self.bin / "pip"), "install", "--quiet", *PACKAGES], check=True)
        self.environment = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"}
        (work / "tests").mkdir()
        shutil.copy(HERE / "otter" / "softmax.py", work / "tests")
        self.autograder = work / "autograder.zip"
        words = ["generate", "-t", str(work / "tests"), "-o", str(self.autograder)]
        self._run("otter", *words, "--no-config", "--no-requirements", "--no-environment", cwd=work)

    def _run(self, program: str, *words: str, cwd: Path, **extra: str) -> int:
        done = subprocess.run(
            [str(self.bin / program), *words],
            cwd=cwd,
            env={**self.environment, **extra},
            capture_output=True,
            timeout=120,
        )
        return done.returncode

    def pytest(self, folder: Path) -> bool | None:
        file = str(folder / "softmax.py")
        words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_by_pytest.py")
        return self._run("python", *words, cwd=HERE, GRADED=file) == 0

    def otter(self, folder: Path) -> bool | None:
        (folder / "out").mkdir(exist_ok=True)
        words = ("run", "-a", str(self.autograder), "-o", "out", "--no-logo", "softmax.py")
        self._run("otter", *words, cwd=folder)
        found = _read(folder / "out" / "results.json")
        scores = [test for test in (found or {}).get("tests", []) if "max_score" in test]
        return None if not scores else all(test["score"] == test["max_score"] for test in scores)

    def check50(self, folder: Path) -> bool | None:
        out = folder / "check50.json"
        words = ("--dev", "-o", "json", "--output-file", str(out), str(HERE / "check50" / "softmax"))
        self._run("check50", *words, cwd=folder)
        results = (_read(out) or {}).get("results") or [{}]
        verdict: bool | None = results[0].get("passed")
        return verdict


def ours(folder: Path) -> bool | None:
    """This grader, through its command line."""
    subprocess.run(_grade(folder), capture_output=True, cwd=REPOSITORY)
    found = _read(folder / "report" / "report.json")
    return None if found is None else found["score"]["earned"] == found["score"]["possible"] > 0


def _grade(folder: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "grader",
        str(folder),
        "--assignment",
        str(HERE / "ours"),
        "--out",
        str(folder / "report"),
    ]


def _read(path: Path) -> dict[str, object] | None:
    try:
        found: dict[str, object] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--others", type=Path, default=REPOSITORY / "build" / "compare")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="compare-") as name:
        work = Path(name)
        others = Others(options.others.resolve(), work)
        graders: dict[str, Grader] = {
            "pytest": others.pytest,
            "otter run": others.otter,
            "check50": others.check50,
            "grade": ours,
        }
        print(f"{'hand-in':26}" + "".join(f"{grader:>14}" for grader in graders))
        for source in sorted(
            (HERE / "handins").glob("*.py"), key=lambda p: (p.stem not in ("right", "wrong"), p.stem)
        ):
            said = []
            for grader, judge in graders.items():
                folder = work / f"{grader.replace(' ', '-')}-{source.stem}"
                folder.mkdir()
                shutil.copy(source, folder / "softmax.py")
                verdict = judge(folder)
                said.append("no verdict" if verdict is None else "full points" if verdict else "refused")
            print(f"{source.stem.replace('_', ' '):26}" + "".join(f"{word:>14}" for word in said), flush=True)
        print(
            f"{'CPU s of one right one':26}"
            + "".join(f"{_cost(judge, work, options.runs):>14.2f}" for judge in graders.values())
        )


def _cost(judge: Grader, work: Path, runs: int) -> float:
    """CPU seconds of one right hand-in, the process tree of the grader alone; median."""
    folder = work / "cost"
    folder.mkdir(exist_ok=True)
    shutil.copy(HERE / "handins" / "right.py", folder / "softmax.py")
    spent = []
    for _ in range(runs):
        before = os.times()
        judge(folder)
        after = os.times()
        spent.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
    return statistics.median(spent)


if __name__ == "__main__":
    main()
