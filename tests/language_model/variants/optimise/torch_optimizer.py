# A subclass of torch's Optimizer (the base class, not AdamW), with in-place operations as torch has them.
import math

import torch
from torch.optim import Optimizer


class AdamW(Optimizer):
    def __init__(self, params, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, dict(betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, lr):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["t"], state["m"], state["v"] = 0, torch.zeros_like(p), torch.zeros_like(p)
                state["t"] += 1
                state["m"].lerp_(p.grad, 1 - b1)
                state["v"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                p.mul_(1 - lr * group["weight_decay"])
                scale = math.sqrt(1 - b2 ** state["t"])
                denominator = state["v"].sqrt().div_(scale).add_(group["eps"])
                p.addcdiv_(state["m"], denominator, value=-lr / (1 - b1 ** state["t"]))


def learning_rate(step, max_lr, min_lr, warmup, total):
    if step >= total:
        return float(min_lr)
    if step < warmup:
        return (step + 1) * (max_lr / warmup)
    t = (step - warmup) / (total - warmup)
    return max_lr * (1 + math.cos(math.pi * t)) / 2 + min_lr * (1 - math.cos(math.pi * t)) / 2


def clip_gradients(gradients, max_norm):
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
    scale = torch.clamp(max_norm / (norm + 1e-6), max=1.0)
    return [g * scale for g in gradients], norm
