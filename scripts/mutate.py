"""Mutation testing of the reference: is every change of its code noticed by the checks?

    scripts/mutate                               the modules below, all mutants; exit code 1 where one survives
    scripts/mutate --module attention            one module; repeatable
    scripts/mutate --module analysis --verbose   a line for each mutant: what noticed it

Needs the extra: pip install -e '.[mutation]'. docs/mutation.md explains the columns and holds the result.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.mutate_forks import Kill, Verdict
from scripts.mutate_grading import Judge
from scripts.mutate_sources import (
    EQUIVALENT,
    REFERENCE,
    REPOSITORY,
    Equivalent,
    Mutants,
    equivalents,
    mutants_of,
    unused,
)

EXAMPLES = REPOSITORY / "submissions"
TESTS = "tests/tool/reference"


@dataclass(frozen=True, slots=True)
class Target:
    """A module, and what is graded to see whether a change of it is noticed."""

    parts: tuple[str, ...]
    right: tuple[Path, ...]
    wrong: tuple[Path, ...]
    unit_tests: tuple[str, ...]
    """Run where no check notices."""


CODE = Target(
    parts=("2",),
    right=(REFERENCE / "solution", EXAMPLES / "alice"),
    wrong=(EXAMPLES / "slips",),
    unit_tests=tuple(f"{TESTS}/test_{name}.py" for name in ("attention", "positional_encoding", "handout")),
)
PAPER = Target(
    parts=("4",),
    right=(REFERENCE / "solution", EXAMPLES / "alice"),
    wrong=(EXAMPLES / "slips", EXAMPLES / "half_done"),
    unit_tests=tuple(f"{TESTS}/test_{name}.py" for name in ("analysis", "docs", "report")),
)
TARGETS = {
    "attention": CODE,
    "positional_encoding": CODE,
    "analysis": PAPER,
    "derivations": PAPER,
    "quantity": PAPER,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for one module."""

    found: Mutants
    verdicts: tuple[Verdict, ...]
    equivalent: int

    def count(self, kill: Kill) -> int:
        """How many mutants it was that noticed."""
        return sum(v.kill is kill for v in self.verdicts)


def judged(found: Mutants, judge: Judge, known: Sequence[Equivalent], jobs: int) -> Outcome:
    """Grade with every mutant of a module that is not listed as equivalent.

    Raises ValueError where the list names changes that nothing makes.
    """
    if stale := unused(known, found):
        raise ValueError(f"{EQUIVALENT.name} lists what is no mutant: {stale}")
    tried = [m for m in found.distinct if not any(e.covers(m) for e in known)]
    verdicts = sorted(judge.verdicts(tried, jobs), key=lambda v: v.mutant.line)
    return Outcome(found, tuple(verdicts), len(found.distinct) - len(tried))


def table(outcomes: Sequence[Outcome]) -> str:
    """The result as text."""
    head = ("module", "mutants", "equivalent", "by marks", "by words", "unit tests", "survived", "score")
    rows: list[tuple[str, ...]] = [head]
    for o in outcomes:
        tried = len(o.verdicts)
        checks = o.count(Kill.MARKS) + o.count(Kill.WORDS)
        score = f"{100 * checks / tried:.1f} %" if tried else "-"
        numbers = (o.count(kill) for kill in Kill)
        rows.append((o.found.module, str(tried + o.equivalent), str(o.equivalent), *map(str, numbers), score))
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "  ".join((row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))))
        for row in rows
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/mutate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--module", action="append", choices=[*TARGETS], metavar="NAME")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="forks at a time")
    parser.add_argument("--verbose", action="store_true", help="every mutant, with what noticed it")
    options = parser.parse_args()
    known = equivalents()
    outcomes = []
    judges: dict[int, Judge] = {}
    for module in options.module or TARGETS:
        began = time.monotonic()
        target = TARGETS[module]
        if id(target) not in judges:
            judges[id(target)] = Judge(target.parts, target.right, target.wrong, target.unit_tests)
        outcomes.append(judged(mutants_of(module), judges[id(target)], known, options.jobs))
        print(f"{module}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        for verdict in outcomes[-1].verdicts if options.verbose else ():
            print(f"{verdict.kill.name:10} {verdict.mutant}\n    {verdict.by}")
    print(table(outcomes))
    for kill, words in ((Kill.UNIT_TESTS, "noticed by unit tests alone"), (Kill.NOTHING, "survived")):
        for mutant in (v.mutant for o in outcomes for v in o.verdicts if v.kill is kill):
            print(f"{words}: {mutant}")
    return 1 if any(o.count(Kill.NOTHING) for o in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
