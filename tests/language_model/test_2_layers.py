"""Part 2: RMSNorm, SwiGLU and RoPE against the formulas, on inputs drawn for the run."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed
from grader.checking.received import fields
from grader.checking.student import Student
from grader.worker.calls import Call
from reference.language_model import layers
from reference.language_model.inquiry import asking
from reference.language_model.judging import agree, drawn, items, normal, whole

_NORM = "Compute one row by hand: the mean of the squares, eps added, the root, and then the division and the gain."
_SWIGLU = "Which of the two projections goes through silu, and how are the two put together?"
_ROPE = "Take D = 2 and position 1: by which angle is (1, 0) turned, and where does it end up?"


@pytest.mark.check("2a.rmsnorm")
def test_rms_norm(check: Running, student: Student) -> None:
    """Once with an eps that shows."""
    generator = drawn(check)
    x, gain = normal(generator, 3, 5, 12) + 1.5, normal(generator, 12)
    x[0, 0] /= 100  # a row that is not far above eps, so that a missing one shows
    with asking(check, student) as inquiry:
        usual, wide = inquiry.ask(
            Call("student:rms_norm", (x, gain)), Call("student:rms_norm", (x, gain), {"eps": 0.5})
        )
        check.asked = "rms_norm(x, gain), x of shape (3, 5, 12) with a mean of 1.5"
        agree(check, usual, layers.rms_norm(x, gain), "The norm", _NORM)
        check.asked += ", eps=0.5"
        agree(check, wide, layers.rms_norm(x, gain, 0.5), "The norm with eps=0.5", _NORM)


@pytest.mark.check("2a.small")
def test_small(check: Running, student: Student) -> None:
    """Values around the root of eps, and a row of zeros."""
    generator = drawn(check)
    x, gain = normal(generator, 4, 10) * 1e-3, 1 + normal(generator, 10).abs()
    x[2] = 0
    check.asked = "rms_norm(x, gain) with values around 0.001, the root of eps, and a row of zeros"
    with asking(check, student) as inquiry:
        (result,) = inquiry.ask(Call("student:rms_norm", (x, gain)))
        agree(check, result, layers.rms_norm(x, gain), "The norm of small values", _NORM)


@pytest.mark.check("2b.swiglu")
def test_swiglu(check: Running, student: Student) -> None:
    generator = drawn(check)
    gate, up, down = normal(generator, 14, 8) / 2, normal(generator, 14, 8) / 2, normal(generator, 8, 14) / 3
    many, one = normal(generator, 2, 3, 8), normal(generator, 8)
    with asking(check, student) as inquiry:
        results = inquiry.ask(*(Call("student:swiglu", (x, gate, up, down)) for x in (many, one)))
        for x, result in zip((many, one), results, strict=True):
            check.asked = f"swiglu on x of shape {tuple(x.shape)}, E = 8, F = 14"
            agree(check, result, layers.swiglu(x, gate, up, down), "The output", _SWIGLU)


@pytest.mark.check("2c.rope")
def test_rope(check: Running, student: Student) -> None:
    """Positions that do not start at 0, two bases, a head size that tells the axes apart."""
    generator = drawn(check)
    x, start = normal(generator, 2, 3, 5, 8), whole(generator, 1, 15)
    far, near = torch.arange(start, start + 5), torch.arange(5)
    base = float(whole(generator, 50, 500))
    with asking(check, student) as inquiry:
        results = inquiry.ask(
            Call("student:rope", (x, near)),
            Call("student:rope", (x, far)),
            Call("student:rope", (x, far), {"base": base}),
        )
        asked = (near, layers.BASE), (far, layers.BASE), (far, base)
        for (positions, of_base), result in zip(asked, results, strict=True):
            check.asked = f"rope on x of shape (2, 3, 5, 8), positions {positions.tolist()}, base {of_base:g}"
            agree(check, result, layers.rope(x, positions, of_base), "A turned vector", _ROPE)


@pytest.mark.check("2c.relative")
def test_relative(check: Running, student: Student) -> None:
    """What holds whichever features are turned together: the product of a query and a key hangs on their distance
    alone, lengths are kept, and position 0 changes nothing. The reference is not used."""
    generator = drawn(check)
    q, k, shift = normal(generator, 6, 8), normal(generator, 6, 8), whole(generator, 3, 12)
    positions = torch.arange(6)
    check.asked = f"rope on queries and keys at positions 0 to 5, and the same {shift} positions later"
    with asking(check, student) as inquiry:
        here_q, here_k, later_q, later_k = inquiry.ask(
            *(Call("student:rope", (x, at)) for at in (positions, positions + shift) for x in (q, k))
        )
        hint = (
            "Compare q·k at positions (0, 1) with q·k at (5, 6), and the length of a vector before and after."
        )
        for result, x in ((here_q, q), (here_k, k), (later_q, q), (later_k, k)):
            agree(check, _lengths(result, x), x.norm(dim=-1), "The length of a turned vector", hint)
        agree(check, here_q[0], q[0], "The query at position 0", hint)
        here, later = (q.double() @ k.double().T for q, k in ((here_q, here_k), (later_q, later_k)))
        agree(check, later, here, "q·k at other positions", hint)


def _lengths(turned: object, x: Tensor) -> object:
    if not isinstance(turned, Tensor) or turned.shape != x.shape or not turned.is_floating_point():
        return turned
    return turned.norm(dim=-1)


@pytest.mark.check("2d.kept")
def test_kept(check: Running, student: Student) -> None:
    generator = drawn(check)
    x, gain = normal(generator, 3, 8), normal(generator, 8)
    weights = [normal(generator, 10, 8), normal(generator, 10, 8), normal(generator, 8, 10)]
    asked = {"rms_norm": [x, gain], "swiglu": [x, *weights], "rope": [x, torch.arange(3)]}
    with asking(check, student) as inquiry:
        results = inquiry.ask(*(Call("harness:with_inputs", (name, given)) for name, given in asked.items()))
        for (name, given), result in zip(asked.items(), results, strict=True):
            check.asked = f"the arguments of {name}, before and after the call"
            value, after = fields(result, "the arguments after the call", "result", "arguments")
            if value is None:
                raise Failed(f"{name} returned nothing.", "A function gives its result with `return`.")
            for before, now in zip(
                given, items(after, len(given), "the arguments after the call"), strict=True
            ):
                if not isinstance(now, Tensor) or not torch.equal(before, now):
                    raise Failed(
                        f"{name} changes its input in place.",
                        "x *= … and x[…] = … write into the caller's tensor; x = x * … makes a new one.",
                    )
