# The cache is the inputs themselves: keys and values of all tokens are computed again, in float64, with an online softmax.
import torch
from layers import rms_norm, rope, swiglu


def causal_attention(q, k, v):
    q, k, v = q.double(), k.double(), v.double()
    S, T = q.size(-2), k.size(-2)
    bias = torch.full((S, T), float("-inf"), dtype=torch.float64).triu(1 + T - S)
    scores = q.matmul(k.mT) / q.size(-1) ** 0.5 + bias
    scores = scores - scores.max(-1, keepdim=True).values
    e = scores.exp()
    return (e.matmul(v) / e.sum(-1, keepdim=True)).float()


def attention_layer(x, weights, num_heads, cache=None):
    everything = x if cache is None else torch.cat([cache, x], dim=1)
    B, T, E = everything.shape
    S = x.shape[1]

    def heads(name):
        return (everything @ weights[name].T).unflatten(-1, (num_heads, E // num_heads)).transpose(1, 2)

    at = torch.arange(T)
    q, k = rope(heads("q"), at)[:, :, T - S :], rope(heads("k"), at)
    y = causal_attention(q, k, heads("v"))
    return y.transpose(1, 2).reshape(B, S, E) @ weights["o"].T, everything


def language_model(ids, weights, num_heads, caches=None):
    """The cache is the ids: the model starts from the first token in every call."""
    everything = ids if caches is None else torch.cat([caches, ids], dim=1)
    x = weights["embedding"][everything]
    for block in weights["blocks"]:
        x = x + attention_layer(rms_norm(x, block["norm1"]), block, num_heads)[0]
        x = x + swiglu(rms_norm(x, block["norm2"]), block["gate"], block["up"], block["down"])
    logits = rms_norm(x, weights["norm"]) @ weights["head"].T
    return logits[:, -ids.size(1) :], everything
