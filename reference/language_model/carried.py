"""An error carried forward: what is built on a student's own wrong function is judged on top of that function.

The attention layer and the model call the layers of part 2, `generate` what a token is chosen with. Where their result
is wrong, the judge computes it once more with the student's own functions in place of the reference's; a result that
agrees then is right, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from grader.checking.compare import problem_with
from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, StudentFault
from grader.worker.calls import Call
from reference.language_model.attention import RIGHT, Layers
from reference.language_model.inquiry import Inquiry
from reference.language_model.judging import off
from reference.language_model.sampling import Steps

NOTE = "It follows from your own {}, which are judged elsewhere: the error is carried forward and costs nothing here."


class Unusable(Exception):
    """A student's own function gives nothing that can be built upon."""


def own_layers(inquiry: Inquiry) -> Layers:
    """The student's functions of part 2, asked on float32 as they are in a hand-in."""
    return Layers(
        rms_norm=lambda x, gain: _own(inquiry, "rms_norm", x.shape, x.float(), gain),
        swiglu=lambda x, *weights: _own(inquiry, "swiglu", x.shape, x.float(), *weights),
        rope=lambda x, positions: _own(inquiry, "rope", x.shape, x.float(), positions),
    )


def own_steps(inquiry: Inquiry) -> Steps:
    """The student's functions that choose a token."""

    def probabilities(logits: Tensor, **options: Any) -> Tensor:
        return _own(inquiry, "next_token_probabilities", logits.shape, logits, options=options)

    def draw(of: Tensor, u: Tensor) -> Tensor:
        token = inquiry.aside(Call("student:draw", (of.float(), u)))
        if not isinstance(token, Tensor) or token.shape != u.shape or token.is_floating_point():
            raise Unusable
        return token.clamp(0, of.size(-1) - 1)

    return Steps(probabilities, draw)


def _own(
    inquiry: Inquiry, name: str, shape: torch.Size, *arguments: Any, options: dict[str, Any] | None = None
) -> Tensor:
    """The student's function, which must give finite numbers of this shape."""
    result = inquiry.aside(Call(f"student:{name}", arguments, options or {}))
    if problem_with(result, tuple(shape)):
        raise Unusable
    return torch.as_tensor(result).double()


def agree_on_top(
    check: Running, obtained: Any, due: Callable[[Layers], Tensor], own: Layers, what: str, hint: str
) -> None:
    """Fail unless `obtained` is what is due of the reference's layers, or of the student's own."""
    before = check.largest_difference
    worst = off(check, obtained, due(RIGHT), what, hint)
    if worst is None:
        return
    told = check.largest_difference, check.expected, check.obtained, check.where
    try:
        check.largest_difference = before
        follows = off(check, obtained, due(own), what, hint) is None
    except (Unusable, StudentFault):
        follows = False
    if not follows:
        check.largest_difference, check.expected, check.obtained, check.where = told
        raise Failed(f"{what} is off by up to {worst:.3g}.", hint)
    check.expected = check.obtained = check.where = None
    check.note(NOTE.format("layers of part 2"))
