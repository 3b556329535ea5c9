"""Part 2d: the positional encoding is judged by its output, never by its buffer."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from grader.checking.compare import difference, problem_with, show
from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Partial
from grader.checking.received import fields, tampered, texts
from grader.checking.student import Student
from grader.model import Plot
from grader.worker.calls import Call, Ref
from reference.transformer.asking import draw, normal, once_a_seed
from reference.transformer.encoding_inquiry import EncodingInquiry, asking
from reference.transformer.explaining import seen
from reference.transformer.misconceptions.drops import Mode
from reference.transformer.positional_encoding import encoding_table
from reference.transformer.properties import by_chance

DROPOUT = 0.3
"""Asked for by name: another than the handout's 0.1, so that an argument that is not used shows."""


def refuse(output: Any, shape: tuple[int, ...]) -> None:
    problem = problem_with(output, shape)
    if problem:
        raise Failed(problem, "The output has the shape of the input: (N, S, E).")


@pytest.mark.check("2d.values")
def test_values(check: Running, student: Student, shared: dict[str, Any]) -> None:
    x, expected = values_due(check.seed)
    E = x.size(2)
    check.asked = (
        f"PositionalEncoding({E}) in eval mode on x of shape (2, 50, {E}); the encoding is output - x"
    )
    with asking(check, student, shared) as inquiry:
        (output,), _ = inquiry.ask(E, x, [Mode()])
        check.obtained = show(output)
        refuse(output, (2, 50, E))
        judge_values(check, x, output, expected)


@once_a_seed
def values_due(seed: int) -> tuple[Tensor, Tensor]:
    """An input, and the input plus the table."""
    generator = draw(seed)
    E = (6, 10, 16, 32)[int(torch.randint(4, (), generator=generator))]
    x = normal(generator, 2, 50, E)
    return x, x + encoding_table(x.size(1), x.size(2))


@cache
def first_rows(embed_dim: int) -> list[list[float]]:
    """Of the table, as they are drawn."""
    rows: list[list[float]] = encoding_table(16, embed_dim)[:, :16].double().tolist()
    return rows


def judge_values(check: Running, x: Tensor, output: Tensor, expected: Tensor) -> None:
    """Fail unless the output is x plus the table."""
    tolerance = check.declaration.tolerance
    assert tolerance is not None
    found = difference(output, expected, tolerance)
    check.expected, check.largest_difference = show(expected), found.largest
    check.plot(
        Plot(
            kind="heatmap",
            title="The encoding: yours and the one due (first 16 positions)",
            x_label="feature",
            y_label="position",
            series={
                "yours": (output - x)[0, :16, :16].double().tolist(),
                "due": first_rows(x.size(2)),
            },
        )
    )
    if not found.agrees:
        check.where = found.place
        raise Failed(
            f"The encoding differs from the sine and cosine table by up to {found.largest:.3g}.",
            "Compare your table at position 1 with the formula, feature by feature.",
        )


@pytest.mark.check("2d.dropout")
def test_dropout(check: Running, student: Student, shared: dict[str, Any]) -> None:
    """By chance right code has a share of zeros that is not let pass in one of 10^12 runs (properties.ALARM)."""
    x = far_from_zero(check.seed)
    N, S, E = x.shape
    modes = [Mode(seed=1), Mode(seed=2), Mode(training=True, seed=check.seed)]
    check.asked = (
        f"PositionalEncoding({E}, dropout={DROPOUT}) in eval mode twice, then in train mode, on one input"
    )
    with asking(check, student, shared) as inquiry:
        outputs, asked_for = inquiry.ask(E, x, modes, dropout=DROPOUT)
        if asked_for is None:
            check.asked = check.asked.replace(f", dropout={DROPOUT}", "")
        for output in outputs:
            refuse(output, (N, S, E))
        judge_dropout(check, *outputs, asked_for)


@once_a_seed
def far_from_zero(seed: int) -> Tensor:
    """(8, 32, 16) far from -1 … 1, so that no sum with the encoding is 0 by itself."""
    return 3 + torch.rand(8, 32, 16, generator=draw(seed))


def judge_dropout(
    check: Running, first: Tensor, second: Tensor, trained: Tensor, asked_for: float | None
) -> None:
    """Fail unless two outputs in eval mode are alike and the one in train mode has single elements dropped."""
    if not torch.equal(first, second):
        raise Failed(
            "In eval mode the output changes from call to call: dropout is still on, or something is drawn in forward.",
            "F.dropout needs training=self.training; nn.Dropout as a sub-module knows the mode by itself.",
        )
    if torch.equal(first, trained):
        raise Failed(
            "In train mode nothing is dropped.", "Pass the sum through dropout and return its result."
        )
    clear = first.abs() > 1e-3
    if float(clear.double().mean()) < 0.5:
        raise Failed(
            "The output in eval mode is mostly zeros: what is dropped cannot be seen.",
            "Get the sum of input and encoding right first.",
        )
    ratios = trained[clear].double() / first[clear].double()
    kept = ratios[ratios != 0]
    dropped, scale = int((ratios == 0).sum()), float(kept.median()) if kept.numel() else 0.0
    zeros = dropped / ratios.numel()
    check.expected = "each element of the sum is 0, or itself times 1 / (1 - p)"
    check.obtained = f"{zeros:.1%} of the elements are 0; the others are multiplied by {scale:.4f}"
    if kept.numel() == 0 or float((kept - scale).abs().max()) > 1e-3:
        raise Failed(
            "Dropout acts, but not on the sum of input and encoding.",
            "Add first, then drop: dropout(x + encoding).",
        )
    p = 1 - 1 / scale if scale > 1 else 0.0
    if p <= 0 or not by_chance(dropped, ratios.numel(), p):
        raise Failed(
            f"{zeros:.1%} of the elements are dropped, yet the others are scaled as if it were {p:.1%}.",
            "Use nn.Dropout or F.dropout, which do both.",
        )
    if asked_for is not None and abs(p - asked_for) > 0.005:
        raise Partial(
            f"dropout={asked_for} was asked for, and elements are dropped with a probability of {p:.3g}.",
            "Pass the argument of the constructor on, and drop once.",
            fraction=Fraction(1, 2),
        )
    if asked_for is None and abs(p - 0.1) > 0.005:
        check.note(f"The default of the coursework is dropout=0.1; yours is {p:.3f}.")


