"""An error carried forward: what is built on a student's own wrong function is judged on top of that function.

The attention layer calls rope and causal attention, the model the layers, `generate` what a token is chosen with. Where
their result is wrong, the judge computes it once more with the student's own functions in place of the reference's; a
result that agrees then is right, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from grader.checking.compare import problem_with
from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, StudentFault
from grader.worker.calls import Call
from reference.language_model.attention import LayerOf, ModelOf, Weights
from reference.language_model.inquiry import Inquiry
from reference.language_model.judging import off, together
from reference.language_model.sampling import Steps

NOTE = "It follows from your own {}, judged elsewhere: that error is carried forward and costs nothing here."
IN_LAYER = ("rope", "causal_attention")
"""Functions that a hand-in's attention_layer calls."""
IN_MODEL = ("rms_norm", "swiglu", *IN_LAYER)
"""Functions that a hand-in's language_model calls, by itself or in its attention_layer."""
IN_GENERATE = ("next_token_probabilities", "draw")
"""Functions that a hand-in's generate calls."""


class Unusable(Exception):
    """A student's own function gives nothing that can be built upon."""


def own_layer(inquiry: Inquiry, lengths: Sequence[int]) -> LayerOf:
    """What the student's attention layer is built from, asked as it is in a hand-in: in float32, piece by piece."""

    def rope(x: Tensor, positions: Tensor) -> Tensor:
        at = [piece[:, 0] for piece in _cut(positions[:, None], lengths)]
        pieces = zip(_cut(x, lengths), at, strict=True)
        return torch.cat([_own(inquiry, "rope", *piece) for piece in pieces], dim=-2)

    return LayerOf(rope, lambda q, k, v: _own(inquiry, "causal_attention", q, k.float(), v.float()))


def own_model(inquiry: Inquiry, lengths: Sequence[int]) -> ModelOf:
    """What the student's model is built from, asked in the same way."""

    def rms_norm(x: Tensor, gain: Tensor) -> Tensor:
        return torch.cat([_own(inquiry, "rms_norm", x, gain) for x in _cut(x, lengths)], dim=-2)

    def swiglu(x: Tensor, *weights: Tensor) -> Tensor:
        return torch.cat([_own(inquiry, "swiglu", x, *weights) for x in _cut(x, lengths)], dim=-2)

    def layer(x: Tensor, weights: Weights, num_heads: int, lengths: Sequence[int]) -> Tensor:
        given = x.float(), {name: weights[name] for name in ("q", "k", "v", "o")}, num_heads, list(lengths)
        pieces = inquiry.aside(Call("harness:layer_in_pieces", given))
        return _usable(together(pieces, lengths), x.shape)

    return ModelOf(rms_norm, swiglu, layer)


def _cut(x: Tensor, lengths: Sequence[int]) -> list[Tensor]:
    """x (…, S, D) in pieces along S."""
    return [x[..., start:end, :] for start, end in pairwise(accumulate(lengths, initial=0))]


def own_steps(inquiry: Inquiry) -> Steps:
    """The student's functions that choose a token."""

    def probabilities(logits: Tensor, **options: Any) -> Tensor:
        result = inquiry.aside(Call("student:next_token_probabilities", (logits,), options))
        return _usable(result, logits.shape)

    def draw(of: Tensor, u: Tensor) -> Tensor:
        token = inquiry.aside(Call("student:draw", (of.float(), u)))
        if not isinstance(token, Tensor) or token.shape != u.shape or token.is_floating_point():
            raise Unusable
        return token.clamp(0, of.size(-1) - 1)

    return Steps(probabilities, draw)


def _own(inquiry: Inquiry, name: str, x: Tensor, *others: Tensor) -> Tensor:
    """The student's function, whose result has the shape of its first argument."""
    return _usable(inquiry.aside(Call(f"student:{name}", (x.float(), *others))), x.shape)


def _usable(result: Any, shape: torch.Size) -> Tensor:
    """Finite numbers of this shape; raises Unusable."""
    if problem_with(result, tuple(shape)):
        raise Unusable
    return torch.as_tensor(result).double()


def agree_on_top(
    check: Running,
    obtained: Any,
    right: Tensor,
    on_own: Callable[[], Tensor],
    names: Sequence[str],
    what: str,
    hint: str,
) -> None:
    """Fail unless `obtained` is right, or what is due on top of the student's own functions `names`."""
    before = check.largest_difference
    worst = off(check, obtained, right, what, hint)
    if worst is None:
        return
    told = check.largest_difference, check.expected, check.obtained, check.where
    try:
        check.largest_difference = before
        follows = off(check, obtained, on_own(), what, hint) is None
    except (Unusable, StudentFault):
        follows = False
    if not follows:
        check.largest_difference, check.expected, check.obtained, check.where = told
        raise Failed(f"{what} is off by up to {worst:.3g}.", hint)
    check.expected = check.obtained = check.where = None
    check.note(NOTE.format(f"{', '.join(names[:-1])} or {names[-1]}"))
