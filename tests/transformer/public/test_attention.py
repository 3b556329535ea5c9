"""Part 2c: what holds for every right MultiHeadAttention, and what the handout prints."""

import contextlib
import io
import math
from itertools import permutations

import numpy as np
import pytest
import torch
from dropout_stream import DropoutStream
from torch import nn

from grader.checking.compare import problem_with, show_shape
from grader.checking.outcomes import Failed, NeedsReview

ROUNDING = 1e-4
"""Of float32 it is a hundredth; whatever is really different differs by far more than this."""


def built(student, embed_dim=12, num_heads=3, **options):
    """The student's module in eval mode, with weights from a fixed seed."""
    torch.manual_seed(7)
    module = student.MultiHeadAttention(embed_dim, num_heads, **options)
    if isinstance(module, nn.Module):
        return module.eval()
    raise Failed("MultiHeadAttention is no torch.nn.Module.", "Write `class MultiHeadAttention(nn.Module):`.")


def asked(module, *inputs):
    """Its output, which has to be a finite tensor of the query's shape."""
    torch.manual_seed(11)
    with torch.no_grad():
        output = module(*inputs)
    refuse(output, tuple(inputs[0].shape))
    return output


def refuse(output, shape):
    wrong = problem_with(output, shape)
    if wrong:
        raise Failed(
            wrong,
            "Every row of the masks here keeps a key, so no row of scores may be all -inf."
            if isinstance(output, torch.Tensor) and output.shape == shape
            else "Return one tensor, of the shape of the query.",
        )


def gap(one, other):
    return float((one - other).abs().max())


@pytest.mark.check("2c.self")
def test_self(student):
    """Self-attention: the order of the tokens is all that their order decides"""
    module, x = built(student), torch.randn(2, 5, 12)
    output = asked(module, x, x, x)
    order = torch.tensor([3, 0, 4, 1, 2])
    moved = asked(module, x[:, order], x[:, order], x[:, order])
    if gap(moved, output[:, order]) > ROUNDING:
        raise Failed(
            "With the tokens in another order, the outputs are not the same ones in that order.",
            "No token knows where it stands. Print the shape after each view, and the softmax's axis.",
        )
    alone = asked(module, x[1:], x[1:], x[1:])
    if gap(alone, output[1:]) > ROUNDING:
        raise Failed("A sequence comes out differently beside another one.", "Keep N apart from the heads.")


@pytest.mark.check("2c.masked")
def test_masked(student):
    """What the mask removes might as well not be there"""
    # Large numbers make large scores: a removed score has to be lower than any of them.
    module, query, other = built(student), 8 * torch.randn(2, 4, 12), 8 * torch.randn(2, 6, 12)
    kept = torch.tensor([0, 2, 5])
    mask = torch.zeros(4, 6, dtype=torch.bool)
    mask[:, kept] = True
    without = asked(module, query, other[:, kept], other[:, kept])
    for kind, given in (("booleans", mask), ("0/1 floats", mask.float())):
        if gap(asked(module, query, other, other, given), without) > ROUNDING:
            raise Failed(
                f"Keys 1, 3 and 4 are removed by a mask of {kind}, and the output is not that of the other keys alone.",
                "Where the mask is 0 or False, the score becomes -inf before the softmax: `mask == 0` finds both.",
            )


@pytest.mark.check("2c.cross")
def test_cross(student):
    """Cross attention: one row a query, however many keys there are"""
    module, query = built(student, 12, 2), 8 * torch.randn(2, 4, 12)
    for T in (1, 4, 7):
        key, value = 8 * torch.randn(2, T, 12), torch.randn(2, T, 12)
        output = asked(module, query, key, value)
        order = torch.arange(T).flip(0)
        if gap(asked(module, query, key[:, order], value[:, order]), output) > ROUNDING:
            raise Failed(
                f"With {T} keys: in another order of keys, each with its value, the output is another one.",
                "Which value goes with which key? Their order says nothing else.",
            )
        if T > 1 and gap(asked(module, query, key.roll(1, 1), value), output) < ROUNDING / 100:
            raise Failed("Other keys give the same output.", "Are the keys used at all?")