@pytest.mark.check("2d.input")
def test_input_and_batch(check: Running, student: Student, shared: dict[str, Any]) -> None:
    x, calls = input_calls(check.seed)
    check.asked = "the input compared before and after the call, and the encoding of each batch item"
    with asking(check, student, shared) as inquiry:
        judge_input(check, inquiry, x, calls)


@once_a_seed
def input_calls(seed: int) -> tuple[Tensor, tuple[Call, Call]]:
    """An input, and what is asked of a module for it."""
    generator = draw(seed)
    x, cotangent = normal(generator, 3, 9, 12), normal(generator, 3, 9, 12)
    return x, (
        Call("harness:forward_and_inputs", (Ref("encoding"), [x]), seed=seed),
        Call("harness:gradients", (Ref("encoding"), [x], cotangent)),
    )


def judge_input(check: Running, inquiry: EncodingInquiry, x: Tensor, calls: Sequence[Call]) -> None:
    """Fail where the input is changed, where its items are treated differently, or where it gets no gradient."""
    result, gradients = inquiry.call(12, *calls)
    output, inputs = fields(result, "output and inputs", "output", "inputs")
    refuse(output, (3, 9, 12))
    inquiry.keep(x, Mode(seed=check.seed), output)
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], Tensor):
        raise tampered("the input after the call")
    if not torch.equal(inputs[0], x):
        alike = inputs[0].shape == output.shape and torch.equal(inputs[0], output)
        evidence = "the input holds the output after the call, to the last digit"
        raise Failed(
            "forward changes its input in place.",
            "x += … changes the caller's tensor; x = x + … makes a new one.",
        ).because(seen("pe-in-place", evidence) if alike else None)
    encoding = output - x
    if float(encoding.abs().max()) < 1e-3:
        raise Failed("Nothing is added to the input.", "The output is the input plus the encoding.")
    tolerance = check.declaration.tolerance
    assert tolerance is not None
    found = difference(encoding, encoding[:1].expand_as(encoding), tolerance)
    check.largest_difference = found.largest
    if not found.agrees:
        raise Failed(
            f"What is added to the input differs between the items of one batch, by up to {found.largest:.3g}.",
            "Slice the table by the sequence length, x.size(1), and add it to x as it is: it broadcasts.",
        )
    attached, _, reached = fields(gradients, "gradients", "attached", "gradients", "inputs")
    if not isinstance(reached, list) or len(reached) != 1:
        raise tampered("gradients")
    if not isinstance(reached[0], Tensor) or problem_with(reached[0], (3, 9, 12)):
        raise Failed(
            "No gradient gets through to the input: the layers before this one cannot learn.",
            "Take out .data, .detach() and torch.no_grad() from forward.",
            diagnosis=None if attached else seen("pe-detached", "the output has no history of operations"),
        )


BUFFER_CALLS = (
    Call("harness:tensors_left_behind", (Ref("encoding"), [torch.zeros(1, 4, 8)])),
    Call("harness:gradients", (Ref("encoding"), [torch.ones(1, 4, 8)], torch.ones(1, 4, 8))),
)


@pytest.mark.check("2d.buffer")
def test_buffer(check: Running, student: Student) -> None:
    check.asked = "PositionalEncoding(8) moved to another device, and called there"
    left, result = EncodingInquiry(check, student).call(8, *BUFFER_CALLS)
    _, trained, _ = fields(result, "gradients", "attached", "gradients", "inputs")
    if not isinstance(trained, dict):
        raise tampered("gradients")
    if texts(left, "the tensors that stay behind"):
        check.obtained = f"stays on the CPU: {', '.join(left)[:300]}"
        raise Failed(
            f"The table is a plain attribute ({left[0]}): it stays on the CPU when the module moves to a GPU.",
            diagnosis=seen(
                "pe-plain-attribute", "moved to another device, the module still holds it on the CPU"
            ),
        )
    learned = sorted(name for name, gradient in trained.items() if gradient is not None)
    if learned:
        check.obtained = f"training changes it: {', '.join(learned)[:300]}"
        raise Failed(
            f"The table is a parameter ({learned[0]}): an optimizer changes it, and the encoding is fixed.",
            diagnosis=seen("pe-trainable", "it has a gradient after backward, as what is trained has"),
        )
