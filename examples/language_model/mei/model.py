# Parts 2 and 3 - Mei. Everything in one file, so that attention has its layers at hand.
import torch
import torch.nn.functional as F


def rms_norm(x, gain, eps=1e-6):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + eps) * gain


def swiglu(x, w_gate, w_up, w_down):
    return F.linear(F.silu(F.linear(x, w_gate)) * F.linear(x, w_up), w_down)


def rope(x, positions, base=10000.0):
    half = x.shape[-1] // 2
    theta = base ** (-torch.arange(half) * 2 / x.shape[-1])
    angles = positions[:, None] * theta[None, :]
    a, b = x[..., ::2], x[..., 1::2]
    out = torch.empty_like(x)
    out[..., ::2] = a * torch.cos(angles) - b * torch.sin(angles)
    out[..., 1::2] = a * torch.sin(angles) + b * torch.cos(angles)
    return out


def causal_attention(q, k, v):
    new, total = q.shape[-2], k.shape[-2]
    bias = torch.zeros(new, total)
    for s in range(new):
        bias[s, total - new + s + 1 :] = float("-inf")
    return F.softmax(q @ k.mT / q.shape[-1] ** 0.5 + bias, dim=-1) @ v


def to_heads(x, w, num_heads):
    y = F.linear(x, w)
    return y.reshape(*y.shape[:2], num_heads, -1).permute(0, 2, 1, 3)


def attention_layer(x, weights, num_heads, cache=None):
    old_k, old_v = cache if cache is not None else (None, None)
    start = 0 if old_k is None else old_k.shape[2]
    positions = torch.arange(start, start + x.shape[1])
    q = rope(to_heads(x, weights["q"], num_heads), positions)
    k = rope(to_heads(x, weights["k"], num_heads), positions)
    v = to_heads(x, weights["v"], num_heads)
    if old_k is not None:
        k, v = torch.cat([old_k, k], 2), torch.cat([old_v, v], 2)
    y = causal_attention(q, k, v).permute(0, 2, 1, 3).flatten(2)
    return F.linear(y, weights["o"]), (k, v)


def language_model(ids, weights, num_heads, caches=None):
    x = weights["embedding"][ids]
    new_caches = []
    for n, block in enumerate(weights["blocks"]):
        h = rms_norm(x, block["norm1"])
        h, cache = attention_layer(h, block, num_heads, caches[n] if caches else None)
        new_caches.append(cache)
        x = x + h
        x = x + swiglu(rms_norm(x, block["norm2"]), block["gate"], block["up"], block["down"])
    return F.linear(rms_norm(x, weights["norm"]), weights["head"]), new_caches
