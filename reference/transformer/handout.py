"""Part 2: the handout's four experiments, each for any module, and its numbers.

The experiments take a `make` function in place of a class, so that the reference and any other
implementation can be put in: `make(embed_dim, num_heads)` and `make(embed_dim)`. They seed torch as the
handout does and leave the generator as they found it.

Those of 2c and 2d run in train mode, with the dropout of an Intel CPU: see `dropout_stream` and `published`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from itertools import permutations
from typing import TypeAlias

import torch
from torch import Tensor, nn

from reference.transformer.attention import (
    Attended,
    AttentionWeights,
    MultiHeadAttention,
    attention,
    causal_mask,
)
from reference.transformer.dropout_stream import DropoutStream, StreamDropout, StreamName
from reference.transformer.positional_encoding import PositionalEncoding
from reference.transformer.published import (
    LIMIT,
    PUBLISHED,
    PUBLISHED_ENCODING,
    Errors,
    Handout,
    errors,
    relative_error,
)
from reference.transformer.quantity import Number, Quantity, Slip, evaluate, table

__all__ = [
    "LIMIT", "PUBLISHED", "PUBLISHED_ENCODING", "QUANTITIES", "Errors", "Handout", "attention_outputs",
    "encoding_output", "errors", "masked_norm", "masked_norms", "norm", "reference_errors", "relative_error",
    "seeded", "self_attention", "value",
]  # fmt: skip

MakeAttention: TypeAlias = Callable[[int, int], nn.Module]
"""(embed_dim, num_heads) -> a module called with (query, key, value, attn_mask=None)."""
MakeEncoding: TypeAlias = Callable[[int], nn.Module]
"""(embed_dim) -> a module called with (x)."""

PROJECTION_SEED = 123
"""Of 2a and 2b."""
ARRAY_SEED = 231
"""Of 2c and 2d."""
EMBED_DIM, NUM_HEADS, LENGTH = 8, 2, 3


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """torch's generator starts from `seed` inside, and goes on outside as if nothing had been drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed also queues a call for each absent GPU
        yield


def _draws(stream: StreamName | None) -> AbstractContextManager[object]:
    """Dropout from the stream named; from the module's own dropout, on this machine's CPU, where it is
    None."""
    return nullcontext() if stream is None else DropoutStream(stream)


# ---------------------------------------------------------------- 2a and 2b: projections and weights

Order: TypeAlias = tuple[str, ...]

QUERY_FIRST: Order = ("query", "key", "value", "proj")
"""Order of creation that the handout's numbers of 2a and 2b come from."""
KEY_FIRST: Order = ("key", "query", "value", "proj")
"""Order of creation in the module, and so in the masked case of 2b."""


def self_attention(order: Order = QUERY_FIRST, mask: Tensor | None = None) -> Attended:
    """2a and 2b: seed 123, then data (1, 3, 8), then the four layers in the order given; self-attention, 2
    heads."""
    with seeded(PROJECTION_SEED), torch.no_grad():
        data = torch.randn(1, LENGTH, EMBED_DIM)  # (N, S, E)
        layers = {name: nn.Linear(EMBED_DIM, EMBED_DIM) for name in order}
        return attention(data, data, data, AttentionWeights.of_layers(**layers), NUM_HEADS, mask)


@cache
def projections(order: Order = QUERY_FIRST) -> Attended:
    """The same without a mask, computed once. Read only."""
    return self_attention(order)


def norm(x: Tensor) -> float:
    """The L2 norm over all elements."""
    return float(torch.linalg.vector_norm(x.detach()))


def masked_norm(make: MakeAttention) -> float:
    """2b, masked: seed 123, data (1, 3, 8), then the module, in eval mode, with a causal mask; norm of the
    output.

    The mask behind the handout's own number is not published, so this case is defined here.
    """
    with seeded(PROJECTION_SEED), torch.no_grad():
        data = torch.randn(1, LENGTH, EMBED_DIM)
        module = make(EMBED_DIM, NUM_HEADS).eval()
        return norm(module(data, data, data, causal_mask(LENGTH)))


@cache
def masked_norms() -> dict[Order, float]:
    """2b, masked, for each of the 24 orders in which the four layers can be made: all of them are right."""
    return {
        order: norm(self_attention(order, causal_mask(LENGTH)).output) for order in permutations(KEY_FIRST)
    }


# ---------------------------------------------------------------- 2c and 2d: against the arrays


def attention_outputs(
    make: MakeAttention,
    stream: StreamName | None = "intel",
    *,
    training: bool = True,
    dtype: torch.dtype = torch.float32,
    seed: int = ARRAY_SEED,
) -> Handout:
    """2c: the seed, the module, then self, masked and cross attention, each (1, 3, 8), in the handout's order.

    The order of the draws is part of the experiment: dropout of one call moves the data of the next. Draws are
    made in float32 and everything else is computed in `dtype`.
    """
    with seeded(seed), _draws(stream), torch.no_grad():
        module = make(EMBED_DIM, NUM_HEADS).train(training).to(dtype)
        data = torch.randn(1, LENGTH, EMBED_DIM).to(dtype)
        own = module(data, data, data)
        mask = torch.randn(LENGTH, LENGTH) < 0.5
        masked = module(data, data, data, mask)
        other = torch.randn(1, LENGTH, EMBED_DIM).to(dtype)
        return Handout(own, masked, module(data, other, other))


