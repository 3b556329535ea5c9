# All parameters that have a gradient as flat vectors; NumPy for the schedule; torch's own clipping on copies.
import numpy as np
import torch


class AdamW:
    def __init__(self, params, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        self.params, self.betas, self.eps, self.wd = params, betas, eps, weight_decay
        self.m = {id(p): torch.zeros(p.numel()) for p in params}
        self.v = {id(p): torch.zeros(p.numel()) for p in params}
        self.n = {id(p): 0 for p in params}

    def step(self, lr):
        b1, b2 = self.betas
        with torch.no_grad():
            for p in [p for p in self.params if p.grad is not None]:
                key, g = id(p), p.grad.reshape(-1)
                self.n[key] += 1
                self.m[key] = torch.add(b1 * self.m[key], g, alpha=1 - b1)
                self.v[key] = torch.add(b2 * self.v[key], g.square(), alpha=1 - b2)
                m, v = self.m[key] / (1 - b1 ** self.n[key]), self.v[key] / (1 - b2 ** self.n[key])
                p.copy_(p - lr * self.wd * p - (lr * m / (self.eps + v**0.5)).view_as(p))


def learning_rate(step, max_lr, min_lr, warmup, total):
    if step < warmup:
        return np.linspace(max_lr / warmup, max_lr, warmup)[step]
    angle = np.pi * min(step - warmup, total - warmup) / (total - warmup)
    return min_lr + (max_lr - min_lr) * np.cos(angle / 2) ** 2


def clip_gradients(gradients, max_norm):
    copies = [torch.zeros_like(g).requires_grad_() for g in gradients]
    for c, g in zip(copies, gradients):
        c.grad = g.clone()
    norm = torch.nn.utils.clip_grad_norm_(copies, max_norm)
    return [c.grad for c in copies], norm
