"""Part 2c, gradients: they reach every weight and are those of the output; inputs are left as they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from grader.checking.compare import difference, problem_with
from grader.checking.evidence import Running
from grader.checking.outcomes import Failed
from grader.checking.received import fields, tampered, tensors
from grader.checking.student import Student
from grader.worker.calls import Call, Ref
from reference.transformer.asking import (
    FLOAT32_NOISE,
    Probe,
    build,
    draw,
    normal,
    once_a_seed,
    output_hint,
    random_mask,
    sizes,
    weights_of,
)
from reference.transformer.explaining import seen
from reference.transformer.kept import expected_attention, expected_gradients
from reference.transformer.matching import kept_candidates

NUDGE = 0.0005
"""Standard deviation of a change of one matrix, small beside its values: an output follows its gradient to a few
per cent."""


class GradientCase(NamedTuple):
    """What the gradients are of: (output · cotangent).sum() on one probe."""

    probe: Probe
    cotangent: Tensor
    num_heads: int


@once_a_seed
def gradient_calls(seed: int) -> tuple[GradientCase, tuple[Call, ...]]:
    """Drawn from the seed, and the calls that follow on building the module."""
    generator = draw(seed)
    E, H = sizes(generator)
    x, y, mask = normal(generator, 2, 4, E), normal(generator, 2, 5, E), random_mask(generator, 4, 5)
    case = GradientCase(Probe(x, y, y, mask), normal(generator, 2, 4, E), H)
    module, inputs = Ref("attention"), case.probe.inputs()
    return case, (
        Call("harness:forward_and_inputs", (module, inputs)),
        Call("harness:forward_and_inputs", (module, inputs, True)),
        Call("harness:gradients", (module, inputs, case.cotangent)),
    )


@pytest.mark.check("2c.gradients")
def test_gradients_and_inputs(check: Running, student: Student) -> None:
    case, calls = gradient_calls(check.seed)
    E, inputs = case.probe.query.size(-1), case.probe.inputs()
    check.asked = (
        "gradients of a weighted sum of the output, and the inputs compared before and after the call"
    )
    _, described, after, after_training, result = student.ask(*build(check, E, case.num_heads), *calls)
    output, left = fields(after, "output and inputs", "output", "inputs")
    problem = problem_with(output, (2, 4, E))
    if problem:
        raise Failed(problem, output_hint(output, case.probe))
    refuse_changes(inputs, left)
    _, left = fields(after_training, "output and inputs", "output", "inputs")
    refuse_changes(inputs, left, training=True)
    parameters = weights_of(check, described)
    due = formula_gradients(parameters, output, case)
    gradients = received_gradients(check, result, parameters, right=due is not None)
    if due is not None:
        largest = max(float(g.abs().max()) for g in due.values() if g.numel())
        wrong = [n for n, g in gradients.items() if not near(g, due[n], largest)]
    else:
        wrong = disagreeing_gradients(student, check, gradients, parameters, case)
    if wrong:
        raise Failed(
            f"The gradient of {wrong[0]} is not that of your output.",
            "Take out .data, .detach(), torch.no_grad() and numpy: every step of forward has to be differentiable.",
        )


def refuse_changes(inputs: list[Tensor], left: Any, *, training: bool = False) -> None:
    """Fail the check where a call left other inputs behind than it was given."""
    names = ("query", "key", "value", "mask")
    if not isinstance(left, list) or len(left) != len(names) or not all(isinstance(x, Tensor) for x in left):
        raise tampered("the inputs after the call")
    changed = [n for n, a, b in zip(names, inputs, left, strict=True) if not torch.equal(a, b)]
    if changed:
        raise Failed(
            f"In train mode, forward changes its argument {changed[0]!r} in place."
            if training
            else f"forward changes its argument {changed[0]!r} in place.",
            "Functions whose name ends in _, += on an argument and inplace=True change the caller's tensor; use the "
            "plain ones.",
        )


def received_gradients(
    check: Running, result: Any, parameters: dict[str, Tensor], *, right: bool
) -> dict[str, Tensor]:
    """The gradients of the worker; fails the check where none reaches a matrix. `right`: whether the output is."""
    attached, found, of_inputs = fields(result, "gradients", "attached", "gradients", "inputs")
    if attached is not True:
        raise Failed(
            "The output is cut off from the weights: no gradient can flow.",
            "Take out .data, .detach(), torch.no_grad() and numpy from forward.",
            diagnosis=seen("output-cut-off", "it has no history of operations"),
        )
    if not isinstance(found, dict) or found.keys() != parameters.keys() or not isinstance(of_inputs, list):
        raise tampered("gradients")
    reached = [isinstance(g, Tensor) and bool((g.abs() > 0).any()) for g in of_inputs[:3]]
    if not all(reached):
        name = ("query", "key", "value")[reached.index(False)]
        cut_off = reached == [False, False, True] and right
        raise Failed(
            f"No gradient gets through to the {name}: the layers before this one cannot learn.",
            "Take out .data, .detach() and torch.no_grad() from forward.",
            diagnosis=seen("attention-cut-off", "the value alone has a gradient") if cut_off else None,
        )
    gradients = tensors(
        {n: torch.zeros_like(parameters[n]) if g is None else g for n, g in found.items()}, "gradients"
    )
    if any(g.shape != parameters[n].shape or not g.is_floating_point() for n, g in gradients.items()):
        raise tampered("gradients")
    # The gradient of the key's bias is exactly 0 for right code too: it shifts all scores of a row alike.
    dead = [
        name for name, g in gradients.items()
        if found[name] is None or not g.isfinite().all() or (g.dim() >= 2 and not (g.abs() > 1e-8).any())
    ]  # fmt: skip
    check.obtained = f"{len(gradients) - len(dead)} of {len(gradients)} parameters get a gradient"
    if dead:
        raise Failed(
            f"No gradient reaches {', '.join(dead)[:300]}: in forward it is not used, or replaced, or cut off.",
            "Every layer made in __init__ has its place in forward, without .detach(), .data or rounding behind it.",
        )
    return gradients


def formula_gradients(
    parameters: dict[str, Tensor], output: Tensor, case: GradientCase
) -> Mapping[str, Tensor] | None:
    """The gradients that the formula has, by parameter; None where the output is not the formula's."""
    probe, H = case.probe, case.num_heads
    for reading, weights in enumerate(kept_candidates(parameters, probe.query.size(-1), H)):
        due = expected_attention(*probe[:3], weights, H, probe.attn_mask).output
        if difference(output, due, FLOAT32_NOISE).agrees:
            return expected_gradients(parameters, reading, H, probe, case.cotangent)
    return None


