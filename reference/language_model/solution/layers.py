"""Part 2: RMSNorm, SwiGLU and rotary positions."""

import torch
from torch.nn import functional as F


def rms_norm(x, gain, eps=1e-6):
    mean_square = x.pow(2).mean(dim=-1, keepdim=True)
    return x / torch.sqrt(mean_square + eps) * gain


def swiglu(x, w_gate, w_up, w_down):
    gate = F.silu(x @ w_gate.T)  # (..., F)
    up = x @ w_up.T  # (..., F)
    return (gate * up) @ w_down.T  # (..., E)


def rope(x, positions, base=10000.0):
    D = x.size(-1)
    two_i = torch.arange(0, D, 2)
    frequency = base ** (-two_i / D)  # (D / 2,)
    angle = positions.unsqueeze(-1) * frequency  # (S, D / 2)
    cos, sin = angle.cos(), angle.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1)
    return turned.flatten(-2)
