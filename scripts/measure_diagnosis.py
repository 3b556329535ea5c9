"""What a diagnosis of attention costs in the judge: CPU milliseconds, the first of a submission and the next.

    python -m scripts.measure_diagnosis

A student's outputs are computed here, so that only the search is timed: no worker is asked. The first check that is
wrong pays for the probes' scores, later checks of the same submission use them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from grader.diagnosis import Finding
from reference.transformer.attention import AttentionWeights
from reference.transformer.fresh_weights import fresh_weights
from reference.transformer.inquiry import PROBED, diagnostic_probes
from reference.transformer.matching import candidates
from reference.transformer.misconceptions import BANK
from reference.transformer.misconceptions.attention_calls import AttentionRecord, attention_hypotheses
from reference.transformer.misconceptions.drops import Mode
from reference.transformer.misconceptions.recipes import Recipe
from reference.transformer.misconceptions.replay import Fault, Replays, Run

SEEDS = range(5)
LAYERS = {
    "layers named as in the handout": ("key.weight", "query.weight", "value.weight", "proj.weight"),
    "layers of other names": ("a.weight", "b.weight", "c.weight", "d.weight"),
}
STUDENTS = {
    "one mistake": Recipe(scale="D"),
    "two mistakes": Recipe(scale="D", mask="ignore"),
    "no known mistake": None,
}


def main() -> None:
    """Print the table."""
    singles = sum(len(who) == 1 for who in attention_hypotheses())
    pairs = sum(len(who) == 2 for who in attention_hypotheses())
    print(f"{len(BANK)} misconceptions in the bank; {singles} of attention are replayed, in {pairs:,} pairs")
    print(f"{'':<34}{'readings':>9}{'first':>9}{'next':>9}   CPU ms, median of {len(SEEDS)}")
    for layers, names in LAYERS.items():
        for student, recipe in STUDENTS.items():
            measured = [measure(names, recipe, seed) for seed in SEEDS]
            first, later = (sorted(m[i] for m in measured)[len(measured) // 2] for i in (0, 1))
            print(f"{layers[:16]}…, {student:<15}{measured[0][2]:>9}{first:>9.0f}{later:>9.0f}")


def measure(names: Sequence[str], recipe: Recipe | None, seed: int) -> tuple[float, float, int]:
    """CPU milliseconds of the first and of a second search, and the readings of the weights."""
    E, H = PROBED
    readings = candidates(fresh_weights(dict.fromkeys(names, (E, E)), seed), E, H)
    runs = [run for _, run in _student(recipe, seed, readings[-1:])]
    replays = Replays(AttentionRecord(runs, readings, H), attention_hypotheses())
    return (
        _timed(replays, AttentionRecord(runs[:3], readings, H)),
        _timed(replays, AttentionRecord(runs[3:6], readings, H)),
        len(readings),
    )


def _timed(replays: Replays, own: AttentionRecord) -> float:
    start = time.process_time()
    finding = replays.finding([own])
    assert isinstance(finding, Finding)
    return 1000 * (time.process_time() - start)


def _student(recipe: Recipe | None, seed: int, readings: Sequence[AttentionWeights]) -> list[tuple[int, Run]]:
    """What the code of a student gives on the probes; noise where it is no known mistake."""
    generator = torch.Generator().manual_seed(seed)
    probes = diagnostic_probes(generator, PROBED[0])
    empty = [Run(tuple(p.inputs()), Fault("", ""), Mode(seed=i)) for i, p in enumerate(probes)]
    outputs = AttentionRecord(empty, readings, PROBED[1]).replay(recipe or Recipe())
    runs = []
    for place, (run, output) in enumerate(zip(empty, outputs, strict=True)):
        assert isinstance(output, torch.Tensor)
        noise = 0.0 if recipe else torch.randn(output[0].shape, generator=generator)
        runs.append((place, run._replace(result=output[0] + noise)))
    return runs


if __name__ == "__main__":
    main()
