"""Part 3: causal attention, the layer with its cache, and the whole model.

The layer and the model are judged on top of the student's own functions that they call, where those are wrong: what
follows from them is not punished again.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from grader.checking.evidence import Running
from grader.checking.student import Student
from grader.worker.calls import Call
from reference.language_model import attention
from reference.language_model.carried import IN_LAYER, IN_MODEL, agree_on_top, own_layer, own_model
from reference.language_model.inquiry import asking
from reference.language_model.judging import agree, drawn, items, normal, together, whole
from reference.language_model.weights import layer_weights, model_weights

_MASK = "Print the mask for S = 2 and T = 5: which keys may the first of the two queries see?"
_LAYER = "Compare one head by hand: q, k and v of shape (B, H, S, D), turned, attended, and joined again."
_CACHE = "Print the shapes and positions of the keys in each call: which tokens are in the cache?"
_MODEL = "Try one block first, and then the order of norm, layer and sum in each half of it."


@pytest.mark.check("3a.attend")
def test_attend(check: Running, student: Student) -> None:
    generator = drawn(check)
    q, k, v = (normal(generator, 2, 3, 5, 6) for _ in range(3))
    check.asked = "causal_attention(q, k, v), each of shape (2, 3, 5, 6)"
    with asking(check, student) as inquiry:
        (result,) = inquiry.ask(Call("student:causal_attention", (q, k, v)))
        agree(check, result, attention.causal_attention(q, k, v), "The output", _MASK)


@pytest.mark.check("3a.offset")
def test_offset(check: Running, student: Student) -> None:
    """Fewer queries than keys, one query at the least."""
    generator = drawn(check)
    k, v = normal(generator, 2, 3, 7, 6), normal(generator, 2, 3, 7, 6)
    queries = [normal(generator, 2, 3, S, 6) for S in (3, 1)]
    with asking(check, student) as inquiry:
        results = inquiry.ask(*(Call("student:causal_attention", (q, k, v)) for q in queries))
        for q, result in zip(queries, results, strict=True):
            check.asked = f"causal_attention with S = {q.size(2)} queries and T = 7 keys"
            agree(check, result, attention.causal_attention(q, k, v), "The output", _MASK)


@pytest.mark.check("3a.large")
def test_large(check: Running, student: Student) -> None:
    """Scores in the hundreds: exp of them is infinite, and a removed score must be far below."""
    generator = drawn(check)
    q, k, v = (
        normal(generator, 1, 2, 6, 4) * 30,
        normal(generator, 1, 2, 6, 4) * 30,
        normal(generator, 1, 2, 6, 4),
    )
    check.asked = "causal_attention with scores in the hundreds and below"
    with asking(check, student) as inquiry:
        (result,) = inquiry.ask(Call("student:causal_attention", (q, k, v)))
        inquiry.probe(Call("student:causal_attention", (q / 30, k / 30, v)))  # where other mistakes differ
        agree(
            check,
            result,
            attention.causal_attention(q, k, v),
            "The output",
            "What is the exponential of 1000?",
        )


@pytest.mark.check("3b.layer")
def test_layer(check: Running, student: Student) -> None:
    generator = drawn(check)
    x, weights = normal(generator, 2, 5, 24), layer_weights(generator, 24)
    check.asked = "attention_layer(x, weights, 4) with x of shape (2, 5, 24), no cache"
    judge_layer(check, student, x, weights, [5], _LAYER)


@pytest.mark.check("3b.steps")
def test_steps(check: Running, student: Student) -> None:
    """A prompt, then single tokens, then a few at once."""
    generator = drawn(check)
    x, weights = normal(generator, 2, 9, 24), layer_weights(generator, 24)
    lengths = [whole(generator, 2, 4), 1, 1]
    lengths.append(9 - sum(lengths))
    check.asked = (
        f"attention_layer on {', '.join(map(str, lengths))} tokens in turn, each with the last cache"
    )
    judge_layer(check, student, x, weights, lengths, _CACHE)


def judge_layer(
    check: Running, student: Student, x: Tensor, weights: dict[str, Tensor], lengths: list[int], hint: str
) -> None:
    """Fail unless the pieces together give what all tokens at once give."""
    given = x, weights, 4, lengths
    with asking(check, student, on=IN_LAYER) as inquiry:
        (pieces,) = inquiry.ask(Call("harness:layer_in_pieces", given))
        agree_on_top(
            check,
            together(pieces, lengths),
            attention.attention_layer(*given),
            lambda: attention.attention_layer(*given, own_layer(inquiry, lengths)),
            IN_LAYER,
            "The output",
            hint,
        )


@pytest.mark.check("3b.reuse")
def test_reuse(check: Running, student: Student) -> None:
    generator = drawn(check)
    weights = layer_weights(generator, 24)
    start, one, other = (normal(generator, 1, S, 24) for S in (4, 2, 2))
    check.asked = (
        "attention_layer on 4 tokens, then from that cache on two others, three times: one, other, one"
    )
    with asking(check, student, on=IN_LAYER) as inquiry:
        (outputs,) = inquiry.ask(Call("harness:layer_continued_twice", (start, one, other, weights, 4)))
        for piece, output in zip((one, other, one), items(outputs, 3, "the outputs"), strict=True):
            given = torch.cat([start, piece], dim=1), weights, 4, [4, 2]

            def on_own(given: Any = given) -> Tensor:
                return attention.attention_layer(*given, own_layer(inquiry, [4, 2]))[:, 4:]

            due = attention.attention_layer(*given)[:, 4:]
            hint = "What has become of the first cache after it was passed in once?"
            agree_on_top(check, output, due, on_own, IN_LAYER, "The output from a cache used before", hint)


@pytest.mark.check("3c.logits")
def test_logits(check: Running, student: Student) -> None:
    generator = drawn(check)
    ids, weights = torch.randint(11, (2, 5), generator=generator), model_weights(generator)
    check.asked = (
        "language_model(ids, weights, 2) with two blocks, E = 8, F = 12, V = 11, ids of shape (2, 5)"
    )
    judge_model(check, student, ids, weights, [5], _MODEL)


@pytest.mark.check("3c.steps")
def test_model_steps(check: Running, student: Student) -> None:
    generator = drawn(check)
    ids, weights = torch.randint(11, (2, 7), generator=generator), model_weights(generator)
    check.asked = "language_model on 3, 1 and 3 tokens in turn, each call with the last one's caches"
    judge_model(check, student, ids, weights, [3, 1, 3], _CACHE)


def judge_model(
    check: Running, student: Student, ids: Tensor, weights: dict[str, Any], lengths: list[int], hint: str
) -> None:
    """Fail unless the logits of the pieces are those of all tokens at once."""
    given = ids, weights, 2, lengths
    with asking(check, student, on=IN_MODEL) as inquiry:
        (pieces,) = inquiry.ask(Call("harness:logits_in_pieces", given))
        agree_on_top(
            check,
            together(pieces, lengths),
            attention.language_model(*given),
            lambda: attention.language_model(*given, own_model(inquiry, lengths)),
            ("rms_norm", "swiglu", "attention_layer"),
            "A logit",
            hint,
        )
