"""Properties that every right solution has, whatever its weights are: judged by comparing its outputs with one another.

A `Relation` names the inputs of some calls and what their outputs must have to do with one another. No formula and no
weight is needed, so it serves any layer of this kind: one that maps (query, key, value, mask) to one row a query.

Two kinds of property are here, with two kinds of chance failure ("false alarm": a right solution that loses marks).

exact       The outputs of a right solution agree but for float32 rounding; see `rounding_alarm`.
of chance   What is dropped in train mode is a number of independent draws; `binomial_range` holds it but for a
            probability that is summed exactly.

Letters:  N batch   S length of the query   T length of key and value   E features
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

Inputs = tuple[Tensor, ...]
"""The arguments of one call."""

ALARM = 1e-12
"""Largest probability with which one test of chance may fail a right solution: below 1e-9 for a run with a hundred."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What holds between the outputs of a right solution."""

    statement: str
    """The property, as a clause for a student."""
    broken: str
    """What it means where it does not hold, as a sentence."""
    hint: str
    """What to look at then."""
    inputs: tuple[Inputs, ...]
    """The arguments of each call. Relations that share a call share the very tuple: it is made once."""
    gap: Callable[..., Tensor]
    """The outputs, in the order of `inputs`, to a tensor that is 0 where the property holds."""


def calls_of(relations: Sequence[Relation]) -> list[Inputs]:
    """The calls that `relations` need, each once, in order."""
    return list({id(inputs): inputs for relation in relations for inputs in relation.inputs}.values())


def outputs_of(relation: Relation, calls: Sequence[Inputs], outputs: Sequence[Tensor]) -> list[Tensor]:
    """Those of `outputs`, which are of `calls` in the same order, that belong to the relation's own inputs."""
    by_call = {id(inputs): output for inputs, output in zip(calls, outputs, strict=True)}
    return [by_call[id(inputs)] for inputs in relation.inputs]


def gap_of(relation: Relation, calls: Sequence[Inputs], outputs: Sequence[Tensor]) -> float:
    """How far the property is from holding: the largest element of its gap, in float64."""
    gap = relation.gap(*(output.double() for output in outputs_of(relation, calls, outputs)))
    return float(gap.abs().max())


# ---------------------------------------------------------------- any layer


def repeated(base: Inputs) -> Relation:
    """The same call once more, in eval mode and from another seed, gives the same output."""
    return Relation(
        "the same call gives the same output in eval mode",
        "In eval mode the output changes from call to call: dropout is still on, or something is drawn in forward.",
        "F.dropout needs training=self.training; nn.Dropout as a sub-module knows the mode by itself.",
        (base, (*base,)),  # another tuple: it is called twice
        lambda first, second: second - first,
    )


def same_at_every_length(long: Inputs, lengths: Sequence[int]) -> Relation:
    """The first rows of a sequence (N, L, E) come out the same without the rest of it, asked in the order given.

    For layers that treat every position by itself, as a positional encoding does. Going from short to long and back
    shows what a call leaves behind for the next.
    """
    (x,) = long
    cut = tuple((x[:, :length],) for length in lengths)
    return Relation(
        "a position comes out the same in a sequence of every length",
        "The output at a position depends on the length of the sequence, or on the sequences before it.",
        "Row t of the table goes to position t. A table that is kept between calls has to serve longer ones too.",
        (*cut, long),
        lambda *outputs: torch.cat(
            [short - outputs[-1][:, : short.size(1)] for short in outputs[:-1]], dim=1
        ),
    )


# ---------------------------------------------------------------- attention and its like


def queries_in_any_order(base: Inputs, order: Tensor) -> Relation:
    """Permutation equivariance: the queries (and rows of the mask) in another order give the outputs in that order."""
    query, key, value, *mask = base
    return Relation(
        "queries in another order give the same outputs in that order",
        "The output of a query depends on where it stands, or on the other queries.",
        "Attention knows no positions: look for a reshape without a transpose, or a softmax over the wrong axis.",
        (base, (query[:, order], key, value, *(m[order] for m in mask))),
        lambda plain, moved: moved - plain[:, order],
    )


