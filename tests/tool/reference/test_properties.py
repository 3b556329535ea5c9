"""The properties hold for attention with any weights, fail where broken, and fail by chance as rarely as is said."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import count
from pathlib import Path

import pytest
import torch
from torch import Tensor

import reference.transformer
from grader.assignment import load_assignment
from grader.checking import threads
from reference.transformer.attention import AttentionWeights, attention
from reference.transformer.fresh_weights import fresh_weights
from reference.transformer.positional_encoding import encoding_table
from reference.transformer.properties import (
    ALARM,
    Relation,
    binomial_range,
    binomial_tail,
    by_chance,
    calls_of,
    gap_of,
    keys_in_any_order,
    linear_in_value,
    queries_in_any_order,
    repeated,
    rounding_alarm,
    rows_sum_to_one,
    same_at_every_length,
    shuffled,
)

E, H, S, T = 20, 4, 4, 5
Layer = Callable[..., Tensor]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Tensors of a hundred numbers: a second thread only waits."""
    with threads.one_thread():
        yield


def weights(seed: int) -> AttentionWeights:
    shapes = {f"{kind}_{name}": (E, E)[: 2 if kind == "w" else 1] for name in "qkvo" for kind in "wb"}
    return AttentionWeights(**fresh_weights(shapes, seed))


def relations(seed: int) -> dict[str, Relation]:
    generator = torch.Generator().manual_seed(seed)
    query, key, value, other = (torch.randn(2, n, E, generator=generator) for n in (S, T, T, T))
    mask = torch.rand(S, T, generator=generator).argsort(-1) < 3
    base = (query, key, value, mask)
    return {
        "repeated": repeated(base),
        "queries": queries_in_any_order(base, shuffled(generator, S)),
        "keys": keys_in_any_order(base, shuffled(generator, T)),
        "linear": linear_in_value(base, other),
        "rows": rows_sum_to_one(base, torch.randn(E, generator=generator)),
    }


def gaps(layer: Layer, seed: int) -> dict[str, float]:
    asked = relations(seed)
    calls = calls_of(list(asked.values()))
    outputs = [layer(*inputs) for inputs in calls]
    return {name: gap_of(relation, calls, outputs) for name, relation in asked.items()}


def right(seed: int, dtype: torch.dtype = torch.float32) -> Layer:
    w = weights(seed)
    w = replace(w, **{name: getattr(w, name).to(dtype) for name in AttentionWeights.__slots__})

    def layer(*inputs: Tensor) -> Tensor:
        query, key, value, *mask = (x.to(dtype) if x.is_floating_point() else x for x in inputs)
        return attention(query, key, value, w, H, *mask).output

    return layer


def test_attention_has_every_property_but_for_rounding() -> None:
    in_float32 = [max(gaps(right(seed), seed).values()) for seed in range(20)]
    in_float64 = [max(gaps(right(seed, torch.float64), seed).values()) for seed in range(20)]
    assert max(in_float64) < 1e-6  # 2 · value - other is rounded on its way in
    assert 1e-7 < max(in_float32) < 2e-5


def position_added(*inputs: Tensor) -> Tensor:
    query, *rest = inputs
    return right(3)(query + encoding_table(query.size(1), E), *rest)


def key_position_added(*inputs: Tensor) -> Tensor:
    query, key, *rest = inputs
    return right(3)(query, key + encoding_table(key.size(1), E), *rest)


def squared_value(*inputs: Tensor) -> Tensor:
    query, key, value, *mask = inputs
    return right(3)(query, key, value * value, *mask)


