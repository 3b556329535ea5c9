"""RMSNorm, SwiGLU and rotary positions, in float64.

RMSNorm: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", equation 4, with eps under the root as in
LLaMA (Touvron et al. 2023). SwiGLU: Shazeer 2020, "GLU Variants Improve Transformer", equation 6, without biases. RoPE:
Su et al. 2021, "RoFormer", equation 34: features 2i and 2i + 1 are turned together.
"""

from __future__ import annotations

import torch
from torch import Tensor

EPS = 1e-6
BASE = 10000.0


def rms_norm(x: Tensor, gain: Tensor, eps: float = EPS) -> Tensor:
    """x (..., E), gain (E,) -> (..., E)."""
    x = x.double()
    return x * (x.square().mean(-1, keepdim=True) + eps).rsqrt() * gain.double()


def swiglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    """x (..., E), w_gate and w_up (F, E), w_down (E, F) -> (..., E)."""
    x, w_gate, w_up, w_down = (each.double() for each in (x, w_gate, w_up, w_down))
    gate = x @ w_gate.T
    return (gate * gate.sigmoid() * (x @ w_up.T)) @ w_down.T


def rope(x: Tensor, positions: Tensor, base: float = BASE) -> Tensor:
    """x (..., S, D), positions (S,) -> (..., S, D), by complex numbers: the paper's equation 12 for every pair."""
    x = x.double()
    D = x.size(-1)
    frequency = base ** (-torch.arange(0, D, 2, dtype=torch.float64) / D)
    angle = positions.double()[:, None] * frequency  # (S, D / 2)
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], D // 2, 2))
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angle), angle)).flatten(-2)