def keys_in_any_order(base: Inputs, order: Tensor) -> Relation:
    """Permutation invariance: keys, values and columns of the mask in another order change nothing."""
    query, key, value, *mask = base
    return Relation(
        "keys and their values in another order give the same output",
        "The output depends on the order in which keys and values come.",
        "Attention knows no positions: key and value t belong together, and every t is treated alike.",
        (base, (query, key[:, order], value[:, order], *(m[:, order] for m in mask))),
        lambda plain, moved: moved - plain,
    )


def linear_in_value(base: Inputs, other: Tensor) -> Relation:
    """The output for 2 · value - other is twice that for value less that for other, biases included."""
    query, key, value, *mask = base
    return Relation(
        "the output is linear in the value",
        "The output is not linear in the value.",
        "The attention weights come from query and key alone; the values are projected, weighted and added up.",
        (base, (query, key, other, *mask), (query, key, 2 * value - other, *mask)),
        lambda first, second, mixed: mixed - (2 * first - second),
    )


def rows_sum_to_one(base: Inputs, value: Tensor) -> Relation:
    """With one value (E,) for all keys the output is the same for every query, and the same as for a single key.

    The value = ones trick, for a layer that projects its values: whatever the projections, a weighted sum of equal
    values is that value where the weights sum to 1. A single query with a single key, whose weight is 1, gives the
    size of it.
    """
    query, key, _, *mask = base
    everywhere = value.expand_as(key)
    return Relation(
        "the attention weights of every query sum to 1",
        "One and the same value for all keys does not give what it gives for a single key: the attention weights of a "
        "query do not sum to 1.",
        "The softmax runs over the keys and comes after the mask; in eval mode nothing changes its weights any more.",
        ((query, key, everywhere, *mask), (query[:1, :1], key[:1, :1], everywhere[:1, :1])),
        lambda many, single: many - single,
    )


# ---------------------------------------------------------------- false alarms


def rounding_alarm(tolerance: float, rms: float, count: int) -> float:
    """Bound of the probability that rounding moves one of `count` elements by more than `tolerance`.

    `rms` is the root of the mean square of that movement. Each element's rounding error is a sum of many bounded,
    nearly independent errors of mean 0, so its tail is at most that of a normal variable of the same size (Hoeffding;
    Higham and Mary, "A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 41, 2019):
    2 exp(-(tolerance / rms)² / 2) for one element, and at most `count` times that for any of them.
    """
    return min(1.0, 2 * count * math.exp(-((tolerance / rms) ** 2) / 2))


def binomial_tail(n: int, p: float, k: int) -> float:
    """P(X >= k) for X binomial (n, p), 0 < p < 1: the terms themselves, each from the one before, added up."""
    if k > n:
        return 0.0
    if k <= n * p:  # the long side: what is not on the short one
        return 1.0 - binomial_tail(n, 1 - p, n - k + 1)
    log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    terms = [math.exp(log + k * math.log(p) + (n - k) * math.log1p(-p))]
    for i in range(k, n):
        terms.append(terms[-1] * (n - i) / (i + 1) * (p / (1 - p)))
        if terms[-1] < 1e-20 * terms[0]:  # beyond the mean each is smaller than the one before
            break
    return min(1.0, math.fsum(terms))


def binomial_range(n: int, p: float, alarm: float = ALARM) -> tuple[int, int]:
    """(least, most): X binomial (n, p) lies outside with a probability of at most `alarm`, half of it on each side."""
    return n - _most(n, 1 - p, alarm / 2), _most(n, p, alarm / 2)


def by_chance(dropped: int, n: int, p: float) -> bool:
    """Whether so many of `n` can have been dropped, each for itself with probability p, 0 < p < 1."""
    least, most = binomial_range(n, p)
    return least <= dropped <= most


@cache
def _most(n: int, p: float, alarm: float) -> int:
    """The least k with P(X > k) <= alarm."""
    low, high = int(n * p) - 1, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if binomial_tail(n, p, middle + 1) <= alarm else (middle, high)
    return high


def shuffled(generator: torch.Generator, n: int) -> Tensor:
    """(n,) a random order of 0 … n - 1 that is not the order itself, for n >= 2."""
    order = torch.arange(n)
    while torch.equal(order, torch.arange(n)):
        order = torch.randperm(n, generator=generator)
    return order
