"""What one submission of a class costs once everything is warm, beside its floor and beside the usual way.

    python scripts/bench_class.py [--runs 20] [--level auto|strict|container]
    python scripts/bench_class.py --in-a-row 500     does anything grow from the first hundred to the last

    grade   parts 2 and 4 of submissions/alice: sealed worker, all checks, in a fork of the warm judge
    floor   fork of a warm process, the same calls on the same code, exit: no seal, no wire, no pytest
    fresh   scripts/usual.py: one new `python -m pytest` a submission, student code imported into it
    lean    scripts/baseline.py: the same with everything in pytest switched off that `grade` has no use for

CPU is user + system of everything that runs for it: judge, zygote and workers. Medians over the runs; the three take
turns, so that a machine whose speed drifts treats them alike.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
import torch
from baseline import ImportedStudent, command
from bench import REPOSITORY, measure

from grader.assignment import load_assignment, select
from grader.checking.session import run_checks
from grader.checking.student import AskWorker
from grader.checking.warm import Rehearsal, WarmJudge
from grader.intake import read_submission
from grader.model import Assignment, Check, CheckResult
from grader.worker import Call, Reply, Zygote, ZygoteSpec
from grader.worker.inside import pages
from scripts import usual

PARTS = ("2", "4")
ALICE = REPOSITORY / "submissions" / "alice"


class Recorder:
    """A worker that keeps the calls it was asked for."""

    def __init__(self, worker: AskWorker, calls: list[list[Call]]) -> None:
        self._worker, self._calls = worker, calls

    @property
    def alive(self) -> bool:
        return self._worker.alive

    def run(self, calls: Sequence[Call], timeout_s: float) -> list[Reply]:
        self._calls.append(list(calls))
        return self._worker.run(calls, timeout_s)

    def close(self) -> None:
        self._worker.close()


def record_calls(assignment: Assignment, selected: Sequence[Check], zygote: Zygote) -> list[list[Call]]:
    """The calls that grading alice makes, batch by batch."""
    submission = read_submission(ALICE)
    files = [(file.path, file.content) for file in submission.files]
    calls: list[list[Call]] = []
    results, internal = run_checks(
        assignment,
        submission,
        selected,
        seed=1,
        open_worker=lambda: Recorder(zygote.worker(files, name="alice"), calls),
    )
    _full_points(results, internal)
    return calls


def grade_once(judge: WarmJudge) -> None:
    with judge.begin(read_submission(ALICE), seed=1) as judging:
        _full_points(*judging.result())


def _full_points(results: Sequence[CheckResult], internal: Mapping[str, str]) -> None:
    lost = [r.id for r in results if r.part[0] == "2" and r.points.earned < r.points.possible]
    if internal or lost:
        raise RuntimeError(f"alice lost points: {lost} {internal}")


def floor_once(student: ImportedStudent, calls: Sequence[Sequence[Call]]) -> None:
    """Fork, make the calls in the child, which imports the student's files for them, exit."""
    pid = os.fork()
    if pid == 0:
        for batch in calls:
            student.run(batch, timeout_s=60)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if status:
        raise RuntimeError("the floor's child failed")


def cpu_of(pids: Sequence[int]) -> float:
    """CPU seconds of this process, of processes it has waited for, and of the trees below `pids`."""
    while True:
        with contextlib.suppress(psutil.NoSuchProcess):  # a worker ended while they were counted: once more
            return sum(os.times()[:4]) + sum(map(_cpu_of_tree, pids))


def _cpu_of_tree(pid: int) -> float:
    root = psutil.Process(pid)
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def cost(work: Callable[[], None], pids: Sequence[int], times: int) -> float:
    """CPU milliseconds of `work`, averaged over so many `times`, after one that is not counted: what ran before it has
    left the caches to others."""
    work()
    before = cpu_of(pids)
    for _ in range(times):
        work()
    return 1000 * (cpu_of(pids) - before) / times


def pid_of(judge: WarmJudge) -> int:
    assert judge.pid is not None
    return judge.pid


