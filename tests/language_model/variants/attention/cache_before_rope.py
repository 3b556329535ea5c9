# The cache holds keys that are not turned yet; all of them are turned in each call. einsum throughout.
import math

import torch
from layers import rms_norm, rope, swiglu


def causal_attention(q, k, v):
    S, T = q.shape[-2], k.shape[-2]
    scores = torch.einsum("bhsd,bhtd->bhst", q * (q.shape[-1] ** -0.5), k)
    i = torch.arange(T - S, T).unsqueeze(1)
    j = torch.arange(T).unsqueeze(0)
    scores = torch.where(j <= i, scores, torch.tensor(-1e9))
    return torch.einsum("bhst,bhtd->bhsd", torch.softmax(scores, -1), v)


def attention_layer(x, weights, num_heads, cache=None):
    B, S, E = x.shape
    heads = {n: torch.einsum("bse,fe->bsf", x, weights[n]).reshape(B, S, num_heads, E // num_heads) for n in "qkv"}
    heads = {n: y.permute(0, 2, 1, 3) for n, y in heads.items()}
    if cache is not None:
        heads["k"] = torch.cat([cache["plain_k"], heads["k"]], dim=-2)
        heads["v"] = torch.cat([cache["v"], heads["v"]], dim=-2)
    T = heads["k"].shape[-2]
    q = rope(heads["q"], torch.arange(T - S, T))
    k = rope(heads["k"], torch.arange(T))
    out = causal_attention(q, k, heads["v"]).permute(0, 2, 1, 3).flatten(2)
    return torch.einsum("bsf,ef->bse", out, weights["o"]), {"plain_k": heads["k"], "v": heads["v"]}


def language_model(ids, weights, num_heads, caches=None):
    x = torch.nn.functional.one_hot(ids, weights["embedding"].shape[0]).float() @ weights["embedding"]
    new = {}
    for n, block in enumerate(weights["blocks"]):
        y, new[n] = attention_layer(rms_norm(x, block["norm1"]), block, num_heads, (caches or {}).get(n))
        x = x + y
        x = x + swiglu(rms_norm(x, block["norm2"]), block["gate"], block["up"], block["down"])
    return rms_norm(x, weights["norm"]) @ weights["head"].mT, new