def mask_after_softmax(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    w = weights(3)
    found = attention(query, key, value, w, H)
    kept = found.weights if mask is None else found.weights * mask
    return (kept @ found.value_heads).transpose(1, 2).flatten(2) @ w.w_o.T + w.b_o


def never_twice_the_same(*inputs: Tensor, times: Iterator[int] = count()) -> Tensor:  # noqa: B008
    return right(3)(*inputs) + next(times)


@pytest.mark.parametrize(
    ("layer", "broken"),
    [
        (position_added, {"queries"}),
        (key_position_added, {"keys"}),
        (squared_value, {"linear"}),
        (mask_after_softmax, {"rows"}),
        (never_twice_the_same, set(relations(0))),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_breaks_one_property_breaks_no_other(layer: Layer, broken: set[str]) -> None:
    found = gaps(layer, 3)
    assert {name for name, gap in found.items() if gap > 0.01} == broken
    assert all(gap < 1e-4 for name, gap in found.items() if name not in broken)


def test_calls_that_are_shared_are_made_once() -> None:
    asked = relations(0)
    calls = calls_of(list(asked.values()))
    assert len(calls) == 8
    assert sum(len(relation.inputs) for relation in asked.values()) == 11


def test_a_table_kept_for_the_first_length_is_seen() -> None:
    x = torch.ones(1, 9, 6)
    relation = same_at_every_length((x,), (4, 2, 4))
    calls = calls_of([relation])

    def gap(layer: Callable[[Tensor], Tensor]) -> float:
        return gap_of(relation, calls, [layer(*inputs) for inputs in calls])

    def by_share_of_length(x: Tensor) -> Tensor:
        return x + torch.linspace(0, 1, x.size(1))[:, None]

    kept: list[Tensor] = []

    def reversed_after_the_first(x: Tensor) -> Tensor:
        kept.append(encoding_table(x.size(1), 6))
        return x + (kept[-1] if len(kept) == 1 else kept[-1].flip(0))

    assert gap(lambda x: x + encoding_table(x.size(1), 6)) == 0.0
    assert gap(by_share_of_length) > 0.1
    assert gap(reversed_after_the_first) > 0.1


def test_a_shuffle_is_never_the_order_itself() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        order = shuffled(generator, 2)
        assert order.tolist() == [1, 0]


# ---------------------------------------------------------------- probabilities


def exact_tail(n: int, p: Fraction, k: int) -> Fraction:
    return sum((math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1)), Fraction(0))


@pytest.mark.parametrize("p", [Fraction(1, 10), Fraction(3, 10), Fraction(1, 2), Fraction(9, 10)])
@pytest.mark.parametrize("n", [1, 7, 60, 400])
def test_a_tail_is_the_sum_of_its_terms(n: int, p: Fraction) -> None:
    for k in sorted({0, 1, n // 3, int(n * p), int(n * p) + 1, (n + int(n * p)) // 2, n, n + 1}):
        exact = float(exact_tail(n, p, k))
        assert binomial_tail(n, float(p), k) == pytest.approx(exact, rel=1e-9, abs=0)


@pytest.mark.parametrize("p", [Fraction(1, 10), Fraction(3, 10)])
@pytest.mark.parametrize("n", [20, 300, 768])
def test_a_range_leaves_out_what_it_says_and_no_less_than_it_must(n: int, p: Fraction) -> None:
    least, most = binomial_range(n, float(p))
    half = Fraction(ALARM) / 2
    above, below = exact_tail(n, p, most + 1), 1 - exact_tail(n, p, least)
    assert above <= half * (1 + Fraction(1, 10**9))
    assert below <= half * (1 + Fraction(1, 10**9))
    assert most == n or exact_tail(n, p, most) > half
    assert least == 0 or 1 - exact_tail(n, p, least + 1) > half


def test_a_range_is_wide_enough_for_every_count_that_dropout_gives() -> None:
    least, most = binomial_range(768, 0.3)
    assert 0 < least < 768 * 0.3 < most < 768
    generator = torch.Generator().manual_seed(1)
    counts = (torch.rand(5000, 768, generator=generator) < 0.3).sum(1)
    assert least <= int(counts.min())
    assert int(counts.max()) <= most


def test_what_chance_gives_and_what_it_does_not() -> None:
    assert by_chance(230, 768, 0.3)
    assert not by_chance(143, 768, 0.3)
    assert not by_chance(325, 768, 0.3)
    assert not by_chance(0, 384, 0.3)
    assert not by_chance(384, 384, 0.3)


def test_the_figures_of_the_page_are_those_computed() -> None:
    page = (Path(reference.transformer.__file__).parents[2] / "docs" / "reference.md").read_text(
        encoding="utf-8"
    )
    rows = re.findall(r"^\| `(2\S+)` \| (\S+) \| (\S+) \| (\d+) × \| (.+) \|$", page, re.MULTILINE)
    tolerances = {check.id: check.tolerance.absolute for check in load_assignment().checks if check.tolerance}
    assert len(rows) == 7
    for check, noise, tolerance, margin, alarm in rows:
        assert float(tolerance) == tolerances[check]
        assert float(tolerance) / float(noise) == pytest.approx(int(margin), rel=0.05)
        bound = rounding_alarm(float(tolerance), float(noise), 10_000)
        most = float(alarm.removeprefix("below "))
        assert (
            (bound < most)
            if "below" in alarm
            else math.log10(bound) == pytest.approx(math.log10(most), rel=0.05)
        )
    assert f"{rounding_alarm(10.0, 1.0, 10_000):.0e}" == "4e-18"
    assert "Ten times the noise alone gives 4e-18" in page
    for n, words in ((768, "144 to 324"), (4096, "1,023 to 1,441")):
        assert "{:,} to {:,}".format(*binomial_range(n, 0.3)) == words
        assert words in page


def test_right_code_moves_with_other_values_but_once_in_more_runs_than_there_will_be() -> None:
    """A normal vector in 8 directions, of standard deviation 1: its greatest density times the cube below 1e-4."""
    assert (2 * 1e-4 / math.sqrt(2 * math.pi)) ** 8 < 1e-32


def test_rounding_alarms_as_a_normal_variable_does_at_most() -> None:
    assert rounding_alarm(1e-3, 1e-3, 10**6) == 1.0
    assert rounding_alarm(8e-6, 1e-6, 1) == pytest.approx(2 * math.exp(-32))
    for times in (1, 2, 4, 6):  # the tail of a normal variable, twice one side
        assert math.erfc(times / math.sqrt(2)) <= rounding_alarm(times, 1.0, 1)
    assert rounding_alarm(1.0, 0.1, 500) == pytest.approx(500 * rounding_alarm(1.0, 0.1, 1))


def test_rounding_fails_no_run_of_right_code() -> None:
    """The figure of docs/reference.md: over 60 draws of inputs and weights, the largest rms movement by rounding."""
    worst = 0.0
    count = 0
    for seed in range(60):
        asked = relations(seed)
        calls = calls_of(list(asked.values()))
        layer = right(seed)
        by_call = {id(inputs): layer(*inputs).double() for inputs in calls}
        for relation in asked.values():
            gap = relation.gap(*(by_call[id(inputs)] for inputs in relation.inputs))
            worst = max(worst, float(gap.square().mean().sqrt()))
            count = max(count, gap.numel())
    assert worst < 1e-5
    assert rounding_alarm(1e-3, 10 * worst, 5 * count) < 1e-9
