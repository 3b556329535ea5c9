"""How far the right variants are from losing a point by chance: the figures of docs/reference.md, Properties.

    python -m scripts.measure_properties [--seeds 10]

Every right variant of attention and positional encoding is graded by the checks that compare numbers, each time with
weights and inputs of its own. For each check: the largest difference that rounding made, how many times that the
tolerance is, and a bound of the probability that rounding ever reaches it. Then what the checks of dropout let pass,
and how little other keys or values moved the output of attention.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch

from grader.assignment import load_assignment, select
from grader.checking.session import run_checks
from grader.intake import read_submission
from grader.model import CheckResult
from grader.worker import Zygote, ZygoteSpec
from reference.transformer.attention import AttentionWeights, attention
from reference.transformer.fresh_weights import fresh_weights
from reference.transformer.properties import ALARM, binomial_range, rounding_alarm

ASSIGNMENT = load_assignment()
CHECKS = [check for check in select(ASSIGNMENT, parts=["2c", "2d"]) if check.tolerance and not check.number]
ELEMENTS = 10_000
"""More numbers than any of these checks compares in one run."""


def graded(source: Path, seeds: int, zygote: Zygote) -> Iterator[tuple[int, CheckResult]]:
    """(seed, result) of every check under every seed."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "attention.py").write_bytes(source.read_bytes())
        submission = read_submission(Path(folder))
    files = [(file.path, file.content) for file in submission.files]
    for seed in range(seeds):
        results, internal = run_checks(
            ASSIGNMENT,
            submission,
            CHECKS,
            seed=seed,
            open_worker=lambda: zygote.worker(files, name="variant"),
        )
        if internal:
            raise RuntimeError(f"{source.stem}: {internal}")
        yield from ((seed, result) for result in results)


def rounding(seeds: int) -> None:
    sources = sorted((ASSIGNMENT.root / "variants" / "attention").glob("*.py"))
    largest = {check.id: (0.0, "") for check in CHECKS}
    lost = []
    with Zygote(ZygoteSpec.of(ASSIGNMENT, ("torch",))) as zygote:
        for source in sources:
            for seed, result in graded(source, seeds, zygote):
                if result.points.earned < result.points.possible:
                    lost.append(f"{result.id} of {source.stem} under seed {seed}: {result.message}")
                found = result.evidence.largest_difference or 0.0
                largest[result.id] = max(largest[result.id], (found, source.stem))
    print(
        f"{len(sources)} right variants, seeds 0 to {seeds - 1}: {len(lost)} results lost points",
        *lost,
        sep="\n",
    )
    print(f"{'check':<18}{'largest':>10}{'tolerance':>11}{'margin':>9}{'false alarm':>13}  by")
    for check in CHECKS:
        assert check.tolerance is not None
        noise, name = largest[check.id]
        allowed = check.tolerance.absolute
        margin = f"{allowed / noise:.0f} ×" if noise else "–"
        alarm = f"{rounding_alarm(allowed, noise, ELEMENTS):.0e}" if noise else "0"
        print(f"{check.id:<18}{noise:>10.1e}{allowed:>11.0e}{margin:>9}{alarm:>13}  {name}")


def dropout() -> None:
    print(
        f"of so many numbers, dropped with probability p, fewer or more come with a probability of {ALARM:.0e}"
    )
    for n, p in ((384, 0.3), (768, 0.3), (768, 0.1), (4096, 0.3), (4096, 0.1)):
        least, most = binomial_range(n, p)
        print(f"{n:>6}  p = {p}: {least} to {most} ({least / n:.1%} to {most / n:.1%})")


def influence(draws: int) -> None:
    """By how much other keys, and other values, move the output of right code at the least."""
    smallest = {"keys": float("inf"), "values": float("inf")}
    for seed in range(draws):
        generator = torch.Generator().manual_seed(seed)
        E, H = ((8, 2), (12, 3), (20, 4), (24, 4))[seed % 4]
        shapes = {f"{k}_{n}": (E, E)[: 2 if k == "w" else 1] for n in "qkvo" for k in "wb"}
        weights = AttentionWeights(**fresh_weights(shapes, seed))
        query, key, value, other = (torch.randn(2, n, E, generator=generator) for n in (4, 5, 5, 5))
        mask = torch.rand(4, 5, generator=generator).argsort(-1) < 3
        plain, rekeyed, revalued = (
            attention(query, k, v, weights, H, mask).output
            for k, v in ((key, value), (other, value), (key, other))
        )
        for name, moved in (("keys", rekeyed), ("values", revalued)):
            smallest[name] = min(smallest[name], float((moved - plain).abs().max()))
    print(
        f"{draws} draws: "
        + ", ".join(f"other {k} move the output by {v:.2f} or more" for k, v in smallest.items())
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rounding(options.seeds)
    dropout()
    influence(5_000)


if __name__ == "__main__":
    main()
