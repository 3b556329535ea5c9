"""Seconds from a save to its results in `grade check --watch`: `python -m scripts.bench_watch [SAVES]`.

Part 2 of Alice's hand-in, one character of attention.py changed and changed back. Wall-clock seconds as a student
waits them, so run it on a machine that does nothing else; CPU seconds of all processes beside them.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def measure(saves: int) -> tuple[float, list[float], float]:
    """(seconds to the first results, seconds of each save, CPU seconds of all processes)"""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        shutil.copytree(ROOT / "submissions" / "alice", work)
        file = work / "attention.py"
        right = file.read_text(encoding="utf-8")
        command = [sys.executable, "-m", "grader", "check", "2c", "2d", "--watch", "--in", str(work)]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:

            def wait() -> float:
                started = time.perf_counter()
                for line in process.stdout or ():
                    if re.search(r"public checks? passed", line):
                        break
                return time.perf_counter() - started

            first = wait()
            took = []
            for number in range(saves):
                file.write_text(right.replace("== 0", "== 1") if number % 2 == 0 else right, encoding="utf-8")
                took.append(wait())
            process.send_signal(signal.SIGINT)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return first, took, used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime


def main(saves: int) -> None:
    """Print the figures."""
    first, took, whole = measure(saves)
    _, _, started = measure(0)
    print(f"first results after {first:.1f} s, with the import of PyTorch")
    print(
        f"save to results: median {statistics.median(took):.2f} s, slowest {max(took):.2f} s, {saves} saves"
    )
    print(
        f"CPU a save: {(whole - started) / saves:.2f} s; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