@pytest.mark.check("2c.properties")
def test_properties(student):
    """The attention weights of a query sum to 1, and the output is linear in the value"""
    module, query, key = built(student), torch.randn(2, 4, 12), torch.randn(2, 5, 12)
    first, second = torch.randn(2, 5, 12), torch.randn(2, 5, 12)
    mixed = asked(module, query, key, 2 * first - second)
    if gap(mixed, 2 * asked(module, query, key, first) - asked(module, query, key, second)) > 10 * ROUNDING:
        raise Failed(
            "Twice one value less another does not give twice one output less the other.",
            "What do the weights depend on? The value has no say in them.",
        )
    if gap(asked(module, query, key, first), asked(module, query, key, second)) < ROUNDING / 100:
        raise Failed("Other values give the same output.", "Are the values used at all?")
    same = torch.randn(12).expand(2, 5, 12)
    if gap(asked(module, query, key, same), asked(module, query[:, :1], key[:, :1], same[:, :1])) > ROUNDING:
        raise Failed(
            "Where every key has the same value, the output is another one than for a single such key.",
            "Add up the weights of one query: over which axis does the softmax run?",
        )


@pytest.mark.check("2c.dropout")
def test_dropout(student):
    """Dropout acts in training, on the attention weights, and not in evaluation"""
    try:
        module = built(student, dropout=0.5)
    except TypeError:
        module = built(student)  # with the probability of its own
    x = torch.randn(2, 6, 12)
    with torch.no_grad():
        plain = module(x, x, x)
        if gap(module(x, x, x), plain) > 0:
            raise Failed(
                "Two calls in eval mode, two outputs.",
                "Which of the two is told about .eval(): nn.Dropout made in __init__, or a bare F.dropout?",
            )
        module.train()
        if gap(module(x, x, x), plain) == 0:
            raise Failed("In train mode nothing is dropped.", "Use what dropout returns.")
        one = x[:, :1]
        outputs = torch.stack([module(one, one, one) for _ in range(40)])
    # A single key has the weight 1 in each of the heads: dropped or kept, there are few outputs to be had.
    seen = {tuple(row.tolist()) for row in (outputs[:, 0, 0] * 1e3).round()}
    if len(seen) > 8:
        raise Failed(
            "Something else than attention weights is dropped.",
            "Drop the weights themselves: what the softmax returns, before the values come in.",
        )


@pytest.mark.check("2c.gradients")
def test_gradients(student):
    """Every weight and every input gets a gradient, and forward changes no argument"""
    module, mask = built(student), torch.ones(4, 5).tril()
    inputs = [torch.randn(2, 4, 12), torch.randn(2, 5, 12), torch.randn(2, 5, 12)]
    before = [x.clone() for x in inputs]
    leaves = [x.requires_grad_() for x in inputs]
    output = module(*leaves, mask)
    if not isinstance(output, torch.Tensor) or not output.requires_grad:
        raise Failed(
            "The output has no history: no gradient.", "Look for .data, .detach() and no_grad() in forward."
        )
    (output * torch.randn(output.shape)).sum().backward()
    changed = [
        name
        for name, x, was in zip(("query", "key", "value"), inputs, before, strict=True)
        if not torch.equal(x, was)
    ]
    if changed:
        raise Failed(f"After the call, {changed[0]} is not what it was.", "x = x + … makes a new tensor.")
    for name, p in module.named_parameters():
        if p.grad is None or (p.dim() > 1 and not bool(p.grad.abs().max() > 1e-8)):
            shape = show_shape(p.shape)
            raise Failed(f"No gradient reaches {name} {shape}.", "Every layer has its place in forward.")
    for name, x in zip(("query", "key", "value"), leaves, strict=True):
        if x.grad is None or not bool(x.grad.abs().max() > 1e-8):
            raise Failed(
                f"No gradient gets through to the {name}.", "The layers before this one could not learn."
            )


