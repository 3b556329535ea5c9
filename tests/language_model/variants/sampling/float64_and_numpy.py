# NumPy in float64; masks by rank; a cumulative comparison that counts.
import numpy as np
import torch
from torch import nn


def next_token_probabilities(logits, temperature=1.0, top_k=None, top_p=None):
    x = logits.numpy().astype(np.float64)
    rank = (-x).argsort(axis=-1).argsort(axis=-1)
    if temperature == 0:
        return torch.from_numpy((rank == 0).astype(np.float64))
    x = x / temperature
    keep = rank < (top_k if top_k is not None else x.shape[-1])
    p = np.exp(x - x.max(-1, keepdims=True)) * keep
    p /= p.sum(-1, keepdims=True)
    if top_p is not None:
        likelier = (p[:, None, :] * (p[:, None, :] > p[:, :, None])).sum(-1)  # what is above each token
        p = p * (likelier < top_p)
        p /= p.sum(-1, keepdims=True)
    return torch.from_numpy(p)


def draw(probabilities, u):
    cdf = np.cumsum(probabilities.numpy(), axis=-1)
    return torch.from_numpy((cdf > u.numpy()[:, None]).argmax(axis=-1))


def generate(model, prompt, uniforms, temperature=1.0, top_k=None, top_p=None, eos=None):
    ids = list(prompt)
    for u in uniforms.split(1):
        p = next_token_probabilities(model(torch.tensor([ids])).reshape(1, -1), temperature, top_k, top_p)
        ids.append(int(draw(p, u)[0]))
        if ids[-1] == eos:
            break
    return ids


def perplexity(logits, ids, pad=None):
    losses = nn.CrossEntropyLoss(reduction="none")(logits[:, :-1].transpose(1, 2).double(), ids[:, 1:])
    mask = torch.ones_like(losses) if pad is None else (ids[:, 1:] != pad).double()
    return float(((losses * mask).sum() / mask.sum()).exp())
