"""Part 2c, dropout: the attention weights that a train-mode output was made with are recovered and looked at."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

import pytest
import torch
from torch import Tensor

from grader.checking.compare import difference, problem_with
from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Partial
from grader.checking.student import Student
from reference.transformer.asking import (
    FLOAT32_NOISE,
    Asked,
    Probe,
    draw,
    normal,
    once_a_seed,
    output_hint,
    readings,
)
from reference.transformer.attention import AttentionWeights
from reference.transformer.inquiry import Inquiry, asking
from reference.transformer.kept import expected_attention
from reference.transformer.misconceptions.drops import Mode
from reference.transformer.properties import ALARM, binomial_tail, by_chance

DROPOUT = 0.3
"""Asked for by name: another than the handout's 0.1, so that an argument that is not used shows."""


@pytest.mark.check("2c.dropout")
def test_dropout(check: Running, student: Student, shared: dict[str, Any]) -> None:
    """The attention weights after dropout are recovered from the output, through the student's own matrices: each must
    be 0 or the weight / (1 - p). By chance right code fails one of the five tests of `judge_ratios` in fewer than five
    of 10^12 runs, summed exactly (properties.ALARM)."""
    E, H = 8, 2
    modes = [Mode(seed=1), Mode(seed=2), Mode(training=True, seed=check.seed)]
    with asking(check, student, shared) as inquiry:
        check.asked = (
            f"MultiHeadAttention({E}, {H}, dropout={DROPOUT}) in eval mode twice, then in train mode, on the same "
            "inputs"
        )
        asked = inquiry.ask(E, H, [probe_of(check.seed)] * len(modes), modes, dropout=DROPOUT)
        if asked.dropout is None:
            check.asked = check.asked.replace(f", dropout={DROPOUT}", "")
        judge_dropout(check, asked, inquiry)


@once_a_seed
def probe_of(seed: int) -> Probe:
    generator = draw(seed)
    x, y = normal(generator, 16, 8, 8), normal(generator, 16, 3, 8)
    return Probe(x, y, y)


def judge_dropout(check: Running, asked: Asked, inquiry: Inquiry) -> None:
    """Fail unless two outputs in eval mode are alike and the one in train mode has single weights dropped."""
    probe, H = asked.probes[0], asked.num_heads
    for output in asked.outputs:
        problem = problem_with(output, tuple(probe.query.shape))
        if problem:
            raise Failed(problem, output_hint(output, probe))
    first, second, trained = asked.outputs
    if not torch.equal(first, second):
        raise Failed(
            "In eval mode the output changes from call to call: dropout is still on, or weights are drawn in forward.",
            "F.dropout needs training=self.training; nn.Dropout as a sub-module knows the mode by itself.",
        )
    if torch.equal(first, trained):
        raise Failed(
            "In train mode nothing is dropped: the output equals that of eval mode.",
            "Apply dropout to the attention weights, after the softmax, and use its result.",
        )
    found = readings(asked.parameters, probe.query.size(-1), H)
    weights = next((w for w in found if _explains(w, first, probe, H)), None)
    if weights is None:
        judge_ratios(check, ratios_of_one_head(check, inquiry), asked.dropout)
    else:
        judge_ratios(check, dropped_ratios(first, trained, probe, weights, H), asked.dropout)


def _explains(weights: AttentionWeights, output: Tensor, probe: Probe, num_heads: int) -> bool:
    return difference(output, expected_attention(*probe[:3], weights, num_heads).output, FLOAT32_NOISE).agrees


def ratios_of_one_head(check: Running, inquiry: Inquiry) -> Tensor:
    """The same ratios (N, 1, S, T), for a module whose output is not the formula's: nan where one does not show.

    With one head, changing the value of one key moves the output by the key's weight along one direction, whatever
    the scale, the mask or the matrices are. Other mistakes are then not punished here a second time.
    """
    N, S, T, E = 16, 8, 3, 8
    generator = draw(check.seed + 1)
    x, y = normal(generator, N, S, E), normal(generator, N, T, E)
    probes = [Probe(x, y, y)]
    for t in range(T):
        value = y.clone()
        value[:, t] += 2 * normal(generator, N, E)
        probes.append(Probe(x, y, value))
    modes = [Mode(training, check.seed) for training in (False, True) for _ in probes]
    outputs = inquiry.ask(E, 1, probes * 2, modes, dropout=DROPOUT).outputs
    if any(problem_with(output, (N, S, E)) for output in outputs):
        raise unseen()
    plain, trained = (torch.stack(part).double() for part in (outputs[: T + 1], outputs[T + 1 :]))
    before, after = plain[1:] - plain[0], trained[1:] - trained[0]  # (T, N, S, E)
    size = (before * before).sum(-1)
    ratios = (after * before).sum(-1) / size
    off = (after - ratios[..., None] * before).norm(dim=-1) / size.sqrt()
    clear = size.sqrt() > 0.02
    if float(clear.double().mean()) < 0.3 or float(off[clear].median()) > 0.01:
        raise unseen()
    return torch.where(clear, ratios, torch.nan).permute(1, 2, 0)[:, None]


