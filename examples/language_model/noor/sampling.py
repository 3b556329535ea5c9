# Noor, part 5
import torch


def next_token_probabilities(logits, temperature=1.0, top_k=None, top_p=None):
    if temperature == 0:
        return (logits == logits.max(-1, keepdim=True).values).float()
    logits = logits / temperature
    if top_k is not None:
        kth = logits.sort(-1, descending=True).values[:, : min(top_k, logits.size(-1))][:, -1:]
        logits = logits.masked_fill(logits < kth, float("-inf"))
    probs = logits.softmax(-1)
    if top_p is not None:
        ordered, index = probs.sort(-1, descending=True)
        ordered[ordered.cumsum(-1) >= top_p] = 0
        probs = torch.zeros_like(probs).scatter(-1, index, ordered)
        probs = probs / probs.sum(-1, keepdim=True)
    return probs


def draw(probabilities, u):
    return (probabilities.cumsum(-1) <= u[:, None]).sum(-1).clamp(max=probabilities.size(-1) - 1)


def generate(model, prompt, uniforms, temperature=1.0, top_k=None, top_p=None, eos=None):
    raise NotImplementedError("generate")


def perplexity(logits, ids, pad=None):
    logp = torch.log_softmax(logits[:, :-1], -1)
    nll = -logp.gather(2, ids[:, 1:, None]).squeeze(2)
    return nll.mean().exp()  # over all positions
