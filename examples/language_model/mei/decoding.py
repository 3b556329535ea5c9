# Part 5 - Mei
import torch


def next_token_probabilities(logits, temperature=1.0, top_k=None, top_p=None):
    if temperature == 0:
        temperature, top_k = 1.0, 1
    probs = torch.softmax(logits / temperature, dim=-1)
    order = probs.argsort(dim=-1, descending=True)
    sorted_probs = probs.gather(-1, order)
    if top_k is not None:
        sorted_probs[:, top_k:] = 0
        sorted_probs = sorted_probs / sorted_probs.sum(-1, keepdim=True)
    if top_p is not None:
        for row in sorted_probs:
            total = 0.0
            for i in range(len(row)):
                if total >= top_p:
                    row[i] = 0
                total += float(row[i])
        sorted_probs = sorted_probs / sorted_probs.sum(-1, keepdim=True)
    return torch.zeros_like(probs).scatter(-1, order, sorted_probs)


def draw(probabilities, u):
    cdf = probabilities.cumsum(-1)
    above = cdf > u[:, None]
    above[:, -1] = True
    return above.int().argmax(-1)


def generate(model, prompt, uniforms, temperature=1.0, top_k=None, top_p=None, eos=None):
    ids = list(prompt)
    for n in range(len(uniforms)):
        p = next_token_probabilities(model(ids)[None], temperature, top_k, top_p)
        ids.append(int(draw(p, uniforms[n : n + 1])))
        if ids[-1] == eos:
            return ids
    return ids


def perplexity(logits, ids, pad=None):
    logits, targets = logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten()
    if pad is not None:
        logits, targets = logits[targets != pad], targets[targets != pad]
    return float(torch.exp(torch.nn.functional.cross_entropy(logits, targets)))
