"""Part 5: from logits to text, and how good the logits are."""

import torch


def next_token_probabilities(logits, temperature=1.0, top_k=None, top_p=None):
    if temperature == 0:
        best = logits.argmax(dim=-1)
        return torch.nn.functional.one_hot(best, logits.size(-1)).float()
    logits = logits / temperature
    if top_k is not None and top_k < logits.size(-1):
        least = logits.topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < least, float("-inf"))
    probabilities = logits.softmax(dim=-1)  # (B, V)
    if top_p is not None:
        ordered, order = probabilities.sort(dim=-1, descending=True)
        before = ordered.cumsum(dim=-1) - ordered  # what the likelier tokens sum to
        ordered = ordered.masked_fill(before >= top_p, 0.0)
        probabilities = torch.zeros_like(probabilities).scatter(-1, order, ordered)
        probabilities = probabilities / probabilities.sum(dim=-1, keepdim=True)
    return probabilities


def draw(probabilities, u):
    cumulative = probabilities.cumsum(dim=-1)  # (B, V)
    token = (cumulative <= u.unsqueeze(-1)).sum(dim=-1)  # (B,)
    V = probabilities.size(-1)
    last = V - 1 - (probabilities > 0).flip(-1).int().argmax(dim=-1)  # rounding may leave the sum below u
    return torch.minimum(token, last)


def generate(model, prompt, uniforms, temperature=1.0, top_k=None, top_p=None, eos=None):
    ids = list(prompt)
    for u in uniforms:
        logits = model(ids)  # (V,)
        probabilities = next_token_probabilities(logits.unsqueeze(0), temperature, top_k, top_p)
        token = draw(probabilities, u.unsqueeze(0)).item()
        ids.append(token)
        if token == eos:
            break
    return ids


def perplexity(logits, ids, pad=None):
    log_p = logits[:, :-1].log_softmax(dim=-1)  # the last position predicts nothing
    targets = ids[:, 1:]
    loss = -log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1)  # (B, S - 1)
    counted = torch.ones_like(targets, dtype=torch.bool) if pad is None else targets != pad
    return loss[counted].mean().exp().item()
