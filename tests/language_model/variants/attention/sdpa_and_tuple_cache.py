# torch's own attention with a mask made for S < T; the cache is a tuple.
import torch
import torch.nn.functional as F
from layers import rms_norm, rope, swiglu


def causal_attention(q, k, v):
    S, T = q.shape[2], k.shape[2]
    mask = torch.tril(torch.ones(S, T, dtype=torch.bool), diagonal=T - S)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def attention_layer(x, weights, num_heads, cache=None):
    b, s, e = x.size()
    q, k, v = [F.linear(x, weights[n]).view(b, s, num_heads, -1).transpose(1, 2) for n in "qkv"]
    offset = cache[0].size(2) if cache else 0
    pos = torch.arange(s) + offset
    q, k = rope(q, pos), rope(k, pos)
    if cache:
        k, v = torch.cat((cache[0], k), 2), torch.cat((cache[1], v), 2)
    y = causal_attention(q, k, v).transpose(1, 2).contiguous().view(b, s, e)
    return F.linear(y, weights["o"]), (k, v)


def language_model(ids, weights, num_heads, caches=None):
    h = F.embedding(ids, weights["embedding"])
    caches = caches or [None] * len(weights["blocks"])
    new = []
    for w, c in zip(weights["blocks"], caches):
        a, c = attention_layer(rms_norm(h, w["norm1"], 1e-6), w, num_heads, c)
        new.append(c)
        h = h + a
        h = h + swiglu(rms_norm(h, w["norm2"], 1e-6), w["gate"], w["up"], w["down"])
    return F.linear(rms_norm(h, weights["norm"], 1e-6), weights["head"]), new
