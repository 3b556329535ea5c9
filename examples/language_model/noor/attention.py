# Noor, part 3
import torch
from layers import rms_norm, rope, swiglu


def causal_attention(q, k, v):
    S, T = q.size(2), k.size(2)
    mask = torch.tril(torch.ones(S, T), diagonal=T - S).bool()
    scores = (q @ k.transpose(-1, -2)) * q.size(-1) ** -0.5
    return torch.softmax(scores.masked_fill(~mask, -1e30), dim=-1) @ v


def attention_layer(x, weights, num_heads, cache=None):
    B, S, E = x.shape
    q, k, v = (torch.matmul(x, weights[n].T).view(B, S, num_heads, -1).transpose(1, 2) for n in "qkv")
    q, k = rope(q, torch.arange(S)), rope(k, torch.arange(S))
    if cache is not None:
        k = torch.cat([cache[0], k], dim=2)
        v = torch.cat([cache[1], v], dim=2)
    y = causal_attention(q, k, v)
    return y.transpose(1, 2).reshape(B, S, E) @ weights["o"].T, (k, v)


def language_model(ids, weights, num_heads, caches=None):
    x = weights["embedding"][ids]
    kept = []
    for i, b in enumerate(weights["blocks"]):
        y, c = attention_layer(rms_norm(x, b["norm1"]), b, num_heads, None if caches is None else caches[i])
        x = x + y
        x = x + swiglu(rms_norm(x, b["norm2"]), b["gate"], b["up"], b["down"])
        kept.append(c)
    return rms_norm(x, weights["norm"]) @ weights["head"].T, kept
