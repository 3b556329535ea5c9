# Sorting for both top-k and top-p, as Hugging Face's warpers do; searchsorted to draw; cross_entropy for perplexity.
import torch
import torch.nn.functional as F


def next_token_probabilities(logits, temperature=1.0, top_k=None, top_p=None):
    if temperature == 0.0:
        return torch.zeros_like(logits).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)
    scores = logits / temperature
    if top_k is not None:
        k = min(top_k, scores.size(-1))
        scores = scores.masked_fill(scores < torch.topk(scores, k)[0][..., -1, None], -float("Inf"))
    if top_p is not None:
        sorted_logits, sorted_indices = torch.sort(scores, descending=False)
        cumulative = sorted_logits.softmax(dim=-1).cumsum(dim=-1)
        remove = cumulative <= (1 - top_p)
        remove[..., -1:] = 0
        scores = scores.masked_fill(remove.scatter(1, sorted_indices, remove), -float("Inf"))
    return F.softmax(scores, dim=-1)


def draw(probabilities, u):
    cdf = torch.cumsum(probabilities, dim=-1)
    return torch.searchsorted(cdf, u.unsqueeze(-1), right=True).squeeze(-1).clamp_(max=probabilities.size(-1) - 1)


def generate(model, prompt, uniforms, temperature=1.0, top_k=None, top_p=None, eos=None):
    ids = torch.tensor(prompt)
    for i in range(uniforms.numel()):
        p = next_token_probabilities(model(ids)[None, :], temperature, top_k, top_p)
        ids = torch.cat([ids, draw(p, uniforms[i : i + 1])])
        if eos is not None and ids[-1] == eos:
            break
    return ids


def perplexity(logits, ids, pad=None):
    shifted, labels = logits[:, :-1].reshape(-1, logits.size(-1)), ids[:, 1:].reshape(-1)
    ignore = -100 if pad is None else pad
    return torch.exp(F.cross_entropy(shifted, labels, ignore_index=ignore))