@pytest.mark.check("2c.handout")
def test_handout(student, kit, note):
    """The handout's three comparisons come out below 0.001, on any processor"""
    least = math.inf
    for order in permutations(range(4)):
        found, draws = run_cell(kit, "attention.txt", in_order(student.MultiHeadAttention, order))
        if draws != [18, 18, 18]:  # one for each of the 2 × 3 × 3 weights of each call
            raise NeedsReview(
                "Your module draws its dropout in other portions than nn.Dropout does.", NO_MISTAKE
            )
        least = min(least, max(relative_errors(found)))
        if least < 1e-3:
            note(
                "The dropout of the handout's machine was replayed: your processor may print more, and be right."
            )
            return
    raise Failed(
        f"Off the handout's arrays by {least:.2g}; less than 0.001 is due, in whatever order the layers are created.",
        "Where the other checks of 2c pass: by what are the scores divided, and what goes through dropout?",
    )


NO_MISTAKE = (
    "That is no mistake, but the arrays cannot be had so. The grader puts your own weights into the formula."
)


def in_order(attention, order):
    """The student's class with the values of its four layers exchanged: they may be created in any order."""

    def make(embed_dim, num_heads):
        module = attention(embed_dim, num_heads)
        layers = [
            m for m in module.modules() if isinstance(m, nn.Linear) and not isinstance(m, nn.LazyLinear)
        ]
        own = {id(p) for m in layers for p in m.parameters()}
        if [tuple(m.weight.shape) for m in layers] != [(8, 8)] * 4 or any(m.bias is None for m in layers):
            raise NeedsReview("Your module keeps its weights otherwise than in four nn.Linear.", NO_MISTAKE)
        if {id(p) for p in module.parameters()} != own:
            raise NeedsReview("Your module has other weights besides those of four nn.Linear.", NO_MISTAKE)
        state = torch.get_rng_state()
        torch.manual_seed(231)
        drawn = [nn.Linear(8, 8) for _ in range(4)]
        torch.set_rng_state(state)
        if not all(any(torch.equal(m.weight, other.weight) for other in drawn) for m in layers):
            raise NeedsReview("Your layers start from other weights than nn.Linear gives them.", NO_MISTAKE)
        with torch.no_grad():
            for m, i in zip(layers, order, strict=True):
                m.weight.copy_(drawn[i].weight)
                m.bias.copy_(drawn[i].bias)
        return lambda query, key, value, attn_mask=None: (
            module(query, key, value) if attn_mask is None else module(query, key, value, attn_mask)
        )

    return make


def relative_errors(found):
    for name in ("self_attn_output", "masked_self_attn_output", "attn_output"):
        refuse(found[name], (1, 3, 8))
        yield float(found["rel_error"](found[f"expected_{name}"], found[name].detach().numpy()))


class Counted(DropoutStream):
    """Takes down how many elements each dropout draws for."""

    def __init__(self):
        super().__init__("intel")  # the processor that the arrays come from
        self.draws = []

    def _bernoulli_(self, out, *rest, **named):
        self.draws.append(out.numel())
        return super()._bernoulli_(out, *rest, **named)


def run_cell(kit, name, make):
    """Run a cell of the handout as it stands: its names, and what was drawn for dropout."""
    names = {"torch": torch, "np": np, "MultiHeadAttention": make}
    exec(kit.files["relative_error.txt"].read_text(encoding="utf-8"), names)
    with torch.no_grad(), Counted() as counted, contextlib.redirect_stdout(io.StringIO()):
        exec(kit.files[name].read_text(encoding="utf-8"), names)
    return names, counted.draws
