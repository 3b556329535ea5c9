"""Properties of every right solution, judged by comparing outputs with one another: no formula, no weight is used."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from grader.checking.compare import problem_with
from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Partial
from grader.checking.student import Student
from grader.worker.calls import Call
from reference.transformer.advice import notes
from reference.transformer.asking import Probe, build, call, draw, normal, once_a_seed, output_hint, sizes
from reference.transformer.encoding_inquiry import EncodingInquiry, forward
from reference.transformer.explaining import seen
from reference.transformer.properties import (
    Inputs,
    Relation,
    calls_of,
    gap_of,
    keys_in_any_order,
    linear_in_value,
    outputs_of,
    queries_in_any_order,
    repeated,
    rows_sum_to_one,
    same_at_every_length,
    shuffled,
)

INFLUENCE = 1e-4
"""Other keys or values have to move the output by more, other positions the encoding. Ten times the rounding; a right
solution is below it in fewer than one of 10^20 runs (docs/reference.md, Properties)."""
WIDTH, LONGEST = 8, 17
"""embed_dim and longest sequence of the positional encoding."""


ADVISE_ATTENTION, ADVISE_ENCODING = Call("harness:advise_attention"), Call("harness:advise_encoding")


class Put(NamedTuple):
    """What is put to one attention module."""

    embed_dim: int
    num_heads: int
    again: Relation
    """The same call once more: unless its outputs are alike, the others say nothing."""
    linear: Relation
    relations: tuple[Relation, ...]
    """All that are judged, `linear` too."""
    calls: list[Inputs]
    """The first has other keys than the plain call."""


@once_a_seed
def attention_properties(seed: int) -> Put:
    generator = draw(seed)
    E, H = sizes(generator)
    N, S, T = 2, 4, 5
    query, key, value, other = (normal(generator, N, length, E) for length in (S, T, T, T))
    # Three of five keys for every query: with a single one left, no other key could have an influence.
    mask = torch.rand(S, T, generator=generator).argsort(dim=-1) < 3
    base = (query, key, value, mask)
    again, linear, rekeyed = repeated(base), linear_in_value(base, other), (query, other, value, mask)
    relations = (
        queries_in_any_order(base, shuffled(generator, S)),
        keys_in_any_order(base, shuffled(generator, T)),
        linear,
        rows_sum_to_one(base, normal(generator, E)),
    )
    return Put(E, H, again, linear, relations, [rekeyed, *calls_of([again, *relations])])


@pytest.mark.check("2c.properties")
def test_properties(check: Running, student: Student) -> None:
    """Exact properties: a right solution breaks one by float32 rounding alone, in no run that anybody will see
    (docs/reference.md, Properties)."""
    E, H, again, linear, relations, calls = attention_properties(check.seed)
    check.asked = (
        f"MultiHeadAttention({E}, {H}) called {len(calls)} times: twice alike; with the queries, then the keys and "
        "their values in another order; with other keys or values; with one value for all keys; with a single key"
    )
    _, _, *outputs, watched = student.ask(
        *build(check, E, H),
        *(call(Probe(*inputs), seed=seed) for seed, inputs in enumerate(calls)),
        ADVISE_ATTENTION,
    )
    advise(check, watched)
    for output, inputs in zip(outputs, calls, strict=True):
        problem = problem_with(output, tuple(inputs[0].shape))
        if problem:
            raise Failed(
                problem,
                output_hint(output, Probe(*inputs)),
                diagnosis=seen("axis-of-one-lost", "the rest of the shape is right")
                if lost_an_axis(output, inputs[0])
                else None,
            )
    judge(check, [again], [gap_of(again, calls, outputs)])  # else the others say nothing
    plain, revalued, _ = outputs_of(linear, calls, outputs)
    for name, changed in (("keys", outputs[0]), ("values", revalued)):
        if float((changed - plain).abs().max()) < INFLUENCE:
            raise Failed(
                f"Other {name} give the same output.",
                "The output is a weighted sum of the projected values, with weights that come from query and key.",
            )
    judge(check, relations, [gap_of(relation, calls, outputs) for relation in relations])


@once_a_seed
def encoding_lengths(seed: int) -> tuple[Relation, list[Inputs]]:
    """The property, and what the encoding is called on for it."""
    x = normal(draw(seed), 1, 1, WIDTH).expand(1, LONGEST, WIDTH).contiguous()
    relation = same_at_every_length((x,), (6, 11, 1, 6))
    return relation, calls_of([relation])


@pytest.mark.check("2d.lengths")
def test_lengths(check: Running, student: Student) -> None:
    """An exact property, like those of 2c.properties."""
    relation, calls = encoding_lengths(check.seed)
    check.asked = (
        f"PositionalEncoding({WIDTH}) on {LONGEST} times the same row, and before on 6, 11, 1 and 6 of them"
    )
    *outputs, watched = EncodingInquiry(check, student, LONGEST).call(
        WIDTH, *(forward(x) for (x,) in calls), ADVISE_ENCODING
    )
    advise(check, watched)
    for output, (x,) in zip(outputs, calls, strict=True):
        problem = problem_with(output, tuple(x.shape))
        if problem:
            raise Failed(problem, "The output has the shape of the input: (N, S, E).")
    judge(check, [relation], [gap_of(relation, calls, outputs)])
    longest = outputs[-1]
    if float((longest - longest[:, :1]).abs().max()) < INFLUENCE:
        raise Failed(
            "Equal rows come out equal: nothing in them says at which position they stand.",
            "Add row t of the table to position t.",
        )


def lost_an_axis(output: Any, due: Tensor) -> bool:
    """Whether `output` has the shape of `due` but for axes of length 1."""
    return (
        isinstance(output, Tensor)
        and output.dim() < due.dim()
        and output.squeeze().shape == due.squeeze().shape
    )


def advise(check: Running, watched: Any) -> None:
    for note in notes(watched):
        check.note(note)


def judge(check: Running, relations: Sequence[Relation], gaps: Sequence[float]) -> None:
    """Fail the check unless every relation holds; its points go with the share of those that do. The first is told."""
    tolerance = check.declaration.tolerance
    assert tolerance is not None
    check.largest_difference = max(gaps)
    broken = [
        (relation, gap) for relation, gap in zip(relations, gaps, strict=True) if gap > tolerance.absolute
    ]
    if broken:
        (first, gap), held = broken[0], len(relations) - len(broken)
        check.expected = "; ".join(relation.statement for relation in relations)
        check.obtained = f"{held} of {len(relations)} hold"
        raise (Partial if held else Failed)(
            f"{first.broken} The difference is up to {gap:.3g}.",
            first.hint,
            fraction=Fraction(held, len(relations)),
        )