def in_a_row(judge: WarmJudge, zygote: Zygote, times: int) -> None:
    """Grade `times` submissions and print cost, memory, descriptors and processes of the first and the last fifth."""
    fifth = times // 5
    rows: list[tuple[float, float, float, int, int]] = []
    for _ in range(5):
        spent = cost(lambda: grade_once(judge), [pid_of(judge), zygote.pid], fifth)
        root = psutil.Process(zygote.pid)
        psutil.wait_procs(root.children(recursive=True), timeout=2)  # the last worker may be on its way out
        judges = [psutil.Process(), psutil.Process(pid_of(judge))]
        tree = [root, *root.children(recursive=True)]
        judge_mib = sum(p.memory_full_info().uss for p in judges) / 2**20
        zygote_mib = sum(p.memory_full_info().uss for p in tree) / 2**20
        descriptors = sum(p.num_fds() for p in [*judges, *tree])
        rows.append((spent, judge_mib, zygote_mib, descriptors, len(judges) + len(tree)))
    print(f"{times} submissions in a row, isolation {zygote.isolation.level}")
    print("  submissions   CPU ms each   judge MiB   zygote MiB   descriptors   processes")
    for i, (spent, judge_mib, zygote_mib, descriptors, processes) in enumerate(rows):
        span = f"{i * fifth + 1} to {(i + 1) * fifth}"
        print(
            f"  {span:>11}   {spent:11.1f}   {judge_mib:9.1f}   {zygote_mib:10.1f}   {descriptors:11}   {processes:9}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument(
        "--batch", type=int, default=5, help="submissions a measurement: the kernel counts in 10 ms"
    )
    parser.add_argument("--level", choices=["auto", "strict", "container"], default="auto")
    parser.add_argument("--in-a-row", type=int, metavar="N", help="grade N in a row and look for growth")
    options = parser.parse_args()
    torch.set_num_threads(1)
    assignment = load_assignment()
    selected = select(assignment, parts=PARTS)
    spec = ZygoteSpec.of(assignment, ("torch",), many=True)
    fresh = usual.command(ALICE, PARTS)
    lean = command(ALICE, PARTS)
    first = [Rehearsal(read_submission(ALICE), selected)]
    with (
        Zygote(spec, isolation=options.level) as zygote,
        WarmJudge(
            assignment,
            selected,
            zygote,
            rehearsals=first,
            seed=1,
            many=True,
            sessions=16,
        ) as judge,
    ):
        for _ in range(3):
            grade_once(judge)
        if options.in_a_row:
            in_a_row(judge, zygote, options.in_a_row)
            return
        calls = record_calls(assignment, selected, zygote)
        student = ImportedStudent(ALICE, assignment)  # its files are imported at the first call, in the child
        student.warm_up()
        gc.collect()
        gc.freeze()  # as the zygote does, here and in the next line: the floor is the cost of a well-kept fork
        pages.gather(Path("/proc/self/maps").read_text())
        figures: dict[str, list[float]] = {"grade": [], "floor": [], "fresh": [], "lean": []}
        for _ in range(options.runs):
            figures["grade"].append(
                cost(lambda: grade_once(judge), [pid_of(judge), zygote.pid], options.batch)
            )
            figures["floor"].append(cost(lambda: floor_once(student, calls), [], options.batch))
            figures["fresh"].append(1000 * measure(fresh, {1}, environment=usual.ENVIRONMENT).cpu_s)
            figures["lean"].append(1000 * measure(lean, {0}).cpu_s)
        level = zygote.isolation.level
    print(f"alice, parts {' and '.join(PARTS)}, {len(selected)} checks, isolation {level}; ", end="")
    print(
        f"CPU ms a submission, {options.runs} measurements of {options.batch} (processes: of 1), median (min to max)"
    )
    for name, values in figures.items():
        print(f"  {name:6} {statistics.median(values):9.1f}  ({min(values):.1f} to {max(values):.1f})")
    middle = {name: statistics.median(values) for name, values in figures.items()}
    ratios = (("fresh", "grade", 1), ("lean", "grade", 1), ("grade", "floor", 2))
    print("    ".join(f"  {a} / {b} {middle[a] / middle[b]:.{digits}f}" for a, b, digits in ratios))


if __name__ == "__main__":
    main()
