"""What a class costs: cost a submission, two at a time, memory, going on, the class book, and a cluster of two.

    python scripts/bench_classroom.py --size 300 [--cluster]

A class is made by scripts/make_class.py, zipped as Canvas does, and graded by the command line, parts 2 and 4:
everything counts, from the archive to reports and gradebook. Beside it, before and after in the same run: one
`python -m pytest` a submission (scripts/usual.py, which seals nothing and writes no report), two at a time and one
after the other; the latter with everything in pytest switched off that `grade` has no use for (scripts/baseline.py);
and two processes that only count. CPU is user + system time of the whole process tree. Where two cores are two threads
of one, each of two processes takes more of it: two jobs compare with two pytests at a time, one job with one pytest.

How much more two cores get done is taken from two jobs on two cores and one job on one of them, as it is for counting:
on two cores one job alone takes more than one of them, since its result is recorded while the next is judged.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from grader.assignment import load_assignment  # noqa: E402
from grader.classbook.page import html_page  # noqa: E402
from grader.classbook.statistics import class_statistics  # noqa: E402
from grader.gradebook import Gradebook, standings  # noqa: E402
from scripts import baseline, usual  # noqa: E402
from scripts.bench import Cost, measure  # noqa: E402
from scripts.make_class import students, write_zip  # noqa: E402

PARTS = ("2", "4")
COUNT = "sum(i * i for i in range(20_000_000))"
GOOD = {0}
TURNS = 5
"""Comparisons of a pair of runs; their median is said."""
FEW = 80
"""Hand-ins of the smaller of two runs that are compared: from 64 on a run is started in the same way."""


@dataclass(frozen=True, slots=True)
class Class:
    """A made class in a folder of its own."""

    folder: Path
    size: int

    @property
    def archive(self) -> Path:
        return self.folder / f"class-{self.size}.zip"

    def grade(self, out: str, *arguments: str, before: Sequence[str] = ()) -> Cost:
        """One `grade` of it, with reports and gradebook below `out`; `before` the command, what runs it."""
        where = (str(self.archive), "--out", str(self.folder / out))
        words = (*where, "--seed", "1", *baseline.chosen(PARTS), *arguments)
        return measure((*before, sys.executable, "-m", "grader", *words), GOOD, sample_s=1.0)


def made(folder: Path, size: int, seed: int = 1) -> Class:
    """A class of this size, zipped."""
    found = Class(folder, size)
    write_zip(found.archive, size, seed)
    return found


@dataclass(slots=True)
class Pytests:
    """CPU ms of one pytest process a submission, measured in turn on the first submissions of the class.

    `one` has the machine to itself, as pytest comes; `lean` too, with all switched off that `grade` has no use for;
    `two` run at a time, each on another submission, as the two jobs of `grade` do.
    """

    folder: Path
    one: list[float] = field(default_factory=list)
    two: list[float] = field(default_factory=list)
    lean: list[float] = field(default_factory=list)

    def measure(self, number: int) -> None:
        """Once more, over the first `number` of the class."""
        places = [self._hand_in(user, files) for _, user, _, files in students(number + number % 2, 1)]
        for place in places[:number]:
            self.one.append(self._usual(place))
            self.lean.append(1000 * measure(baseline.command(place, PARTS), {0, 1}, 1.0).cpu_s)
        with ThreadPoolExecutor(2) as both:
            self.two += both.map(self._usual, places)

    def _usual(self, place: Path) -> float:
        return 1000 * measure(usual.command(place, PARTS), {0, 1}, 1.0, usual.ENVIRONMENT).cpu_s

    def _hand_in(self, user: str, files: Mapping[str, str]) -> Path:
        place = self.folder / f"fresh-{user}"
        place.mkdir(exist_ok=True)
        for file, text in files.items():
            (place / file).write_text(text, "utf-8")
        return place


def on(cores: int) -> tuple[str, ...]:
    """What runs a command on that many cores, the same ones each time."""
    chosen = sorted(os.sched_getaffinity(0))[:cores]
    return "taskset", "--cpu-list", ",".join(map(str, chosen))


def bare_speedup() -> float:
    """How much more two processes that only count get done on two cores than one on one."""
    return 2 * _count(1) / _count(2)


def _count(processes: int) -> float:
    began = time.perf_counter()
    running = [subprocess.Popen([*on(processes), sys.executable, "-c", COUNT]) for _ in range(processes)]
    for process in running:
        process.wait()
    return time.perf_counter() - began


def opening(folder: Path, book: Path, number: int) -> tuple[float, float, str]:
    """Seconds to make the class book of `number` students from those in `book`, MiB of it, and how it opens."""
    assignment = load_assignment()
    with Gradebook.open(book) as opened:
        found = list(standings(opened, assignment.id).values())
    everyone = {}
    for i in range(number):
        standing = found[i % len(found)]
        entry = replace(standing.entry, student=f"s{i}", name=f"{standing.entry.name} {i}")
        everyone[f"s{i}"] = replace(standing, result=replace(standing.result, entry=entry))
    page = folder / f"class-{number}.html"
    began = time.perf_counter()
    statistics_ = class_statistics(everyone.values(), assignment.checks)
    page.write_text("".join(html_page(assignment, statistics_, everyone, None, page)), "utf-8")
    made_s = time.perf_counter() - began
    return made_s, page.stat().st_size / 2**20, _opened(page)


def _opened(page: Path) -> str:
    chromium = shutil.which("chromium")
    if chromium is None:
        return "not opened: there is no chromium"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        tab = browser.new_page()
        tab.goto("about:blank")
        began = time.perf_counter()
        tab.goto(page.as_uri(), wait_until="load")
        tab.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        opened_s = time.perf_counter() - began
        browser.close()
    return f"opened and drawn in {opened_s:.2f} s"


@dataclass(frozen=True, slots=True)
class Rate:
    """What a submission costs beyond what starting does: from two runs of different sizes."""

    each_s: float
    cpu_ms: float


def rate(few: Class, part: Class, out: str, cores: int, *words: str) -> Rate:
    """Of both classes, graded on that many cores by as many jobs."""
    jobs = ("--jobs", str(cores), *words)
    small, large = (job.grade(f"{out}-{job.size}", *jobs, before=on(cores)) for job in (few, part))
    more = part.size - few.size
    return Rate((large.wall_s - small.wall_s) / more, 1000 * (large.cpu_s - small.cpu_s) / more)


def report(size: int, sample: int, fresh: int, cluster: bool, folder: Path) -> None:
    """Measure and print."""
    whole, part, few = (made(folder, n) for n in (size, FEW + sample, FEW))
    pytests = Pytests(folder)
    pytests.measure(fresh)
    cost = whole.grade("whole", "--jobs", "2")
    pytests.measure(fresh)
    one, two, lean = (statistics.median(times) for times in (pytests.one, pytests.two, pytests.lean))
    each = 1000 * cost.cpu_s / size
    print(f"{size} submissions, parts 2 and 4, --jobs 2")
    print(f"  CPU a submission, all in     {each:9.0f} ms")
    print(f"  wall, whole run              {cost.wall_s:9.1f} s")
    print(f"  peak memory (PSS)            {cost.memory_mib:9.0f} MiB", flush=True)
    print(f"  one `python -m pytest` each  {one:9.0f} ms CPU a submission (median of {2 * fresh})")
    print(f"  two of them at a time        {two:9.0f} ms, as the two jobs run")
    print(f"  one, all unused off          {lean:9.0f} ms")
    print(f"  pytest / grade               {two / each:9.1f}    {one / each:.1f} one at a time", end="")
    print(f"    {lean / each:.1f} with all unused off", flush=True)
    again = whole.grade("whole", "--jobs", "2")
    print(f"  the same command again       {again.wall_s:9.1f} s wall", flush=True)
    book = measure(
        (sys.executable, "-m", "grader", "class", "--book", str(folder / "whole" / "gradebook.sqlite")), GOOD
    )
    page = folder / "whole" / "class.html"
    print(f"  class book                   {book.wall_s:9.1f} s wall, {book.memory_mib:.0f} MiB, ", end="")
    print(f"page of {page.stat().st_size / 2**20:.1f} MiB", flush=True)
    for number in (3000, 10_000):
        made_s, mib, opened = opening(folder, folder / "whole" / "gradebook.sqlite", number)
        print(
            f"  page of {number:6} students      {made_s:9.1f} s to make, {mib:.1f} MiB, {opened}", flush=True
        )
    together(few, part, (one, lean), cluster)


def together(few: Class, part: Class, pytests: tuple[float, float], cluster: bool) -> None:
    """Two jobs on two cores beside one on one and beside what two cores are worth; with `cluster`, beside two nodes.

    pytests: ms of one process a submission, and with all switched off.
    """
    singles, speedups, bares, shares = [], [], [], []
    for turn in range(TURNS):
        one = rate(few, part, f"one-{turn}", 1)
        two = rate(few, part, f"two-{turn}", 2)
        singles.append(one.cpu_ms)
        speedups.append(one.each_s / two.each_s)
        bares.append(bare_speedup())
        if cluster:
            shares.append(two.each_s / rate(few, part, f"nodes-{turn}", 2, "--cluster", "local").each_s)
    single = statistics.median(singles)
    usual_, lean = (ms / single for ms in pytests)
    print(f"  one job on one core          {single:9.0f} ms CPU a submission beyond its start; ", end="")
    print(f"pytest / that {usual_:.1f}    {lean:.1f} with all unused off")
    print(f"  two jobs on two              {said(speedups)} times the submissions a second")
    efficiency = statistics.median(speedup / bare for speedup, bare in zip(speedups, bares, strict=True))
    print(f"  two bare counting processes  {said(bares)} times; efficiency {efficiency:.0%} of that")
    if cluster:
        print(f"  two nodes of a cluster       {said(shares)} of the submissions a second of --jobs 2")


def said(values: Sequence[float]) -> str:
    """Median and range."""
    return f"{statistics.median(values):9.2f} ({min(values):.2f} to {max(values):.2f})"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument(
        "--sample", type=int, default=200, help="submissions by which runs that are compared differ"
    )
    parser.add_argument("--fresh", type=int, default=5, help="submissions graded by a pytest process each")
    parser.add_argument("--cluster", action="store_true", help="also two nodes of a cluster on this machine")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-class-") as folder:
        report(options.size, options.sample, options.fresh, options.cluster, Path(folder))


if __name__ == "__main__":
    main()
