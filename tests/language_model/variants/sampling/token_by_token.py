# Plain Python: loops over rows and tokens, lists of (probability, token), math.log.
import math

import torch


def _softmax(values):
    top = max(values)
    e = [math.exp(v - top) for v in values]
    return [x / sum(e) for x in e]


def _row(logits, temperature, top_k, top_p):
    V = len(logits)
    ranked = sorted(range(V), key=lambda i: -logits[i])
    if temperature == 0:
        return [1.0 if i == ranked[0] else 0.0 for i in range(V)]
    if top_k is not None:
        ranked = ranked[:top_k]
    p = dict(zip(ranked, _softmax([logits[i] / temperature for i in ranked])))
    if top_p is not None:
        kept, total = {}, 0.0
        for i in ranked:
            kept[i] = p[i]
            total += p[i]
            if total >= top_p:
                break
        p = {i: x / total for i, x in kept.items()}
    return [p.get(i, 0.0) for i in range(V)]


def next_token_probabilities(logits, temperature=1.0, top_k=None, top_p=None):
    return torch.tensor([_row(row, temperature, top_k, top_p) for row in logits.tolist()])


def draw(probabilities, u):
    tokens = []
    for row, x in zip(probabilities.tolist(), u.tolist()):
        total, last = 0.0, None
        for i, p in enumerate(row):
            total += p
            if p > 0:
                last = i
            if total > x:
                break
        tokens.append(last)
    return torch.tensor(tokens)


def generate(model, prompt, uniforms, temperature=1.0, top_k=None, top_p=None, eos=None):
    out = [*prompt]
    us = uniforms.tolist()
    while us:
        logits = model(out)
        probabilities = next_token_probabilities(logits.view(1, -1), temperature=temperature, top_k=top_k, top_p=top_p)
        out += draw(probabilities, torch.tensor([us.pop(0)])).tolist()
        if out[-1] == eos:
            return out
    return out


def perplexity(logits, ids, pad=None):
    total, count = 0.0, 0
    for rows, tokens in zip(logits.tolist(), ids.tolist()):
        for row, token in zip(rows, tokens[1:]):
            if token == pad:
                continue
            top = max(row)
            total += top + math.log(sum(math.exp(v - top) for v in row)) - row[token]
            count += 1
    return math.exp(total / count)