def near(obtained: Tensor, due: Tensor, largest: float) -> bool:
    """Equal to a thousandth of the largest element, or to float32 rounding beside the `largest` of all parameters."""
    scale = float(due.abs().max()) if due.numel() else 0.0
    return bool(((obtained.double() - due.double()).abs() <= 1e-3 * scale + 1e-5 * largest).all())


def disagreeing_gradients(
    student: Student,
    check: Running,
    gradients: dict[str, Tensor],
    parameters: dict[str, Tensor],
    case: GradientCase,
) -> list[str]:
    """Matrices whose gradient does not foretell how the student's own output changes when they change.

    For a module that computes something other than the formula. The directions are drawn after the gradients came.
    """
    matrices = [name for name, g in gradients.items() if g.dim() >= 2]
    generator = torch.Generator().manual_seed(check.seed + 1)
    steps = {n: NUDGE * normal(generator, *gradients[n].shape) for n in matrices}
    answers = student.ask(
        *build(check, case.probe.query.size(-1), case.num_heads),
        *(
            Call("harness:forward_nearby", (Ref("attention"), case.probe.inputs(), name, sign * steps[name]))
            for name in matrices
            for sign in (1, -1)
        ),
    )[2:]
    wrong = []
    for name, above, below in zip(matrices, answers[::2], answers[1::2], strict=True):
        for output in (above, below):
            if problem_with(output, tuple(case.cotangent.shape)):
                raise tampered("the output with other weights")
        seen = float(((above.double() - below.double()) * case.cotangent).sum()) / 2
        foretold = float((gradients[name].double() * steps[name]).sum())
        spread = NUDGE * float(gradients[name].double().norm())  # of what is foretold, over directions
        if abs(seen - foretold) > 0.2 * spread + 1e-4:
            wrong.append(name)
    return wrong
