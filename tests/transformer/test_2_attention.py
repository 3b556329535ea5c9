"""Part 2c: multi-head attention is judged by what it computes with weights and on inputs drawn for this run."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import pytest

from grader.checking.compare import difference, problem_with
from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Partial
from grader.checking.student import Student
from grader.worker.calls import Returned
from reference.transformer.asking import (
    SIZES,
    Asked,
    Probe,
    draw,
    judge,
    normal,
    once_a_seed,
    output_hint,
    random_mask,
    sizes,
)
from reference.transformer.inquiry import asking
from reference.transformer.kept import expected_attention


class Put(NamedTuple):
    """What is put to one module."""

    embed_dim: int
    num_heads: int
    probes: list[Probe]


@once_a_seed
def own_probes(seed: int) -> list[Put]:
    """Heads of a size with a whole root, and of one without: a rounded root shows in the second."""
    generator = draw(seed)
    found = []
    for E, H in (sizes(generator, SIZES[:2]), sizes(generator, SIZES[2:])):
        x, y = normal(generator, 2, 5, E), normal(generator, 1, 7, E)
        found.append(Put(E, H, [Probe(x, x, x), Probe(y, y, y)]))
    return found


@pytest.mark.check("2c.self")
def test_self_attention(check: Running, student: Student, shared: dict[str, Any]) -> None:
    puts = own_probes(check.seed)
    (small, its_heads, _), (large, other_heads, _) = puts
    check.asked = (
        f"attn(x, x, x) of MultiHeadAttention({small}, {its_heads}) and of MultiHeadAttention({large}, {other_heads}), "
        "x of shape (2, 5, embed_dim) and (1, 7, embed_dim)"
    )
    with asking(check, student, shared) as inquiry:
        for put in puts:
            judge(check, inquiry.ask(*put))


@once_a_seed
def masked_probes(seed: int) -> Put:
    """The last has the mask of the first as 0/1 floats."""
    generator = draw(seed)
    E, H = sizes(generator)
    x = normal(generator, 2, 7, E)
    masks = [random_mask(generator, 7, 7), random_mask(generator, 7, 7)]
    return Put(E, H, [Probe(x, x, x, mask) for mask in (*masks, masks[0].float())])


@pytest.mark.check("2c.masked")
def test_masked_self_attention(check: Running, student: Student, shared: dict[str, Any]) -> None:
    # The handout removes a score where the mask is 0 *or* False: the same mask as 0/1 floats must do the same.
    E, H, (*as_booleans, as_floats) = masked_probes(check.seed)
    check.asked = (
        f"attn(x, x, x, mask) with x of shape (2, 7, {E}) and masks of shape (7, 7), boolean and 0/1 floats"
    )
    with asking(check, student, shared) as inquiry:
        best = judge(check, inquiry.ask(E, H, as_booleans))
        (reply,) = inquiry.ask_more([as_floats])
        expected = expected_attention(*as_floats[:3], best.weights, H, as_floats.attn_mask).output
        tolerance = check.declaration.tolerance
        assert tolerance is not None
        right = (
            isinstance(reply, Returned)
            and problem_with(reply.value, tuple(expected.shape)) is None
            and difference(reply.value, expected, tolerance).agrees
        )
        if not right:
            raise Partial(
                "Right with a boolean mask, wrong where the same mask comes as 0/1 floats.",
                "`~mask` needs booleans; `mask == 0` is true for 0 and for False.",
                fraction=Fraction(2, 3),
            )


@once_a_seed
def cross_probes(seed: int) -> Put:
    generator = draw(seed)
    E, H = sizes(generator)
    probes = [
        Probe(normal(generator, 2, S, E), normal(generator, 2, T, E), normal(generator, 2, T, E))
        for S, T in ((5, 3), (2, 7), (4, 4))
    ]
    return Put(E, H, probes)


@pytest.mark.check("2c.cross")
def test_cross_attention(check: Running, student: Student, shared: dict[str, Any]) -> None:
    E, H, probes = cross_probes(check.seed)
    check.asked = (
        f"attn(query, key, value) with query of length 5, 2 and 4, key and value (different tensors) of length 3, 7 "
        f"and 4, {E} features"
    )
    with asking(check, student, shared) as inquiry:
        judge(check, inquiry.ask(E, H, probes))


@once_a_seed
def independence_probes(seed: int) -> Put:
    """The plain call, one with another removed key, one with other kept keys, and one sequence by itself."""
    generator = draw(seed)
    E, H, S, T = 20, 5, 6, 7
    x, y = normal(generator, 3, S, E), normal(generator, 3, T, E)
    mask = random_mask(generator, S, T)
    mask[:, 1] = False  # the second key is removed for every query
    mask[:, 0] = True
    other, kept = y.clone(), normal(generator, 3, T, E)
    # Larger ones would cost digits where a softmax by hand takes its maximum over removed keys too, which is right.
    other[:, 1] = 3 * normal(generator, 3, E)
    probes = [
        Probe(x, y, y, mask),
        Probe(x, other, other, mask),
        Probe(x, kept, kept, mask),
        Probe(x[1:2], y[1:2], y[1:2], mask),
    ]
    return Put(E, H, probes)


@pytest.mark.check("2c.independence")
def test_independence(check: Running, student: Student, shared: dict[str, Any]) -> None:
    check.asked = (
        "outputs before and after removed, then kept keys are changed, and of one sequence without its batch"
    )
    with asking(check, student, shared) as inquiry:
        judge_independence(check, inquiry.ask(*independence_probes(check.seed)))


def judge_independence(check: Running, asked: Asked) -> None:
    """Fail where removed keys, or other sequences of the batch, reach the output, or where kept keys do not."""
    for output, probe in zip(asked.outputs, asked.probes, strict=True):
        problem = problem_with(output, tuple(probe.query.shape))
        if problem:
            raise Failed(problem, output_hint(output, probe))
    plain, changed, moved, single = asked.outputs
    tolerance = check.declaration.tolerance
    assert tolerance is not None
    influence = difference(changed, plain, tolerance)
    mixing = difference(single, plain[1:2], tolerance)
    check.largest_difference = max(influence.largest, mixing.largest)
    if not influence.agrees:
        raise Failed(
            f"A key that the mask removes still changes the output, by up to {influence.largest:.3g}.",
            "Remove the score before the softmax, with a value so low that nothing of it is left.",
        )
    if not mixing.agrees:
        raise Failed(
            f"The output of one sequence depends on the others of its batch, by up to {mixing.largest:.3g}.",
            "Look for a reshape or a softmax that runs over the batch.",
        )
    if float((moved - plain).abs().max()) < 1e-3:
        raise Failed(
            "The keys that the mask keeps have no influence on the output either.",
            "The output is a weighted sum of the values: other values have to show in it.",
        )
