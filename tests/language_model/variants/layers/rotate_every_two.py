# RoPE as x cos + rotate(x) sin with repeated angles, as GPT-J has it; torch's own RMSNorm; einsum for SwiGLU.
import torch
from einops import rearrange, repeat
from torch.nn import functional as F


def rms_norm(x, gain, eps=1e-6):
    return F.rms_norm(x, (x.size(-1),), gain, eps)


def swiglu(x, w_gate, w_up, w_down):
    g = torch.einsum("...e,fe->...f", x, w_gate)
    u = torch.einsum("...e,fe->...f", x, w_up)
    return torch.einsum("...f,ef->...e", g * torch.sigmoid(g) * u, w_down)


def rotate_every_two(x):
    return rearrange(torch.stack((-x[..., 1::2], x[..., ::2]), -1), "... d two -> ... (d two)")


def rope(x, positions, base=10000.0):
    inv = torch.pow(base, -torch.arange(0, x.size(-1), 2, dtype=torch.float32) / x.size(-1))
    angle = repeat(torch.einsum("s,d->sd", positions.to(inv.dtype), inv), "s d -> s (d two)", two=2)
    return x * angle.cos() + rotate_every_two(x) * angle.sin()
