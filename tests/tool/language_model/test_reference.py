"""The reference against torch, against the paper's example, and against what holds by definition."""

from __future__ import annotations

import math
import random

import pytest
import torch
from torch.nn import functional as F

from reference.language_model import attention, layers, optimisation, sampling, tokenizer
from reference.language_model.judging import normal
from reference.language_model.weights import layer_weights

PAPER = ["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3
"""The dictionary of Sennrich, Haddow and Birch 2016, section 3.2."""


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(4)


def test_the_papers_words_give_the_papers_merges() -> None:
    """The paper merges es, est and lo first; which of the equally frequent pairs comes first it leaves open."""
    text = ".".join(PAPER)
    merges = tokenizer.train(text, 4)
    assert [tokenizer.spelled(256 + k, merges) for k in range(4)] == [b"es", b"est", b"est.", b"lo"]


def test_a_text_comes_back_from_its_ids() -> None:
    draw = random.Random(1)
    text = " ".join("".join(draw.choices("abcé ", k=6)) for _ in range(40))
    merges = tokenizer.train(text, 20)
    ids = tokenizer.encoded(text, merges)
    assert len(ids) < len(text.encode())
    assert tokenizer.decoded(ids, merges) == text
    assert "".join(tokenizer.words(text)) == text


def test_other_merges_of_equal_counts_may_be_learned_and_no_others() -> None:
    text = "ab.cd.ab.cd"
    (first,) = tokenizer.train(text, 1)
    assert bytes(first) == b".c"  # ".c", "ab", "b." and "cd" occur twice
    for pair in (b".c", b"ab", b"b.", b"cd"):
        assert tokenizer.may_be_learned(text, 1, [(pair[0], pair[1])])
    assert not tokenizer.may_be_learned(text, 1, [(ord("d"), ord("."))])
    assert not tokenizer.may_be_learned(text, 1, [])
    assert not tokenizer.may_be_learned("ab", 1, [(ord("a"), ord("b"))])
    assert tokenizer.may_be_learned("ab", 1, [])


def test_layers_are_torchs(generator: torch.Generator) -> None:
    x, gain = normal(generator, 3, 8).double(), normal(generator, 8).double()
    assert torch.allclose(layers.rms_norm(x, gain, 1e-5), F.rms_norm(x, (8,), gain, 1e-5))
    gate, up, down = (normal(generator, *shape).double() for shape in ((6, 8), (6, 8), (8, 6)))
    due = F.linear(F.silu(F.linear(x, gate)) * F.linear(x, up), down)
    assert torch.allclose(layers.swiglu(x, gate, up, down), due)


def test_rope_turns_the_first_pair_by_its_position() -> None:
    x = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    turned = layers.rope(x, torch.tensor([3]), base=100.0)[0]
    slow = 3 * 100 ** (-2 / 4)
    due = torch.tensor([math.cos(3), math.sin(3), math.cos(slow), math.sin(slow)])
    assert torch.allclose(turned.float(), due)


def test_attention_is_torchs_and_pieces_make_no_difference(generator: torch.Generator) -> None:
    q, k, v = (normal(generator, 2, 2, 5, 4).double() for _ in range(3))
    due = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert torch.allclose(attention.causal_attention(q, k, v), due)
    assert torch.allclose(attention.causal_attention(q[:, :, 3:], k, v), due[:, :, 3:])
    x, weights = normal(generator, 2, 5, 8), layer_weights(generator, 8)
    whole = attention.attention_layer(x, weights, 2, [5])
    assert torch.allclose(attention.attention_layer(x, weights, 2, [2, 1, 2]), whole)


def test_adamw_and_clipping_are_torchs(generator: torch.Generator) -> None:
    start = [normal(generator, 3, 2).double(), normal(generator, 4).double()]
    gradients = [[normal(generator, 3, 2).double(), normal(generator, 4).double()] for _ in range(4)]
    ours = [p.clone().requires_grad_() for p in start]
    torchs = torch.optim.AdamW(ours, lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.3)
    for of_step in gradients:
        for p, g in zip(ours, of_step, strict=True):
            p.grad = g.clone()
        torchs.step()
    found = optimisation.adamw(start, gradients, [0.1] * 4, (0.8, 0.9), 1e-3, 0.3)[-1]
    assert all(torch.allclose(a, b) for a, b in zip(found, ours, strict=True))
    torch.nn.utils.clip_grad_norm_(ours, 1.5)
    clipped = optimisation.clipped(gradients[-1], 1.5)
    for p, g in zip(ours, clipped, strict=True):
        assert p.grad is not None
        assert torch.allclose(p.grad, g, atol=1e-5)


def test_the_schedule_is_torchs_cosine_behind_a_ramp() -> None:
    rates = [optimisation.learning_rate(step, 3.0, 0.5, 4, 12) for step in range(14)]
    assert rates[:5] == [0.75, 1.5, 2.25, 3.0, 3.0]
    assert rates[12:] == [0.5, 0.5]
    parameter = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.SGD([parameter], lr=3.0)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=8, eta_min=0.5)
    for rate in rates[4:12]:
        assert rate == pytest.approx(cosine.get_last_lr()[0])
        optimiser.step()
        cosine.step()


def test_top_p_keeps_the_smallest_set_that_reaches_p() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
    kept = [
        int((sampling.next_token_probabilities(logits, top_p=p) > 0).sum())
        for p in (0.01, 0.5, 0.51, 0.9, 1.0)
    ]
    assert kept == [1, 1, 2, 3, 4]
    both = sampling.next_token_probabilities(logits, temperature=2.0, top_k=3, top_p=0.6)
    root = torch.tensor([0.5, 0.3, 0.15]).sqrt()
    due = root[:2] / root[:2].sum()
    assert torch.allclose(both[0, :2].float(), due)


def test_draws_are_distributed_as_the_probabilities_say() -> None:
    row = torch.tensor([0.125, 0.0, 0.5, 0.375])
    u = (torch.arange(800) + 0.5) / 800
    tokens = sampling.draw(row.expand(800, 4), u)
    assert torch.bincount(tokens, minlength=4).tolist() == [100, 0, 400, 300]


def test_perplexity_is_that_of_cross_entropy(generator: torch.Generator) -> None:
    logits, ids = normal(generator, 2, 5, 7), torch.randint(1, 7, (2, 5), generator=generator)
    ids[1, 3:] = 0
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten(), ignore_index=0)
    assert sampling.perplexity(logits, ids, 0) == pytest.approx(float(loss.exp()))
    assert sampling.perplexity(torch.zeros(1, 9, 7), ids[:1].repeat(1, 2)[:, :9]) == pytest.approx(7)
