"""How well the checks of a training run tell mistakes apart: every variant graded through the real path, sealed.

    python scripts/measure_training.py                        both halves, DistilBERT, two seeds
    python scripts/measure_training.py --half tuning          the half on which the rules were tuned
    python scripts/measure_training.py --body roberta --only no-zero

The variants are those of tests/tool/variants/finetune: training loops with one mistake each, and right ones in other
styles. A hash of a variant's id says which half it is in.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from grader.assignment import load_assignment, select
from grader.checking.session import run_checks
from grader.model import ArtifactKind, CheckResult, Status, Submission, SubmittedFile
from grader.worker import Zygote, ZygoteSpec
from reference.transformer.training_mistakes import MISTAKES
from tests.tool.variants.finetune.bugs import BUGS, Variant, in_tuning_half
from tests.tool.variants.finetune.styles import STYLES, Style

ASSIGNMENT = load_assignment()
HALVES = ("tuning", "unseen")


@dataclass(frozen=True)
class Seen:
    """What became of one variant under one seed."""

    variant: Variant
    seed: int
    results: tuple[CheckResult, ...]

    @property
    def lost(self) -> list[str]:
        """Checks that took points of their own accord."""
        return [r.id for r in self.results if r.status not in (Status.PASSED, Status.BLOCKED)]

    @property
    def named(self) -> str:
        """Id of the mistake that the report names first, as a diagnosis or as advice."""
        for result in self.results:
            if result.diagnosis is not None:
                return result.diagnosis.id
            for mistake in MISTAKES.values():
                if any(mistake.title in note for note in result.evidence.notes):
                    return mistake.id
        return ""

    @property
    def as_declared(self) -> bool:
        """Points are lost where the variant says, and nowhere else."""
        part = self.results[0].part
        due = self.variant.cost.replace("3b", part)
        if self.variant.may:
            return True
        return self.lost == ([due] if due else [])


def submission_of(variant: Variant) -> Submission:
    """A hand-in with the one file."""
    source = variant.source.encode()
    file = SubmittedFile("finetune.py", source, ArtifactKind.MODULE)
    return Submission(variant.id, Path(), "0" * 64, (file,))


def grade(variant: Variant, seed: int, body: str, zygote: Zygote) -> Seen:
    """The checks of the run, in a worker of its own; raises RuntimeError where the grader itself fails."""
    part = {"distilbert": "3b", "roberta": "3d"}[body]
    checks = select(ASSIGNMENT, checks=[f"{part}.trains", f"{part}.claims"])
    submission = submission_of(variant)
    files = [(file.path, file.content) for file in submission.files]
    results, internal = run_checks(
        ASSIGNMENT,
        submission,
        [replace(check, timeout_s=300) for check in checks],
        seed=seed,
        open_worker=lambda: zygote.worker(files, name=variant.id),
    )
    if internal:
        raise RuntimeError(f"{variant.id}: {internal}")
    return Seen(variant, seed, tuple(results))


def missing(variant: Variant) -> str:
    """The package without which a style cannot be tried, where it is not installed."""
    needs = (
        variant.needs if isinstance(variant, Style) else ("accelerate" if variant.loop == "trainer" else "")
    )
    return needs if needs and find_spec(needs) is None else ""


def tell(seen: Seen) -> str:
    """One line about what did not come out as declared; empty where all did."""
    problems = []
    if seen.named != seen.variant.mistake:
        problems.append(f"named {seen.named or 'nothing'} instead of {seen.variant.mistake or 'nothing'}")
    if not seen.as_declared:
        problems.append(
            f"lost {', '.join(seen.lost) or 'nothing'} instead of {seen.variant.cost or 'nothing'}"
        )
    if not problems:
        return ""
    words = [f"{r.id} {r.status}: {r.message}" for r in seen.results if r.id in seen.lost]
    return f"  {seen.variant.id}, seed {seen.seed}: {'; '.join(problems)}. {' '.join(words)}"


def table(half: str, seen: Sequence[Seen]) -> str:
    """The figures of one half."""
    bugs = [s for s in seen if s.variant.mistake]
    styles = [s for s in seen if not s.variant.mistake]
    named = sum(s.named == s.variant.mistake for s in bugs)
    kinds = len({s.variant.mistake for s in bugs})
    lines = [
        f"{half} half",
        f"  bugs: {len({s.variant.id for s in bugs})} variants of {kinds} mistakes, {len(bugs)} runs",
        f"    named rightly       {named} of {len(bugs)} ({named / max(1, len(bugs)):.1%})",
        f"    points as declared  {sum(s.as_declared for s in bugs)} of {len(bugs)}",
        f"  right styles: {len({s.variant.id for s in styles})} variants, {len(styles)} runs",
        f"    lost a point        {sum(bool(s.lost) for s in styles)}",
        f"    named a mistake     {sum(bool(s.named) for s in styles)}",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--half", choices=HALVES, action="append")
    parser.add_argument("--body", choices=["distilbert", "roberta"], default="distilbert")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", default="", help="variants whose id holds this")
    parser.add_argument("--what", choices=["bugs", "styles"], action="append")
    options = parser.parse_args()
    torch.set_num_threads(1)
    what = options.what or ["bugs", "styles"]
    chosen: list[Variant] = [*(BUGS if "bugs" in what else ()), *(STYLES if "styles" in what else ())]
    chosen = [v for v in chosen if options.only in v.id]
    with Zygote(ZygoteSpec.of(ASSIGNMENT, ("torch", "transformers", "datasets"))) as zygote:
        for half in options.half or HALVES:
            seen = []
            for variant in chosen:
                if in_tuning_half(variant) is not (half == "tuning"):
                    continue
                if missing(variant):
                    print(f"  {variant.id}: not tried, {missing(variant)} is not installed")
                    continue
                for seed in options.seeds:
                    seen.append(grade(variant, seed, options.body, zygote))
                    line = tell(seen[-1])
                    if line:
                        print(line, flush=True)
            print(table(half, seen), flush=True)


if __name__ == "__main__":
    main()
