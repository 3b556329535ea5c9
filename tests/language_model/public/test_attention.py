"""Part 3: causality, and that the cache makes no difference. No output is known here."""

import pytest
import torch

from grader.checking.compare import problem_with
from grader.checking.outcomes import Failed


def finite(output, shape):
    wrong = problem_with(output, shape)
    if wrong:
        raise Failed(wrong, "What comes out is finite and has the shape that the docstring says.")
    return output


def far(one, other):
    return float((one - other).abs().max()) > 1e-3


@pytest.mark.check("3a.attend")
def test_causal(student):
    """Later keys have no influence and earlier ones have; equal scores share the weight"""
    q, k, v = torch.randn(3, 1, 2, 5, 4)
    out = finite(student.causal_attention(q, k, v), (1, 2, 5, 4))
    other_k, other_v = k.clone(), v.clone()
    other_k[:, :, 3], other_v[:, :, 3] = 5.0, 500.0
    changed = student.causal_attention(q, other_k, other_v)
    moved = student.causal_attention(q, k, other_v)
    if far(changed[:, :, :3], out[:, :, :3]):
        raise Failed(
            "Token 3 has an influence on the tokens before it.", "Print the weights of the first query."
        )
    if not far(moved[:, :, 3:], out[:, :, 3:]):
        raise Failed(
            "Token 3 has no influence on itself and on the tokens behind it.", "Does a query see its own key?"
        )
    shared = student.causal_attention(torch.zeros_like(q), k, v)
    if far(shared[:, :, 2], v[:, :, :3].mean(2)):
        raise Failed(
            "With scores of zero the third token is not the mean of three values.", "Do weights sum to 1?"
        )


@pytest.mark.check("3a.offset")
def test_offset(student):
    """The last queries alone get what they get among all"""
    q, k, v = torch.randn(3, 2, 2, 6, 4)
    out = student.causal_attention(q, k, v)
    for S in (1, 2, 4):
        if far(finite(student.causal_attention(q[:, :, -S:], k, v), (2, 2, S, 4)), out[:, :, -S:]):
            raise Failed(
                f"{S} queries of 6 tokens get something else alone.", "At which key does their mask begin?"
            )


def weights_of(E):
    return {name: torch.randn(E, E) / E**0.5 for name in ("q", "k", "v", "o")}


@pytest.mark.check("3b.steps")
def test_cache(student):
    """With its cache, the layer gives the same in pieces as at once"""
    x, weights = torch.randn(2, 6, 8), weights_of(8)
    whole, _ = student.attention_layer(x, weights, 2)
    finite(whole, (2, 6, 8))
    cache, pieces = None, []
    for piece in x.split([3, 1, 2], dim=1):
        y, cache = student.attention_layer(piece, weights, 2, cache)
        pieces.append(y)
    if far(torch.cat(pieces, dim=1), whole):
        raise Failed(
            "In pieces of 3, 1 and 2 tokens the output is another.", "Which position has the fourth token?"
        )


@pytest.mark.check("3c.logits")
def test_model(student):
    """The logits of a sequence do not hang on the others of the batch, nor on the tokens behind"""
    E, F, V = 8, 10, 7
    block = weights_of(E) | {"norm1": torch.ones(E), "norm2": torch.ones(E)}
    block |= {"gate": torch.randn(F, E) / 3, "up": torch.randn(F, E) / 3, "down": torch.randn(E, F) / 3}
    weights = {"embedding": torch.randn(V, E), "blocks": [block, block], "norm": torch.ones(E)}
    weights["head"] = torch.randn(V, E)
    ids = torch.randint(V, (3, 5))
    logits, _ = student.language_model(ids, weights, 2)
    finite(logits, (3, 5, V))
    for part, given in ((logits[1:2], ids[1:2]), (logits[:, :3], ids[:, :3])):
        if far(student.language_model(given, weights, 2)[0], part):
            raise Failed(
                "A sequence or its beginning alone has other logits.", "Which axis does each layer work on?"
            )
