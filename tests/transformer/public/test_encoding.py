"""Part 2d: what holds for every right PositionalEncoding, and what the handout prints."""

import numpy as np
import pytest
import torch
from dropout_stream import DropoutStream

from grader.checking.compare import problem_with
from grader.checking.outcomes import Failed, NeedsReview


def built(student, embed_dim=12, **options):
    """The student's module in eval mode."""
    try:
        module = student.PositionalEncoding(embed_dim, max_len=40, **options)
    except TypeError:  # the argument may be left out
        module = student.PositionalEncoding(embed_dim, **options)
    return module.eval()


def asked(module, x):
    """Its output, which has to be a finite tensor of the shape of x."""
    with torch.no_grad():
        output = module(x.clone())
    refuse(output, tuple(x.shape))
    return output


def refuse(output, shape):
    wrong = problem_with(output, shape)
    if wrong:
        raise Failed(wrong, "What comes out has the shape of what goes in, and is finite.")


@pytest.mark.check("2d.values")
def test_values(student, kit):
    """The handout's comparison comes out below 0.001, on any processor"""
    found = {"torch": torch, "np": np, "PositionalEncoding": student.PositionalEncoding}
    exec(kit.files["relative_error.txt"].read_text(encoding="utf-8"), found)
    with DropoutStream("intel"):  # the processor that the handout's array comes from
        exec(kit.files["encoding.txt"].read_text(encoding="utf-8"), found)
    refuse(found["output"], (1, 2, 6))
    error = found["rel_error"](found["expected_pe_output"], found["output"].detach().numpy())
    if error >= 1e-3:
        raise Failed(
            f"Off the handout's array by {error:.2g}; less than 0.001 is due.",
            "Take the first two rows of the formula, and print yours beside them.",
        )


@pytest.mark.check("2d.lengths")
def test_lengths(student):
    """A position gets the same encoding whatever the input is, and positions differ"""
    module = built(student)
    asked(module, torch.randn(1, 4, 12))  # what is kept of a short sequence has to serve a long one too
    x = torch.randn(1, 20, 12)
    added = asked(module, x) - x
    for length in (4, 1, 9):
        short = torch.randn(1, length, 12)
        if float((asked(module, short) - short - added[:, :length]).abs().max()) > 1e-4:
            raise Failed(
                "What is added at a position depends on the input or on its length.",
                "Row t of the table is added to position t.",
            )
    if float((added - added[:, :1]).abs().max()) < 1e-4:
        raise Failed("All positions get the same encoding.", "Row t of the table is added to position t.")
    if float(added.abs().max()) > 1.001:
        raise Failed("More than 1 is added to a feature.", "Sine and cosine stay between -1 and 1.")


@pytest.mark.check("2d.dropout")
def test_dropout(student):
    """In training the sum goes through dropout; in evaluation it does not"""
    try:
        module = built(student, dropout=0.5)
    except TypeError:
        raise NeedsReview(
            "Your constructor takes no dropout, so how much is dropped cannot be told here.",
            "The starter kit has it as the second argument.",
        ) from None
    x = 3 + torch.rand(4, 20, 12)
    plain = asked(module, x)
    if not torch.equal(asked(module, x), plain):
        raise Failed(
            "Two calls in eval mode, two outputs.", "Make nn.Dropout in __init__ and call it in forward."
        )
    ratios = asked(module.train(), x) / plain
    zeros = float((ratios == 0).double().mean())
    if zeros == 0:
        raise Failed("Training drops nothing.", "Is what dropout returns what you return?")
    if float((ratios[ratios != 0] - 2).abs().max()) > 1e-3 or not 0.3 < zeros < 0.7:
        raise Failed(
            f"With dropout=0.5, {zeros:.0%} of the sum is 0 and the rest is not doubled.",
            "Add first, then drop: dropout(x + encoding), with the probability that is given.",
        )


@pytest.mark.check("2d.buffer")
def test_buffer(student):
    """The table moves with the module, and is not trained"""
    module = built(student)
    if any(p.requires_grad for p in module.parameters()):
        raise Failed("The encoding is trained: the module has parameters.", "Keep it with register_buffer.")
    loose = [
        name for name, value in vars(module).items() if isinstance(value, torch.Tensor) and value.dim() > 1
    ]
    if loose:
        raise Failed(
            f"{loose[0]} stays behind when the module is moved or converted.",
            "self.register_buffer(name, table)",
        )