def unseen() -> Failed:
    return Failed(
        "Whether attention weights are dropped in train mode cannot be told: the output differs from attention.",
        "Get the output right in eval mode first; then dropout goes on the weights, after the softmax.",
    )


def dropped_ratios(
    plain: Tensor, dropped: Tensor, probe: Probe, weights: AttentionWeights, num_heads: int
) -> Tensor:
    """Attention weights after dropout over those without, (N, H, S, T) float64; nan where they do not show well.

    plain and dropped are outputs (N, S, E) in eval and train mode.
    """
    inverse, conditioned = _undone(expected_attention(*probe[:3], weights, num_heads).value_heads)
    before, after = (_recover(output, inverse, weights) for output in (plain, dropped))  # (N, H, S, T)
    keep = (before.abs() > 0.02) & conditioned[..., None, None]
    return torch.where(keep, after / before, torch.nan)


@lru_cache(maxsize=4)
def _undone(value_heads: Tensor) -> tuple[Tensor, Tensor]:
    """The pseudo-inverse (N, H, D, T) float64 of projected values (N, H, T, D), and where it is reliable (N, H)."""
    values = value_heads.double()
    return torch.linalg.pinv(values), torch.linalg.cond(values) < 50


def _recover(output: Tensor, inverse: Tensor, weights: AttentionWeights) -> Tensor:
    """The attention weights (N, H, S, T) behind an output: undo the output layer, then solve A V = heads (T < D)."""
    bias = 0.0 if weights.b_o is None else weights.b_o.double()
    merged = torch.linalg.solve(weights.w_o.double(), (output.double() - bias).transpose(1, 2)).transpose(
        1, 2
    )
    N, S, E = merged.shape
    num_heads = inverse.size(1)
    heads = merged.view(N, S, num_heads, E // num_heads).transpose(1, 2)  # (N, H, S, D)
    return heads @ inverse


def _off_the_grid(ratios: Tensor) -> float:
    """Share of ratios that are neither 0 nor the one other value."""
    kept = ratios[ratios.abs() > 0.05]
    if kept.numel() == 0:
        return 1.0
    return float(((kept - kept.median()).abs() > 0.02).double().mean())


def judge_ratios(check: Running, table: Tensor, asked_for: float | None) -> None:
    """Fail unless the ratios (N, H, S, T) are 0 or 1/(1-p), with a share p of zeros, each dropped for itself."""
    ratios = table[~table.isnan()]
    dropped = int((ratios.abs() <= 0.05).sum())
    zeros = dropped / max(1, ratios.numel())
    kept = ratios[ratios.abs() > 0.05]
    scale = float(kept.median()) if kept.numel() else 0.0
    check.expected = "each attention weight is 0, or itself times 1 / (1 - p)"
    check.obtained = (
        f"{zeros:.1%} of {ratios.numel()} weights are 0; the others are multiplied by {scale:.4f}"
    )
    if _off_the_grid(ratios) > 0:
        check.obtained = (
            f"{_off_the_grid(ratios):.0%} of {ratios.numel()} weights are neither 0 nor scaled alike"
        )
        raise Failed(
            "Something is dropped in train mode, but not single attention weights alone.",
            "Dropout belongs after the softmax and before the product with the values; not on scores or the output.",
        )
    p = 1 - 1 / scale if scale > 1 else 0.0
    together = dropped_together(table, p)
    if together:
        raise Failed(
            f"Weights are dropped together, over all {together}, not each for itself.",
            "nn.Dropout on the attention weights (N, H, S, T) draws for each of them.",
        )
    if p <= 0 or not by_chance(dropped, ratios.numel(), p):
        raise Failed(
            f"{zeros:.1%} of the weights are dropped, yet the others are scaled as if it were {p:.1%}.",
            "Use nn.Dropout or F.dropout, which do both.",
        )
    if asked_for is not None and abs(p - asked_for) > 0.01:
        raise Partial(
            f"dropout={asked_for} was asked for, and the weights are dropped with a probability of {p:.3g}.",
            "Pass the argument of the constructor on, and drop once.",
            fraction=Fraction(2, 3),
        )
    if asked_for is None and abs(p - 0.1) > 0.01:
        check.note(f"The default of the coursework is dropout=0.1; yours drops with {p:.3g}.")


def dropped_together(table: Tensor, p: float) -> str | None:
    """The axis of (N, H, S, T) along which weights are dropped all at once, in words; None where there is none.

    The neighbour of a dropped weight is dropped for itself with probability p. Neighbours are looked at in pairs that
    have no weight in common, so how many of them are is binomial.
    """
    for axis, name in enumerate(("the sequences of the batch", "the heads", "the queries", "the keys")):
        first = torch.arange(0, table.size(axis) - 1, 2)
        here, there = table.index_select(axis, first), table.index_select(axis, first + 1)
        seen = (here.abs() <= 0.05) & ~there.isnan()
        both = seen & (there.abs() <= 0.05)
        n, k = int(seen.sum()), int(both.sum())
        if 0 < p < 1 and k > 0.9 * n and binomial_tail(n, p, k) <= ALARM:
            return name
    return None
