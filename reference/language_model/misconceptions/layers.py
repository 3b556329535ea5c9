"""What students get wrong in RMSNorm, SwiGLU and RoPE."""

from __future__ import annotations

from grader.bank import Edit, Misconception

_SQUARE = "mean_square = x.pow(2).mean(dim=-1, keepdim=True)"
_ROOT = "torch.sqrt(mean_square + eps)"
_PAIR = "even, odd = x[..., 0::2], x[..., 1::2]"
_TURN = "[even * cos - odd * sin, even * sin + odd * cos]"
_ANGLE = "positions.unsqueeze(-1) * frequency"
_ASK_EPS = "Take x = 0 and x = 0.001: what does the formula give, and what does your code?"
_ASK_MEAN = "Take x = (1, 3) and a gain of 1: which two numbers does the formula give?"
_ASK_GAIN = "Take a gain of ones, then of twos: how should the result change?"
_ASK_GATE = (
    "With weights of one number each, write down silu(g x) · (u x) · d for x = 2 and compare step by step."
)
_ASK_PAIR = "Turn the vector (1, 0, 0, 0) at position 1: which of its features may change?"
_ASK_ANGLE = "Print the angles of position 1 for D = 8: which powers of the base are they?"
_ASK_POSITION = "Call it with positions (0, 1, 2) and then (5, 6, 7): which vectors should stay as they are?"

_NORMS = ("2a.rmsnorm", "2a.small")
_TURNED = ("2c.rope", "2c.relative")


def _edit(old: str, new: str) -> tuple[Edit, ...]:
    return (Edit("layers.py", old, new),)


NORMS: tuple[Misconception, ...] = (
    Misconception(
        id="rms-mean-subtracted",
        title="The mean is subtracted, as in LayerNorm",
        belief="Normalising means to centre and to scale.",
        hint=_ASK_MEAN,
        checks=_NORMS,
        edits=_edit(_SQUARE, "x = x - x.mean(dim=-1, keepdim=True)\n    " + _SQUARE),
    ),
    Misconception(
        id="rms-sum-of-squares",
        title="The squares are added up, not averaged",
        belief="RMSNorm divides by the length of the vector.",
        hint=_ASK_MEAN,
        checks=_NORMS,
        edits=_edit("pow(2).mean(", "pow(2).sum("),
    ),
    Misconception(
        id="rms-over-everything",
        title="The mean is taken over the whole tensor",
        belief="mean() knows which axis is meant.",
        hint="Change one row of x: which rows of the result may change?",
        checks=_NORMS,
        edits=_edit("mean(dim=-1, keepdim=True)", "mean()"),
    ),
    Misconception(
        id="rms-eps-outside",
        title="eps is added to the root, not under it",
        belief="It does not matter where eps stands.",
        hint=_ASK_EPS,
        checks=_NORMS,
        edits=_edit(_ROOT, "(torch.sqrt(mean_square) + eps)"),
    ),
    Misconception(
        id="rms-eps-missing",
        title="eps is left out",
        belief="eps is too small to matter.",
        hint=_ASK_EPS,
        checks=_NORMS,
        edits=_edit(_ROOT, "torch.sqrt(mean_square)"),
    ),
    Misconception(
        id="rms-eps-fixed",
        title="eps is always 1e-6, whatever is passed",
        belief="eps is a constant.",
        hint="Call it with eps=1: does the result change?",
        checks=("2a.rmsnorm",),
        edits=_edit(_ROOT, "torch.sqrt(mean_square + 1e-6)"),
    ),
    Misconception(
        id="rms-root-missing",
        title="x is divided by the mean square, not by its root",
        belief="The mean of the squares is the size of x.",
        hint=_ASK_MEAN,
        checks=_NORMS,
        edits=_edit(_ROOT, "(mean_square + eps)"),
    ),
    Misconception(
        id="rms-gain-ignored",
        title="The gain is not used",
        belief="The gain is for training.",
        hint=_ASK_GAIN,
        checks=_NORMS,
        edits=_edit(" * gain", ""),
    ),
    Misconception(
        id="rms-gain-plus-one",
        title="The gain is taken as a difference from 1",
        belief="A gain starts at zero.",
        hint=_ASK_GAIN,
        checks=_NORMS,
        edits=_edit(" * gain", " * (1 + gain)"),
    ),
    Misconception(
        id="rms-in-place",
        title="rms_norm divides its input in place",
        belief="/= is short for x = x / y.",
        hint="Print x before and after the call: whose tensor does /= change?",
        checks=("2d.kept",),
        may_cost=("3c.logits", "3c.steps"),
        edits=_edit(f"return x / {_ROOT} * gain", f"x /= {_ROOT}\n    return x * gain"),
    ),
)