def encoding_output(
    make: MakeEncoding,
    stream: StreamName | None = "intel",
    *,
    training: bool = True,
    dtype: torch.dtype = torch.float32,
    seed: int = ARRAY_SEED,
) -> Tensor:
    """2d: the seed, data (1, 2, 6), the module; its output, (1, 2, 6)."""
    with seeded(seed), _draws(stream), torch.no_grad():
        data = torch.randn(1, 2, 6).to(dtype)
        output: Tensor = make(6).train(training).to(dtype)(data)
        return output


@cache
def reference_errors(
    stream: StreamName = "intel", *, training: bool = True, dtype: torch.dtype = torch.float32
) -> Errors:
    """The reference's four errors; `training=False` turns dropout off.

    From "intel" in float32, on a CPU with AVX2, three of the four equal the published ones to every digit.
    Elsewhere, and for the fourth, float32 rounding moves them in the third digit.
    """

    def attention_module(embed_dim: int, num_heads: int) -> nn.Module:
        module = MultiHeadAttention(embed_dim, num_heads)
        module.attn_drop = StreamDropout(module.attn_drop.p, stream)
        return module

    def encoding_module(embed_dim: int) -> nn.Module:
        module = PositionalEncoding(embed_dim)
        module.dropout = StreamDropout(module.dropout.p, stream)
        return module

    return errors(
        attention_outputs(attention_module, None, training=training, dtype=dtype),
        encoding_output(encoding_module, None, training=training, dtype=dtype),
    )


# ---------------------------------------------------------------- as quantities


_PER_ELEMENT = Slip(
    "per_element",
    "right code in train mode on an AMD or ARM CPU, which drops other elements",
    "Your code is not at fault: the handout's arrays hold the dropout of an Intel CPU.",
    lambda: reference_errors("per_element").self,
    keeps_marks=True,
)


def _eval_mode(pick: Callable[[Errors], float]) -> Slip:
    return Slip(
        "eval_mode",
        "right code in eval mode; the arrays were computed in train mode",
        "Was dropout on when the handout's arrays were computed?",
        lambda: pick(reference_errors(training=False)),
        keeps_marks=True,
    )


_SATURATED = Slip(
    "saturated",
    "an error of 1: an element has the other sign or is 0, through a mistake or another CPU's dropout",
    "Compare the two arrays element by element: where do they differ?",
    lambda: (
        1.0
    ),  # right code prints it too, in eval mode or on AMD and ARM, so the number alone shows nothing
)

QUANTITIES: dict[str, Quantity] = table(
    Quantity(
        "2a.norm",
        "L2 norm of the projected query, split into heads",
        "",
        "‖x W_Qᵀ + b_Q‖, seed 123, x (1, 3, 8)",
        lambda: norm(projections().query_heads),
        slips=(
            Slip(
                "key_first",
                "the key layer made before the query layer",
                "In which order does your code take its random numbers?",
                lambda: norm(projections(KEY_FIRST).query_heads),
            ),
        ),
    ),
    Quantity(
        "2b.norm",
        "L2 norm of the attention weights",
        "",
        "‖softmax(Q Kᵀ / √4)‖",
        lambda: norm(projections().weights),
        slips=(
            Slip(
                "not_scaled",
                "softmax of the scores without the scale",
                "What does the formula divide Q Kᵀ by?",
                lambda: norm((projections().scores * (EMBED_DIM / NUM_HEADS) ** 0.5).softmax(-1)),
            ),
            Slip(
                "scaled_by_d",
                "scores divided by D, not by its root",
                "What exactly does the formula divide Q Kᵀ by?",
                lambda: norm((projections().scores / (EMBED_DIM / NUM_HEADS) ** 0.5).softmax(-1)),
            ),
            Slip(
                "scores",
                "the scores before the softmax",
                "What do the weights of one query add up to?",
                lambda: norm(projections().scores),
            ),
        ),
    ),
    Quantity(
        "2b.masked_norm",
        "L2 norm of the causally masked self-attention output",
        "",
        "‖attn(x, x, x, mask)‖, eval mode, seed 123",
        lambda: masked_norm(MultiHeadAttention),
    ),
    Quantity(
        "2c.self",
        "relative error of self-attention",
        "",
        "max |x - y| / max(1e-8, |x| + |y|)",
        lambda: reference_errors().self,
        slips=(_PER_ELEMENT, _eval_mode(lambda e: e.self), _SATURATED),
    ),
    Quantity(
        "2c.masked",
        "relative error of masked self-attention",
        "",
        "max |x - y| / max(1e-8, |x| + |y|)",
        lambda: reference_errors().masked,
        slips=(_eval_mode(lambda e: e.masked), _SATURATED),
    ),
    Quantity(
        "2c.cross",
        "relative error of cross attention",
        "",
        "max |x - y| / max(1e-8, |x| + |y|)",
        lambda: reference_errors().cross,
        slips=(_SATURATED,),
    ),
    Quantity(
        "2d.error",
        "relative error of the positional encoding",
        "",
        "max |x - y| / max(1e-8, |x| + |y|)",
        lambda: reference_errors().encoding,
        slips=(_SATURATED,),
    ),
)
"""Every number of part 2, computed when it is asked for."""


def value(id: str) -> Number:
    """The value of a quantity of part 2."""
    return evaluate(QUANTITIES, id)
