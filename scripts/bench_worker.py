"""What a sealed worker costs before it has done anything: CPU of sealing, and memory that it does not share.

    python scripts/bench_worker.py [--runs 20] [--batch 10]

sealed     a worker forked from the warm zygote, sealed, given a hand-in of one small file, asked for one call, ended
open       the same at level none: the same fork, wire and call, and nothing sealed
private    memory of a sealed worker that it shares with nobody, before any student code has run (smaps_rollup:
           Private_Clean + Private_Dirty), largest of the runs

CPU is user + system of this process, the zygote and its workers; the levels take turns. The cost of sealing is the
difference, pair by pair.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
from bench_class import cost

from grader.assignment import load_assignment
from grader.worker import Call, Zygote, ZygoteSpec

FILES = [("one.py", b"def one():\n    return 1\n")]


def worker_once(zygote: Zygote) -> None:
    with zygote.worker(FILES, name="bench") as worker:
        worker.run([Call("student:one")], timeout_s=20)


def private_kib(zygote: Zygote) -> int:
    """Of a worker that has sealed itself and waits for its first call."""
    with zygote.worker(FILES, name="bench"):
        youngest = max(psutil.Process(zygote.pid).children(recursive=True), key=lambda p: p.create_time())
        rollup = Path(f"/proc/{youngest.pid}/smaps_rollup").read_text()
    return sum(int(kib) for kib in re.findall(r"^Private_(?:Clean|Dirty): +(\d+) kB", rollup, re.M))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument(
        "--batch", type=int, default=10, help="workers a measurement: the kernel counts in 10 ms"
    )
    parser.add_argument("--level", choices=["auto", "strict", "container"], default="auto")
    options = parser.parse_args()
    spec = ZygoteSpec.of(load_assignment(), ("torch",))
    with Zygote(spec, isolation=options.level) as sealed, Zygote(spec, isolation="none") as unsealed:
        pairs: list[tuple[float, float]] = []
        for zygote in (sealed, unsealed):
            worker_once(zygote)
        for _ in range(options.runs):
            pairs.append(
                (
                    cost(lambda: worker_once(sealed), [sealed.pid], options.batch),
                    cost(lambda: worker_once(unsealed), [unsealed.pid], options.batch),
                )
            )
        private = max(private_kib(sealed) for _ in range(options.runs))
        level = sealed.isolation.level
    print(f"one worker, isolation {level}; CPU ms a worker, ", end="")
    print(f"{options.runs} measurements of {options.batch}, median (min to max)")
    for name, values in (
        ("sealed", [a for a, _ in pairs]),
        ("open", [b for _, b in pairs]),
        ("sealing", [a - b for a, b in pairs]),
    ):
        print(f"  {name:8} {statistics.median(values):7.1f}  ({min(values):.1f} to {max(values):.1f})")
    print(f"  private memory before student code runs: {private / 1024:.1f} MiB at most")


if __name__ == "__main__":
    main()
