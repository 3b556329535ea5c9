# Noor, part 2
import torch


def rms_norm(x, gain, eps=1e-6):
    rms = (x**2).mean(-1, keepdim=True).add(eps).sqrt()
    return gain * x / rms


def swiglu(x, w_gate, w_up, w_down):
    g = x @ w_gate.T
    return (g * torch.sigmoid(g) * (x @ w_up.T)) @ w_down.T


def rotate_half(x):
    a, b = x.chunk(2, dim=-1)
    return torch.cat([-b, a], dim=-1)


def rope(x, positions, base=10000.0):
    D = x.shape[-1]
    inv_freq = 1.0 / base ** (torch.arange(0, D, 2).float() / D)
    angle = torch.outer(positions.float(), inv_freq)
    angle = torch.cat([angle, angle], dim=-1)
    return x * angle.cos() + rotate_half(x) * angle.sin()
