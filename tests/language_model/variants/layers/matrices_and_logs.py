# RoPE as one rotation matrix per position, frequencies by exp and log; the norm by linalg; SwiGLU with a fused matrix.
import math

import torch
from torch import nn


def rms_norm(x, gain, eps=1e-6):
    n = x.shape[-1]
    square = torch.linalg.vector_norm(x, dim=-1, keepdim=True) ** 2 / n
    return torch.einsum("...e,e->...e", x * (square + eps) ** -0.5, gain)


class SwiGLU(nn.Module):
    def __init__(self, w_gate, w_up, w_down):
        super().__init__()
        self.both = nn.Parameter(torch.cat([w_gate, w_up]))
        self.down = nn.Parameter(w_down)

    def forward(self, x):
        a, b = (x @ self.both.mT).chunk(2, dim=-1)
        return (a / (1 + torch.exp(-a)) * b) @ self.down.mT


def swiglu(x, w_gate, w_up, w_down):
    return SwiGLU(w_gate, w_up, w_down)(x)


def rope(x, positions, base=10000.0):
    D = x.size(-1)
    out = torch.empty_like(x)
    for s, position in enumerate(positions.tolist()):
        R = torch.zeros(D, D)
        for i in range(D // 2):
            angle = position * math.exp(-2 * i / D * math.log(base))
            R[2 * i, 2 * i] = R[2 * i + 1, 2 * i + 1] = math.cos(angle)
            R[2 * i, 2 * i + 1], R[2 * i + 1, 2 * i] = -math.sin(angle), math.sin(angle)
        out[..., s, :] = x[..., s, :] @ R.T
    return out
