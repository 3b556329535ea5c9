# A cache with room for many tokens, copied when it is written to; heads one by one.
import torch
from layers import rms_norm, rope, swiglu

ROOM = 64


class KVCache:
    def __init__(self, keys, values, length):
        self.keys, self.values, self.length = keys, values, length

    @classmethod
    def empty(cls, B, H, D):
        return cls(torch.zeros(B, H, ROOM, D), torch.zeros(B, H, ROOM, D), 0)

    def with_more(self, k, v):
        new = KVCache(self.keys.clone(), self.values.clone(), self.length + k.size(2))
        new.keys[:, :, self.length : new.length] = k
        new.values[:, :, self.length : new.length] = v
        return new

    def filled(self):
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]


def causal_attention(q, k, v):
    S, T, D = q.size(2), k.size(2), q.size(3)
    out = torch.zeros_like(q)
    for s in range(S):  # each query with the keys that it sees, no mask
        seen = T - S + s + 1
        w = torch.softmax(q[:, :, s : s + 1] @ k[:, :, :seen].transpose(2, 3) / D**0.5, dim=-1)
        out[:, :, s : s + 1] = w @ v[:, :, :seen]
    return out


def attention_layer(x, weights, num_heads, cache=None):
    B, S, E = x.shape
    D = E // num_heads
    if cache is None:
        cache = KVCache.empty(B, num_heads, D)
    p = torch.arange(cache.length, cache.length + S)
    q, k, v = ((x @ weights[n].t()).reshape(B, S, num_heads, D).swapaxes(1, 2) for n in ("q", "k", "v"))
    cache = cache.with_more(rope(k, p), v)
    keys, values = cache.filled()
    y = causal_attention(rope(q, p), keys, values)
    y = torch.cat([y[:, h] for h in range(num_heads)], dim=-1)
    return y @ weights["o"].t(), cache


def block(x, w, num_heads, cache):
    a, cache = attention_layer(rms_norm(x, w["norm1"]), w, num_heads, cache)
    x = x + a
    return x + swiglu(rms_norm(x, w["norm2"]), w["gate"], w["up"], w["down"]), cache


def language_model(ids, weights, num_heads, caches=None):
    x, out = weights["embedding"].index_select(0, ids.flatten()).view(*ids.shape, -1), []
    for i, w in enumerate(weights["blocks"]):
        x, c = block(x, w, num_heads, caches[i] if caches else None)
        out.append(c)
    return torch.matmul(rms_norm(x, weights["norm"]), weights["head"].t()), out
