"""Part 2: what holds for RMSNorm, SwiGLU and RoPE whatever the numbers are."""

import pytest
import torch

from grader.checking.compare import problem_with
from grader.checking.outcomes import Failed


def finite(output, shape):
    wrong = problem_with(output, shape)
    if wrong:
        raise Failed(wrong, "What comes out is finite and has the shape that the docstring says.")
    return output


def near(one, other, sentence, hint):
    if float((one - other).abs().max()) > 1e-3:
        raise Failed(sentence, hint)


@pytest.mark.check("2a.rmsnorm")
def test_rms_norm(student):
    """With a gain of ones a row has a root mean square of 1, whatever its size; the gain multiplies"""
    x, ones = torch.randn(4, 6) + 1, torch.ones(6)
    out = finite(student.rms_norm(x.clone(), ones), (4, 6))
    near(
        (out**2).mean(1).sqrt(),
        torch.ones(4),
        "The rows are not of size 1.",
        "Divide by the root of what mean?",
    )
    near(
        out,
        student.rms_norm(7 * x, ones),
        "Seven times the input is another output.",
        "Is the size divided out?",
    )
    gain = torch.randn(6)
    near(student.rms_norm(x.clone(), gain), out * gain, "The gain does not multiply.", "Where is gain used?")
    near(out / x, (out / x)[:, :1], "A row is not multiplied by one factor.", "Is anything subtracted?")


@pytest.mark.check("2b.swiglu")
def test_swiglu(student):
    """It is linear in up and in down, and a gate of zeros closes it"""
    x, gate, up, down = torch.randn(3, 5), torch.randn(7, 5), torch.randn(7, 5), torch.randn(5, 7)
    out = finite(student.swiglu(x, gate, up, down), (3, 5))
    for name, again in (
        ("up", student.swiglu(x, gate, 2 * up, down)),
        ("down", student.swiglu(x, gate, up, 2 * down)),
    ):
        near(
            again,
            2 * out,
            f"Twice the weights of {name} is not twice the output.",
            "What acts on gate alone?",
        )
    near(
        student.swiglu(x, 0 * gate, up, down),
        0 * out,
        "A gate of zeros lets something through.",
        "What is silu(0)?",
    )
    finite(student.swiglu(x[0], gate, up, down), (5,))


@pytest.mark.check("2c.rope")
def test_rope(student):
    """Position 0 changes nothing, lengths are kept, neighbours are turned together, and distance is what counts"""
    q, k, at = torch.randn(5, 6), torch.randn(5, 6), torch.arange(5)
    turned = finite(student.rope(q.clone(), at), (5, 6))
    near(turned[0], q[0], "The vector at position 0 is turned.", "Which angle does position 0 have?")
    near(turned.norm(dim=1), q.norm(dim=1), "Lengths change.", "A turn needs a sine with a minus sign, once.")
    first = torch.tensor([[1.0, 0, 0, 0, 0, 0]])
    moved = student.rope(first.clone(), torch.tensor([2]))[0].abs() > 1e-4
    if moved[2:].any() or not moved[1]:
        raise Failed("(1, 0, 0, …) does not turn within features 0 and 1.", "Which features belong together?")
    here = turned @ student.rope(k.clone(), at).T
    there = student.rope(q.clone(), at + 9) @ student.rope(k.clone(), at + 9).T
    near(
        here,
        there,
        "q·k changes when both move on by 9 positions.",
        "Are the positions used that are passed in?",
    )
