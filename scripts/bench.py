"""What grading costs, beside the usual way on the same checks, in one run.

    scripts/bench                  submissions/alice, all parts, 5 pairs
    scripts/bench --part 2 --part 4 --runs 10
    scripts/bench --part 2 --against-imports     beside `python -c "import torch, pytest"`
    scripts/bench --smoke          one short pair: does the benchmark itself still work

A is `grade PATH`: student code in a sealed worker, three reports written. B is scripts/baseline.py: pytest on the very
same checks, the student's code imported into the same process, no report. They run in turn, A B A B …, so that a
machine whose speed drifts treats both alike. CPU is user + system of the whole process tree as the kernel accounts
for it; memory is the peak of the tree's proportional set sizes, sampled.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parent.parent
SAMPLE_S = 0.1


@dataclass(frozen=True, slots=True)
class Cost:
    """One run of one command."""

    cpu_s: float
    wall_s: float
    memory_mib: float


def measure(
    command: Sequence[str],
    good: set[int],
    sample_s: float = SAMPLE_S,
    environment: Mapping[str, str] | None = None,
) -> Cost:
    """Run `command` once, with `environment` added to this process's own.

    Raises RuntimeError where it ends with another exit code than the `good` ones.
    """
    started = time.perf_counter()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=quiet, stderr=quiet, env={**os.environ, **(environment or {})}
    )
    peak = [0.0]
    done = threading.Event()
    sampler = threading.Thread(target=_sample, args=(process.pid, peak, done, sample_s))
    sampler.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    done.set()
    sampler.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in good:
        raise RuntimeError(f"{' '.join(command)} ended with exit code {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, peak[0])


def _sample(pid: int, peak: list[float], done: threading.Event, every_s: float) -> None:
    """Keep the largest sum of proportional set sizes over the tree below `pid`."""
    while not done.wait(every_s):
        total = 0
        try:
            root = psutil.Process(pid)
            for process in [root, *root.children(recursive=True)]:
                total += process.memory_full_info().pss
        except psutil.Error:
            continue  # a process of the tree ended while it was looked at
        peak[0] = max(peak[0], total / 2**20)


def commands(path: str, parts: Sequence[str], out: str) -> tuple[list[str], list[str]]:
    chosen = [word for part in parts for word in ("--part", part)]
    grade = [sys.executable, "-m", "grader", path, "--seed", "1", "--out", out, *chosen]
    return grade, [sys.executable, "scripts/baseline.py", path, *chosen]


def table(title: str, other: str, pairs: Sequence[tuple[Cost, Cost]]) -> str:
    """Median (smallest to largest) of each figure, and the ratio A/B pair by pair."""
    lines = [f"{title}; {len(pairs)} pairs in turn, median (min to max)"]
    lines.append(f"{'':14}{'A: grade':>26}{'B: ' + other:>26}{'A / B':>22}")
    for field, unit in (("cpu_s", "CPU s"), ("wall_s", "wall s"), ("memory_mib", "peak MiB")):
        a, b = ([getattr(pair[i], field) for pair in pairs] for i in (0, 1))
        ratios = [x / y for x, y in zip(a, b, strict=True) if y]
        lines.append(f"{unit:14}{_spread(a):>26}{_spread(b):>26}{_spread(ratios):>22}")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    digits = 0 if values and min(values) >= 100 else 2
    low, middle, high = (f"{f(values):.{digits}f}" for f in (min, statistics.median, max))
    return f"{middle} ({low} to {high})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", nargs="?", default="submissions/alice")
    parser.add_argument("--part", action="append", default=[], help="only this part; repeatable")
    parser.add_argument("--runs", type=int, default=5, help="pairs that are counted, after one that is not")
    parser.add_argument("--smoke", action="store_true", help="one pair of part 2, no warm-up")
    parser.add_argument(
        "--against-imports", action="store_true", help="B is the import of torch and pytest alone"
    )
    options = parser.parse_args()
    parts = ["2"] if options.smoke else options.part
    good = {0, 1, 3}  # graded; what it earned does not matter here
    with tempfile.TemporaryDirectory() as out:
        grade, baseline = commands(options.path, parts, out)
        if options.against_imports:
            baseline = [sys.executable, "-c", "import torch, pytest"]
        pairs = []
        for run in range(1 if options.smoke else options.runs + 1):
            pair = measure(grade, good), measure(baseline, {0})
            if run or options.smoke:
                pairs.append(pair)
    title = f"{options.path}, {'parts ' + ', '.join(parts) if parts else 'all parts'}"
    print(table(title, "imports alone" if options.against_imports else "pytest, imported", pairs))


if __name__ == "__main__":
    main()