GATES: tuple[Misconception, ...] = (
    Misconception(
        id="swiglu-other-side",
        title="silu acts on up, not on the gate",
        belief="The two projections can be exchanged.",
        hint=_ASK_GATE,
        checks=("2b.swiglu",),
        edits=_edit("F.silu(x @ w_gate.T)", "x @ w_gate.T")
        + _edit("up = x @ w_up.T", "up = F.silu(x @ w_up.T)"),
    ),
    Misconception(
        id="swiglu-sigmoid",
        title="The gate is a sigmoid, as in the first GLU",
        belief="A gate is a number between 0 and 1.",
        hint=_ASK_GATE,
        checks=("2b.swiglu",),
        edits=_edit("F.silu", "torch.sigmoid"),
    ),
    Misconception(
        id="swiglu-gelu",
        title="The gate goes through GELU",
        belief="GELU and silu are the same curve.",
        hint=_ASK_GATE,
        checks=("2b.swiglu",),
        edits=_edit("F.silu", "F.gelu"),
    ),
    Misconception(
        id="swiglu-relu",
        title="The gate goes through ReLU",
        belief="Any activation will do.",
        hint=_ASK_GATE,
        checks=("2b.swiglu",),
        edits=_edit("F.silu", "F.relu"),
    ),
    Misconception(
        id="swiglu-sum",
        title="Gate and up are added, not multiplied",
        belief="Two branches are added up.",
        hint=_ASK_GATE,
        checks=("2b.swiglu",),
        edits=_edit("(gate * up)", "(gate + up)"),
    ),
    Misconception(
        id="swiglu-no-up",
        title="up is left out",
        belief="A feed-forward layer has two matrices.",
        hint=_ASK_GATE,
        checks=("2b.swiglu",),
        edits=_edit("(gate * up)", "gate"),
    ),
    Misconception(
        id="swiglu-silu-late",
        title="silu acts on the product of gate and up",
        belief="The activation comes last.",
        hint=_ASK_GATE,
        checks=("2b.swiglu",),
        edits=_edit("F.silu(x @ w_gate.T)", "x @ w_gate.T") + _edit("(gate * up)", "F.silu(gate * up)"),
    ),
)

TURNS: tuple[Misconception, ...] = (
    Misconception(
        id="rope-halves",
        title="Feature i is turned with feature i + D/2, not with its neighbour",
        belief="Every RoPE is the one of the library.",
        hint=_ASK_PAIR,
        checks=("2c.rope",),
        edits=_edit(_PAIR, "even, odd = x.chunk(2, dim=-1)")
        + _edit("], dim=-1)\n    return turned.flatten(-2)", "], dim=-2)\n    return turned.flatten(-2)"),
    ),
    Misconception(
        id="rope-halves-put-back-wrong",
        title="Neighbours are turned together, and put back as two halves",
        belief="The order of features does not matter.",
        hint=_ASK_PAIR,
        checks=_TURNED,
        edits=_edit("], dim=-1)\n    return turned.flatten(-2)", "], dim=-2)\n    return turned.flatten(-2)"),
    ),
    Misconception(
        id="rope-other-way",
        title="The vectors are turned the other way round",
        belief="The sign of the angle is a convention.",
        hint="Take D = 2 and position 1: the paper turns (1, 0) to (cos 1, sin 1). And yours?",
        checks=("2c.rope",),
        edits=_edit(_TURN, "[even * cos + odd * sin, odd * cos - even * sin]"),
    ),
    Misconception(
        id="rope-no-rotation",
        title="The second feature of each pair lacks its minus sign: lengths are not kept",
        belief="Sine and cosine are multiplied in and added up.",
        hint="How long is (1, 1) before and after a turn?",
        checks=_TURNED,
        edits=_edit(_TURN, "[even * cos + odd * sin, even * sin + odd * cos]"),
    ),
    Misconception(
        id="rope-exponent-halved",
        title="The exponent is -i / D, not -2i / D",
        belief="Every pair has its number over D.",
        hint=_ASK_ANGLE,
        checks=("2c.rope",),
        edits=_edit("torch.arange(0, D, 2)", "torch.arange(D // 2)"),
    ),
    Misconception(
        id="rope-exponent-positive",
        title="The frequencies rise with the feature, where they have to fall",
        belief="The sign of the exponent is a convention.",
        hint=_ASK_ANGLE,
        checks=("2c.rope",),
        may_cost=("2c.relative",),
        edits=_edit("base ** (-two_i / D)", "base ** (two_i / D)"),
    ),
    Misconception(
        id="rope-base-fixed",
        title="The base is always 10000, whatever is passed",
        belief="The base is a constant.",
        hint="Call it with base=100: does the result change?",
        checks=("2c.rope",),
        edits=_edit("base ** (", "10000.0 ** ("),
    ),
    Misconception(
        id="rope-positions-ignored",
        title="Positions are counted from 0, whatever is passed",
        belief="A sequence starts at position 0.",
        hint=_ASK_POSITION,
        checks=("2c.rope",),
        edits=_edit(_ANGLE, "torch.arange(x.size(-2)).unsqueeze(-1) * frequency"),
    ),
    Misconception(
        id="rope-from-one",
        title="Positions are counted from 1",
        belief="The first position is position 1.",
        hint=_ASK_POSITION,
        checks=_TURNED,
        edits=_edit(_ANGLE, "(positions.unsqueeze(-1) + 1) * frequency"),
    ),
    Misconception(
        id="rope-added",
        title="Sine and cosine are added to the vectors, as the encoding of Vaswani is",
        belief="A position is something that is added.",
        hint="How long is a vector before and after? What is turned changes its direction alone.",
        checks=_TURNED,
        edits=_edit(_TURN, "[even + sin, odd + cos]"),
    ),
)

BANK: tuple[Misconception, ...] = (*NORMS, *GATES, *TURNS)
