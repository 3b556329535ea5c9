"""Part 3: causal attention, its cache, and the whole model."""

import math

import torch
from layers import rms_norm, rope, swiglu


def causal_attention(q, k, v):
    S, T = q.size(-2), k.size(-2)
    scores = q @ k.transpose(-2, -1)  # (B, H, S, T)
    scores = scores / math.sqrt(q.size(-1))
    future = torch.ones(S, T, dtype=torch.bool).triu(T - S + 1)
    scores = scores.masked_fill(future, float("-inf"))
    return scores.softmax(dim=-1) @ v  # (B, H, S, D)


def attention_layer(x, weights, num_heads, cache=None):
    B, S, E = x.shape
    past = 0 if cache is None else cache["k"].size(2)

    def split(y):
        return y.view(B, S, num_heads, E // num_heads).transpose(1, 2)  # (B, H, S, D)

    positions = torch.arange(past, past + S)
    q = rope(split(x @ weights["q"].T), positions)
    k = rope(split(x @ weights["k"].T), positions)
    v = split(x @ weights["v"].T)
    if cache is not None:
        k = torch.cat([cache["k"], k], dim=2)  # (B, H, T, D)
        v = torch.cat([cache["v"], v], dim=2)
    heads = causal_attention(q, k, v)
    joined = heads.transpose(1, 2).reshape(B, S, E)
    return joined @ weights["o"].T, {"k": k, "v": v}


def language_model(ids, weights, num_heads, caches=None):
    x = weights["embedding"][ids]  # (B, S, E)
    kept = []
    for i, block in enumerate(weights["blocks"]):
        cache = None if caches is None else caches[i]
        attended, cache = attention_layer(rms_norm(x, block["norm1"]), block, num_heads, cache)
        x = x + attended
        x = x + swiglu(rms_norm(x, block["norm2"]), block["gate"], block["up"], block["down"])
        kept.append(cache)
    x = rms_norm(x, weights["norm"])
    return x @ weights["head"].T, kept  # (B, S, V)
